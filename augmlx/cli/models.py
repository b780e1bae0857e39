"""augmlx models: what is in the store."""

from __future__ import annotations

import json

import rich_click as click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def models(as_json: bool) -> None:
    """List the models in the local store, one a line: name, size on disk, type, licence, source.

    The store is the folder augmlx in your cache folder, or $AUGMLX_HOME.

    \b
    Example:
      augmlx models
    """
    from augmlx.models import memory
    from augmlx.models.store import folder as store
    from augmlx.models.store.catalogue import CATALOGUE

    stored = store.list_models()
    sizes = [memory.model_bytes(model.path) for model in stored]
    if as_json:
        rows = [
            {**store.to_json(model), "bytes": size}
            for model, size in zip(stored, sizes, strict=True)
        ]
        click.echo(json.dumps({"store": str(store.home()), "models": rows}, ensure_ascii=False))
        return
    for model, size in zip(stored, sizes, strict=True):
        kind = f"{model.bits}-bit" if model.bits else model.dtype or "-"
        click.echo(
            f"{model.name}\t{size / 1e6:.0f} MB\t{kind}\t{model.license or '-'}\t{model.source}"
        )
    for entry in CATALOGUE.values():
        if entry.name not in {model.name for model in stored}:
            click.echo(
                f"not in the store: {entry.name} ({entry.summary}): augmlx pull {entry.name}",
                err=True,
            )
