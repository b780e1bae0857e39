"""augmlx eval: base, in context, plain and augmented fine-tuning, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import rich_click as click

from augmlx.cli import common, summaries
from augmlx.cli.common import FilePath
from augmlx.cli.progress import progress_here
from augmlx.core.arms import ORACLE, ArmName


@click.command("eval")
@click.argument("run", metavar="RUN", type=FilePath)
@common.questions_option
@click.option(
    "--arm",
    "arms",
    multiple=True,
    type=click.Choice(get_args(ArmName)),
    help="An arm to ask; may be repeated. By default those of eval.arms.",
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Another adapter of the same model as a further arm; may be repeated.",
)
@click.option(
    "--oracle",
    type=FilePath,
    help="Consequences of the facts known to be true, a file like FACTS: for the arm oracle.",
)
@common.settings_options
@common.json_option
def evaluate(
    run: Path,
    questions: Path | None,
    arms: tuple[str, ...],
    adapters: tuple[str, ...],
    oracle: Path | None,
    model: str | None,
    seed: int | None,
    pairs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask all arms the same questions: base, icl (facts in context), finetuned (originals only),
    augmented.

    On request also icl-augmented (facts and augmentations in context), rephrased (a control trained
    on originals and rephrasings alone) and oracle (trained on true consequences). What is trained
    for comparison takes the whole epochs that come nearest to the steps of the augmented arm.
    Without questions of your own, items are derived from the facts and from augmentations that were
    held out.

    \b
    Example:
      augmlx eval runs/first --questions questions.csv
      augmlx eval runs/first --arm finetuned --arm rephrased --arm augmented
    """
    from augmlx.core.run_folder import RunFolder
    from augmlx.evaluation.summary import to_json
    from augmlx.run.pipeline import Pipeline

    if oracle is not None and arms and ORACLE.name not in arms:
        raise click.UsageError("--oracle goes with --arm oracle")
    given = common.overrides(model, seed, pairs)
    for key, value in (("eval.arms", list(arms)), ("eval.adapters", _named(adapters))):
        given |= {key: value} if value else {}
    settings = common.run_settings(run, given)
    if oracle is not None and ORACLE.name not in settings.eval.arms:
        settings = common.run_settings(
            run, {**given, "eval.arms": [*settings.eval.arms, ORACLE.name]}
        )
    folder = RunFolder(run)
    with folder.lock():
        pipeline = Pipeline(folder, settings, progress_here())
        pipeline.take_questions(questions)
        if oracle is not None:
            pipeline.take_oracle(oracle)
        summary = pipeline.evaluate()
    if as_json:
        common.echo_json({"run": str(run), **to_json(summary)})
        return
    summaries.echo_summary(summary)


def _named(adapters: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in adapters:
        name, equals, folder = pair.partition("=")
        if not equals or not name or not folder:
            raise click.UsageError(
                f"--adapter {pair!r}: write NAME=FOLDER, such as older=runs/old/adapter"
            )
        if name in found:
            raise click.UsageError(f"--adapter: {name} stands for two folders")
        found[name] = str(Path(folder).resolve())
    return found
