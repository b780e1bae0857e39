"""augmlx init: files to start from."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli.common import FilePath, echo_json, json_option


@click.command()
@click.argument("folder", metavar="DIR", type=FilePath)
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Make DIR with augmlx.toml (every setting, explained), facts.csv and questions.csv to start
    from.

    Files that are there already are left as they are.

    \b
    Example:
      augmlx init my-company
      augmlx run my-company/facts.csv --questions my-company/questions.csv -o my-company/run
    """
    from augmlx.data.starter import start

    made, kept = start(folder)
    if as_json:
        echo_json({"folder": str(folder), "made": made, "kept": kept})
        return
    for name in made:
        click.echo(str(folder / name))
    for name in kept:
        click.echo(f"{folder / name} was there already and is left as it is", err=True)
