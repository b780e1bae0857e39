"""augmlx augment: facts -> augmented.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import common

if TYPE_CHECKING:
    from augmlx.pipeline import Pipeline


@click.command()
@common.facts_options
@common.out_option
@common.questions_option
@common.json_option
def augment(given: common.FromFacts, out: Path, questions: Path | None, as_json: bool) -> None:
    """Let the model write what follows from FACTS, and keep what passes the filters.

    FACTS is a CSV, TSV or JSONL file with a column fact (or text), and optionally id and group. Run it again to go
    on after an interruption. With --questions nothing is held out of training for a test.

    \b
    Example:
      augmlx augment facts.csv -o runs/first
    """
    with opened(given, out, questions) as pipeline:
        counts = pipeline.augment()
    if as_json:
        common.echo_json({"run": str(out), **counts})
    else:
        click.echo(told(counts))


@contextmanager
def opened(given: common.FromFacts, out: Path, questions: Path | None) -> Iterator[Pipeline]:
    """A locked run folder that holds the facts and questions; says what of them is left out."""
    from augmlx.pipeline import Pipeline
    from augmlx.rundir import RunDir

    table, settings, folder = given.read()
    run = RunDir(out)
    run.create(given.path, questions)
    with run.lock():
        pipeline = Pipeline(run, settings, common.progress(), operators_folder=folder)
        for repeat in table.duplicates:
            pipeline.progress.say(f"{repeat}; only the first is used")
        take_questions(pipeline, questions)
        pipeline.take_facts(table.facts)
        yield pipeline


def take_questions(pipeline: Pipeline, questions: Path | None) -> None:
    """Bring the questions into the run, or say that those given earlier are used."""
    if questions is not None:
        pipeline.take_questions(questions)
    elif pipeline.run.questions.exists():
        pipeline.progress.say(f"using the questions given earlier ({pipeline.run.questions})")


def told(counts: dict[str, object]) -> str:
    """One line on what was produced."""
    return "{facts} facts: {produced} produced, {kept} kept, {rejected} rejected, {failed} failed".format(**counts)
