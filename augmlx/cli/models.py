"""augmlx models: what is in the store, and what is known of it."""

from __future__ import annotations

import rich_click as click

from augmlx.cli.common import echo_json, json_option
from augmlx.cli.school_report import lines_of


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models in the local store, one a line: name, size on disk, type, licence, source.

    The store is the folder augmlx in your cache folder, or $AUGMLX_HOME.

    \b
    Example:
      augmlx models
      augmlx models show smollm2-135m
    """
    if context.invoked_subcommand is None:
        _list(as_json)


@models.command()
@click.argument("model")
@json_option
def show(model: str, as_json: bool) -> None:
    """Show what is known of MODEL, and its school report: how it is best asked, and what it can be
    trusted with.

    \b
    Example:
      augmlx models show smollm2-135m
    """
    from augmlx.augment.calibration import report as reports
    from augmlx.models.store import folder as store

    stored = store.find(model)
    report = reports.find_report(stored)
    card = {name: value for name, value in store.to_json(stored).items() if name != "path"}
    if as_json:
        echo_json({**card, "report": reports.to_json(report) if report else None})
        return
    for name, value in card.items():
        click.echo(f"{name}: {'-' if value is None else value}")
    if report is None:
        click.echo(f"not measured yet: augmlx calibrate {model}")
        return
    for line in lines_of(report):
        click.echo(line)


def _list(as_json: bool) -> None:
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
