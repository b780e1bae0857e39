"""augmlx operators: what can be asked of the model, and what is."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common


@click.command()
@click.option("--config", type=common.FilePath, help="The settings; by default augmlx.toml here.")
@common.json_option
def operators(config: Path | None, as_json: bool) -> None:
    """List the operators: in force (*), how many facts each starts from, and of your own where the
    file is.

    A TOML file of yours beside augmlx.toml adds an operator, or takes the place of a shipped one of
    the same name. The setting augment.operators says which are in force.

    \b
    Example:
      augmlx operators
    """
    from augmlx.augment import operators as found
    from augmlx.augment.filters import FILTERS
    from augmlx.core import settings_file

    path = config or next((place for place in [Path("augmlx.toml")] if place.is_file()), None)
    in_force = settings_file.load(path).augment.operators
    folder = path.parent if path else None
    found.load(in_force, FILTERS, folder)  # refuses a name that there is no operator of
    listed = found.available(FILTERS, folder)
    rows = [
        {
            "name": item.operator.name,
            "in_force": item.operator.name in in_force,
            "arity": item.operator.arity,
            "place": f"{item.place} (in place of the shipped one)"
            if item.overrides
            else item.place,
            "model": not item.operator.function,
            "turns": item.operator.takes_turns and not item.operator.function,
            "filters": list(item.operator.filters),
            "about": item.operator.about,
        }
        for item in listed
    ]
    if as_json:
        common.echo_json({"operators": rows})
        return
    for row in rows:
        mark = "*" if row["in_force"] else " "
        place = "" if row["place"] == "shipped" else f"  [{row['place']}]"
        click.echo(f"{mark} {row['name']:<16} {row['arity']:<7} {row['about']}{place}")
