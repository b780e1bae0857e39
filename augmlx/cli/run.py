"""augmlx run: all of it."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common, summaries
from augmlx.cli.augment import opened


@click.command()
@common.facts_options
@common.out_option
@common.questions_option
@click.option(
    "--rounds",
    type=click.IntRange(1, 99),
    default=1,
    show_default=True,
    help=(
        "Let the tuned model augment the same facts again, N - 1 times; a round that answers "
        "worse is not kept."
    ),
)
@common.json_option
def run(
    given: common.FromFacts, out: Path, questions: Path | None, rounds: int, as_json: bool
) -> None:
    """Augment FACTS, train on them, evaluate, export to PEFT and write report.html.

    Finished stages are skipped when nothing they depend on has changed, so running it again goes
    on.

    \b
    Example:
      augmlx run facts.csv --questions questions.csv -o runs/first
    """
    from augmlx.evaluation.summary import to_json
    from augmlx.run.everything import run_all

    with opened(given, out, questions) as pipeline:
        outcome = run_all(pipeline, rounds=rounds)
    if as_json:
        common.echo_json(
            {
                "run": str(out),
                "augment": outcome.counts,
                "eval": outcome.summary and to_json(outcome.summary),
                "rounds": list(outcome.rounds),
                "adapter": str(outcome.adapter),
                "report": str(outcome.report),
                "peft": outcome.exported and str(outcome.exported),
            }
        )
        return
    if outcome.summary is not None:
        summaries.echo_summary(outcome.summary)
    for path in (outcome.adapter, outcome.exported, outcome.report):
        if path is not None:
            click.echo(f"wrote {path}", err=True)
