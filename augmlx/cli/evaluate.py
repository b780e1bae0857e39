"""augmlx eval: base, in context, plain and augmented fine-tuning, side by side."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.augment import take_questions
from augmlx.cli.common import FilePath


@click.command("eval")
@click.argument("run", metavar="RUN", type=FilePath)
@common.questions_option
@common.settings_options
@common.json_option
def evaluate(
    run: Path, questions: Path | None, model: str | None, seed: int | None, pairs: tuple[str, ...], as_json: bool
) -> None:
    """Ask all arms the same questions: base, icl (facts in context), finetuned (originals only), augmented.

    The plain arm is trained here if it is missing, for as many steps as the augmented one. Without questions of your
    own, items are derived from the facts and from augmentations that were held out.

    \b
    Example:
      augmlx eval runs/first --questions questions.csv
    """
    from augmlx.pipeline import Pipeline
    from augmlx.rundir import RunDir

    settings = common.run_settings(run, common.overrides(model, seed, pairs))
    folder = RunDir(run)
    with folder.lock():
        pipeline = Pipeline(folder, settings, common.progress())
        take_questions(pipeline, questions)
        summary = pipeline.evaluate()
    if as_json:
        common.echo_json({"run": str(run), **summary})
        return
    click.echo(common.arms_table(summary))
    for note in summary["notes"]:
        click.echo(note, err=True)
