"""augmlx export: the adapter in a form that other tools read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here

if TYPE_CHECKING:
    from augmlx.core.records import Json
    from augmlx.exporting.comparison import Verification
    from augmlx.exporting.forms import Form, WeightType
    from augmlx.models.store.folder import StoredModel
    from augmlx.run.requantising import Loss


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["peft", "fused", "gguf", "gguf-lora"]),
    default="peft",
    show_default=True,
    help=(
        "peft: the adapter for transformers and vLLM. fused: the whole model, a Hugging Face "
        "folder. gguf, gguf-lora: the whole model, or the adapter alone, for llama.cpp, Ollama "
        "and LM Studio."
    ),
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; RUN/export/FORMAT if not given.",
)
@click.option(
    "--type",
    "weight_type",
    type=click.Choice(["f32", "f16", "bf16", "q8_0"]),
    help="Of a whole model's matrices: by default f16 in GGUF, else as the base has them.",
)
@click.option(
    "--quantize",
    type=click.Choice(["4", "8"]),
    help="Bits per weight of a fused model, for mlx-lm and LM Studio; what that loses is measured.",
)
@click.option(
    "--for",
    "reader",
    type=click.Choice(["vllm"]),
    help="Refuse what this program would not serve, or serve otherwise; with peft.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Read it with transformers and PEFT and compare logits with MLX (extra [hf]).",
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
    form: Form,
    out: Path | None,
    weight_type: WeightType | None,
    quantize: str | None,
    reader: str | None,
    verify: bool,
    base: str | None,
    base_folder: Path | None,
    as_json: bool,
) -> None:
    """Write the adapter of RUN for transformers, vLLM, llama.cpp, Ollama or LM Studio.

    Prints the folder; with --verify also the greatest difference between MLX's logits and the other
    reader's on texts of the run, and fails if it is above 0.001. The folder must be new, empty or
    an earlier export. With --quantize it also prints how many of the run's questions the base
    model, the adapter and the quantised model answer right. RUN may also be an adapter folder, as
    mlx_lm.lora leaves it; then name -o.

    \b
    Examples:
      augmlx export runs/acme --format peft --for vllm
      augmlx export runs/acme --format fused -o acme-model --verify
      augmlx export runs/acme --format fused --quantize 4
      augmlx export runs/acme --format gguf --type q8_0
      augmlx export runs/acme --format gguf-lora --verify
      augmlx export adapters --base org/name -o acme-adapter
    """
    from augmlx.models.formats.adapter_folder import is_adapter

    _refuse_what_does_not_go_together(form, quantize, reader, verify, base_folder)
    if is_adapter(run):
        if form != "peft":
            raise click.UsageError(
                f"--format {form} is made of a run; an adapter folder gives peft"
            )
        _export_adapter(run, out, base, verify, as_json)
        return
    written = _export_run(
        run,
        _Wanted(form, weight_type, None if quantize is None else int(quantize), verify),
        out,
        base=base,
        base_folder=base_folder,
        for_vllm=reader is not None,
    )
    if as_json:
        common.echo_json(written.as_json())
    else:
        for line in written.lines():
            click.echo(line)


def _refuse_what_does_not_go_together(
    form: Form, quantize: str | None, reader: str | None, verify: bool, base_folder: Path | None
) -> None:
    if base_folder is not None and not verify:
        raise click.UsageError("--base-folder is only read by --verify")
    if base_folder is not None and form in ("fused", "gguf"):
        raise click.UsageError(f"--base-folder: --format {form} holds the whole model itself")
    if reader is not None and form != "peft":
        raise click.UsageError(f"--for {reader} goes with --format peft")
    if quantize is not None and form != "fused":
        raise click.UsageError(
            f"--quantize goes with --format fused, not with {form}; GGUF has --type q8_0"
        )
    if quantize is not None and verify:
        raise click.UsageError(
            "--verify reads with transformers, which MLX's quantised weights are nothing to; with "
            "--quantize the model is asked the run's questions anyway"
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The form, and what is to be known of it besides."""

    form: Form
    weight_type: WeightType | None
    bits: int | None
    verify: bool


@dataclass(frozen=True, slots=True)
class _Written:
    """What was exported, and what was found of it."""

    form: Form
    path: Path
    loss: Loss | None
    verification: Verification | None

    def lines(self) -> Iterator[str]:
        yield str(self.path)
        yield from (str(found) for found in (self.loss, self.verification) if found is not None)

    def as_json(self) -> Json:
        from augmlx.run.requantising import to_json

        compared = self.verification
        verification = None if compared is None else dataclasses.asdict(compared)
        value = {"format": self.form, "path": str(self.path), "verification": verification}
        return value if self.loss is None else {**value, "requantised": to_json(self.loss)}


def _export_run(
    run: Path,
    wanted: _Wanted,
    out: Path | None,
    *,
    base: str | None,
    base_folder: Path | None,
    for_vllm: bool,
) -> _Written:
    """Export what a run trained, and measure or compare what was asked for."""
    from augmlx.core.run_folder import RunFolder
    from augmlx.run.pipeline import Pipeline

    settings = common.run_settings(run, {})
    folder, form = RunFolder(run), wanted.form
    with folder.lock():
        pipeline = Pipeline(folder, settings, progress_here())
        # Refused before anything is written.
        start = _base(pipeline.model, base_folder, form) if wanted.verify else None
        path = pipeline.export(
            out,
            form=form,
            hf_base=base,
            weight_type=wanted.weight_type,
            for_vllm=for_vllm,
            bits=wanted.bits,
        )
        loss = verification = None
        if wanted.bits is not None:
            click.echo("measuring on the run's questions what is lost", err=True)
            loss = pipeline.measure_loss(path, wanted.bits)
        if start is not None:
            click.echo("comparing with MLX on texts of the run", err=True)
            verification = pipeline.verify_export(path, form, wanted.weight_type, start)
    return _Written(form, path, loss, verification)


def _export_adapter(
    adapter: Path, out: Path | None, base: str | None, verify: bool, as_json: bool
) -> None:
    """Write an adapter folder, such as mlx_lm.lora leaves, in PEFT's form."""
    from augmlx.exporting.peft import export_peft
    from augmlx.models.formats.adapter_folder import read_spec

    if verify:
        raise click.UsageError("--verify compares on texts of a run; this is an adapter folder")
    if out is None:
        raise click.UsageError(f"{adapter} is an adapter folder: name the folder to write, -o DIR")
    for note in export_peft(adapter, read_spec(adapter), out, hf_base=base):
        click.echo(note, err=True)
    if as_json:
        common.echo_json({"format": "peft", "path": str(out), "verification": None})
        return
    click.echo(str(out))


def _base(model: StoredModel, base_folder: Path | None, form: Form) -> StoredModel:
    """What both sides start from: the run's own model, or the folder given. An adapter alone is
    compared on a full-precision one.
    """
    from augmlx.exporting.verify import full_precision_base
    from augmlx.models.store.folder import find

    if form in ("fused", "gguf"):
        return model
    return full_precision_base(model if base_folder is None else find(base_folder.absolute()))
