"""augmlx study: the controlled experiment on facts that no model has seen."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common, summaries
from augmlx.cli.common import FilePath
from augmlx.cli.progress import progress_here

_WORLDS = ("reversals", "syllogisms", "celebrities", "semantic")


@click.command()
@click.argument("world", type=click.Choice(_WORLDS))
@click.option(
    "-o",
    "--out",
    metavar="RUN",
    type=FilePath,
    required=True,
    help="The study's folder; made if missing.",
)
@click.option(
    "--size",
    type=click.FloatRange(0.05, 10),
    default=0.2,
    show_default=True,
    help="How large the world is; 1 is as in the paper.",
)
@click.option(
    "--seeds", type=click.IntRange(1, 99), default=3, show_default=True, help="How many worlds."
)
@common.settings_options
@common.json_option
def study(
    world: str,
    out: Path,
    size: float,
    seeds: int,
    model: str | None,
    seed: int | None,
    pairs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test the claim on invented facts: augment, train and evaluate all arms in a WORLD whose truth
    is known.

    \b
    reversals    comparisons of made-up things, asked the other way round
    celebrities  invented people and what they are known for, asked the other way round
    syllogisms   two premises about nonsense terms, asked for the conclusion
    semantic     a hierarchy of nonsense categories with properties, own and inherited

    Each seed is another world, and a run folder of its own under RUN (seed-0, seed-1, ...) with
    facts.csv, questions.csv and oracle.csv to read. RUN/summary.json and RUN/report.html tell what
    came out. Run it again to go on after an interruption.

    \b
    Example:
      augmlx study reversals -o runs/reversals
    """
    from augmlx.core import settings_file
    from augmlx.core.run_folder import RunFolder
    from augmlx.evaluation.summary import to_json
    from augmlx.report import write_study
    from augmlx.run.study import Study

    chosen = settings_file.load(None, common.overrides(model, seed, pairs))
    folder = RunFolder(out)
    folder.create()
    with folder.lock():
        summary = Study(out, world, chosen, progress_here(), size=size, seeds=seeds).run()
        report = write_study(out)
    if as_json:
        common.echo_json({"run": str(out), **to_json(summary)})
        return
    summaries.echo_summary(summary)
    click.echo(f"wrote {report}", err=True)
