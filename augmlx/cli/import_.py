"""augmlx import: an adapter made elsewhere, for mlx-lm and for augmlx."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common


@click.command("import")
@click.argument("adapter", type=common.FilePath)
@click.option(
    "-o", "--out", type=common.FilePath, required=True, help="Folder to write; new or empty."
)
@click.option("--model", help="Its base in the store, where the adapter does not name it.")
@common.json_option
def import_(adapter: Path, out: Path, model: str | None, as_json: bool) -> None:
    """Turn the PEFT folder ADAPTER into one that mlx-lm reads.

    LoRA and DoRA, with ranks and alphas of single modules, rsLoRA, in any float type, on linear
    modules and on lm_head; LoRA on the embedding where the head is another one. What mlx-lm has
    nothing for is refused by name. Prints the folder, which mlx_lm.generate takes with
    --adapter-path.

    \b
    Example:
      augmlx import someones-lora -o adapters/someones-lora
    """
    from augmlx.exporting.importing import import_peft

    spec = import_peft(adapter, out, model=model)
    if as_json:
        common.echo_json(
            {
                "path": str(out),
                "model": spec.base,
                "method": spec.kind,
                "rank": spec.rank,
                "scale": spec.scale,
                "targets": list(spec.targets),
                "layers": spec.layers,
            }
        )
    else:
        click.echo(str(out))
