"""augmlx export: the adapter in a form that other tools read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from augmlx.exporting.verify import Verification
    from augmlx.models.store import StoredModel
    from augmlx.rundir import RunDir


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["peft"]), required=True, help="peft: Hugging Face PEFT (LoRA).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write; RUN/export/peft if not given.")
@click.option("--verify", is_flag=True, help="Load it in transformers + PEFT and compare logits with MLX (extra [hf]).")
@click.option("--base", metavar="ORG/NAME", help="Hugging Face name of the base model, where it is not known.")
@click.option(
    "--base-folder",
    type=click.Path(path_type=Path),
    help="With --verify: folder of the full-precision base, where the adapter was trained on a quantised one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def export(
    run: Path,
    form: str,
    output: Path | None,
    verify: bool,
    base: str | None,
    base_folder: Path | None,
    as_json: bool,
) -> None:
    """Write the adapter of RUN as a folder that transformers, vLLM and llama.cpp read.

    Prints the folder; with --verify also the greatest difference between MLX's and PEFT's logits on texts of the run,
    and fails if it is above 0.001. The folder must be new, empty or an earlier export.

    \b
    Examples:
      augmlx export runs/acme --format peft
      augmlx export runs/acme --format peft -o acme-adapter --verify
    """
    if base_folder is not None and not verify:
        raise click.UsageError("--base-folder is only read by --verify")

    from augmlx.exporting.peft import export_peft
    from augmlx.rundir import RunDir
    from augmlx.training.adapter import read_spec

    folder = RunDir(run)
    folder.require()
    with folder.lock():
        out = output if output is not None else folder / "export" / form
        spec = read_spec(folder.adapter)
        full = _base(folder, base_folder) if verify else None  # refused before anything is written
        notes = export_peft(folder.adapter, spec, out, hf_base=base)
        for note in notes:
            click.echo(note, err=True)
        found = None if full is None else _verified(folder, full, out)
    if as_json:
        verification = None if found is None else dataclasses.asdict(found)
        result = {"format": form, "path": str(out), "notes": notes, "verification": verification}
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    click.echo(str(out))
    if found is not None:
        click.echo(str(found))


def _base(run: RunDir, base_folder: Path | None) -> StoredModel:
    """The full-precision base to compare on: the run's own model, or the folder given."""
    from augmlx.exporting.verify import full_precision_base
    from augmlx.models.store import find
    from augmlx.settings import load

    return full_precision_base(find(load(run.settings).model if base_folder is None else base_folder.absolute()))


def _verified(run: RunDir, base: StoredModel, out: Path) -> Verification:
    from augmlx.exporting import verify

    prompts = verify.run_prompts(run)
    click.echo(f"comparing MLX with transformers + PEFT on {len(prompts)} texts of the run", err=True)
    return verify.verify_peft(out, base.path, prompts, verify.mlx_logits(base, run.adapter))
