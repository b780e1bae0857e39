"""augmlx preview: augmentations of a few facts, nothing written."""

from __future__ import annotations

from collections.abc import Sequence

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here
from augmlx.core.records import Example, Rejected, to_json

_Records = Sequence[Example | Rejected]


@click.command()
@common.facts_options
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many facts."
)
@click.option("--why", is_flag=True, help="Show what was dropped, too (-), and why.")
@common.json_option
def preview(given: common.FromFacts, count: int, why: bool, as_json: bool) -> None:
    """Show what every operator makes of the first facts of FACTS and a run would keep. Writes
    nothing.

    "8x" means that 8 samples said the same. --json has every sample by itself, dropped ones too.
    To see some operators only: --set 'augment.operators=["reversal"]'.

    \b
    Example:
      augmlx preview facts.csv -n 3
      augmlx preview facts.csv -n 3 --why
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
        of_fact = [record for record in shown.records if record.origin.fact_ids[0] == fact.id]
        kept_lines, dropped_lines = _lines(of_fact)
        click.echo(fact.text)
        for line in kept_lines or ["  (nothing kept)"]:
            click.echo(line)
        for line in dropped_lines if why else ():
            click.echo(line)
        click.echo("")
    if shown.idle:
        click.echo(f"nothing to do on these facts: {', '.join(shown.idle)}")
    click.echo(_counted(shown.records, why=why))
    if every:
        click.echo(f"a run asks for: {', '.join(settings.augment.operators)} (augment.operators)")
    click.echo(_next(given, shown.records))


def _lines(records: _Records) -> tuple[list[str], list[str]]:
    """One line for each operator and text, with how many samples said it: what was kept, and what
    was dropped.
    """
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
    return kept, dropped


def _counted(records: _Records, *, why: bool) -> str:
    """How many texts were kept and dropped."""
    kept = sum(isinstance(record, Example) for record in records)
    dropped = len(records) - kept
    hint = "" if why or not dropped else " (--why shows them)"
    return f"{len(records)} samples: {kept} texts kept, {dropped} samples dropped{hint}"


def _next(given: common.FromFacts, records: _Records) -> str:
    """What to do now."""
    if any(isinstance(record, Example) for record in records):
        return f"next: augmlx run {given.path} -o RUN, or a larger model: --model NAME"
    return (
        "next: a larger model (--model NAME), a worked example of your own (exemplars.csv beside "
        "augmlx.toml), or the facts in other words"
    )
