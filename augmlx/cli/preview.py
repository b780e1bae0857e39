"""augmlx preview: augmentations of a few facts, nothing written."""

from __future__ import annotations

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here
from augmlx.core.records import Example, Rejected, to_json


@click.command()
@common.facts_options
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many facts."
)
@common.json_option
def preview(given: common.FromFacts, count: int, as_json: bool) -> None:
    """Show what every operator makes of the first facts of FACTS: kept (+), dropped (-) and why.
    Writes nothing.

    "8x" means that 8 samples said the same. --json has every sample by itself. To see some
    operators only: --set 'augment.operators=["reversal"]'.

    \b
    Example:
      augmlx preview facts.csv -n 3
    """
    from augmlx.augment.preview import preview as look

    table = given.table()
    settings, folder = given.settings()
    progress = progress_here()
    for note in table.notes:
        progress.say(note)
    chosen = table.facts[:count]
    every = "augment.operators" not in given.overrides
    shown = look(
        table.facts,
        chosen,
        settings,
        progress,
        operators_folder=folder,
        every=every,
        writer=given.writer,
    )
    if as_json:
        kept = [to_json(r) for r in shown.records if isinstance(r, Example)]
        rejected = [to_json(r) for r in shown.records if isinstance(r, Rejected)]
        common.echo_json({"kept": kept, "rejected": rejected, "without_premises": shown.idle})
        return
    for fact in chosen:
        click.echo(fact.text)
        for line in _lines(
            [record for record in shown.records if record.origin.fact_ids[0] == fact.id]
        ):
            click.echo(line)
        click.echo("")
    if shown.idle:
        click.echo(f"nothing to do on these facts: {', '.join(shown.idle)}")


def _lines(records: list[Example | Rejected]) -> list[str]:
    """One line for each operator and text, with how many samples said it; kept texts first."""
    groups: dict[tuple[str, str], list[Example | Rejected]] = {}
    for record in records:
        groups.setdefault((record.origin.operator, record.text), []).append(record)
    kept, dropped = [], []
    for (operator, text), members in groups.items():
        shown = f"{operator:<15} {len(members):>2}x  {' / '.join(text.splitlines())}"
        reasons = [
            f"{record.by}: {record.why}" for record in members if isinstance(record, Rejected)
        ]
        if len(reasons) < len(members):
            kept.append(f"  + {shown}")
        else:
            dropped.append(f"  - {shown}  ({reasons[0]})")
    return [*kept, *dropped]
