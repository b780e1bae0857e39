"""augmlx models: what is in the store."""

from __future__ import annotations

import rich_click as click

from augmlx.cli.common import echo_json, json_option


@click.command()
@json_option
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
        echo_json({"store": str(store.home()), "models": rows})
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
