"""augmlx run: all of it."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.augment import opened, told
from augmlx.core.records import Json


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
    from augmlx.run.rounds import require_comparison, run_rounds

    rounds_run: list[Json] = []
    with opened(given, out, questions) as pipeline:
        if rounds > 1:
            require_comparison(pipeline.settings)
        counts = pipeline.augment()
        pipeline.progress.say(told(counts))
        pipeline.train()
        summary = pipeline.evaluate()
        if rounds > 1:
            rounds_run = run_rounds(pipeline, rounds)
            summary = pipeline.evaluate()
        exported = pipeline.export_if_possible()
        report = pipeline.report()
    if as_json:
        files = {
            "adapter": str(pipeline.run.adapter),
            "report": str(report),
            "peft": exported and str(exported),
        }
        common.echo_json(
            {"run": str(out), "augment": counts, "eval": summary, "rounds": rounds_run, **files}
        )
        return
    common.echo_summary(summary)
    for path in (pipeline.run.adapter, exported, report):
        if path is not None:
            click.echo(f"wrote {path}", err=True)
