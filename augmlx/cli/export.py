"""augmlx export: the adapter in a form that other tools read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here

if TYPE_CHECKING:
    from augmlx.core.run_folder import RunFolder
    from augmlx.exporting.verify import Verification
    from augmlx.models.store.folder import StoredModel


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["peft"]),
    default="peft",
    show_default=True,
    help="Hugging Face PEFT (LoRA).",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; RUN/export/peft if not given.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Load it in transformers + PEFT and compare logits with MLX (extra [hf]).",
)
@click.option(
    "--base", metavar="ORG/NAME", help="Hugging Face name of the base model, where it is not known."
)
@click.option(
    "--base-folder",
    type=click.Path(path_type=Path),
    help=(
        "With --verify: folder of the full-precision base, where the adapter was trained on a "
        "quantised one."
    ),
)
@common.json_option
def export(
    run: Path,
    form: str,
    out: Path | None,
    verify: bool,
    base: str | None,
    base_folder: Path | None,
    as_json: bool,
) -> None:
    """Write the adapter of RUN as a folder that transformers, vLLM and llama.cpp read.

    Prints the folder; with --verify also the greatest difference between MLX's and PEFT's logits on
    texts of the run, and fails if it is above 0.001. The folder must be new, empty or an earlier
    export.

    \b
    Examples:
      augmlx export runs/acme --format peft
      augmlx export runs/acme --format peft -o acme-adapter --verify
    """
    if base_folder is not None and not verify:
        raise click.UsageError("--base-folder is only read by --verify")

    from augmlx.core.run_folder import RunFolder
    from augmlx.run.pipeline import Pipeline

    settings = common.run_settings(run, {})
    folder = RunFolder(run)
    with folder.lock():
        pipeline = Pipeline(folder, settings, progress_here())
        full = (
            _base(pipeline.model, base_folder) if verify else None
        )  # refused before anything is written
        written = pipeline.export(out, hf_base=base)
        found = None if full is None else _verified(folder, full, written)
    if as_json:
        verification = None if found is None else dataclasses.asdict(found)
        common.echo_json({"format": form, "path": str(written), "verification": verification})
        return
    click.echo(str(written))
    if found is not None:
        click.echo(str(found))


def _base(model: StoredModel, base_folder: Path | None) -> StoredModel:
    """The full-precision base to compare on: the run's own model, or the folder given."""
    from augmlx.exporting.verify import full_precision_base
    from augmlx.models.store.folder import find

    return full_precision_base(model if base_folder is None else find(base_folder.absolute()))


def _verified(run: RunFolder, base: StoredModel, out: Path) -> Verification:
    from augmlx.exporting import verify

    prompts = verify.run_prompts(run)
    click.echo(
        f"comparing MLX with transformers + PEFT on {len(prompts)} texts of the run", err=True
    )
    return verify.verify_peft(out, base.path, prompts, verify.mlx_logits(base, run.adapter))
