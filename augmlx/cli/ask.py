"""augmlx ask: the tuned model beside the base model."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.common import FilePath


@click.command()
@click.argument("run", metavar="RUN", type=FilePath)
@click.argument("question")
@click.option("--max-tokens", type=click.IntRange(min=1), default=48, show_default=True, help="Longest answer.")
@common.json_option
def ask(run: Path, question: str, max_tokens: int, as_json: bool) -> None:
    """Put QUESTION, or the beginning of a sentence, to the base model and to the tuned one.

    A model tuned on plain statements goes on with the beginning of one best; a text that ends with a question mark
    is put to it as "Question: ... Answer:".

    \b
    Example:
      augmlx ask runs/first "The head of the Lumen Lab is"
    """
    from augmlx.pipeline import Pipeline
    from augmlx.rundir import RunDir

    settings = common.run_settings(run, {})
    folder = RunDir(run)
    with folder.lock():
        answers = Pipeline(folder, settings, common.progress()).ask(question, max_tokens)
    if as_json:
        common.echo_json({"question": question, **answers})
        return
    for arm, text in answers.items():
        click.echo(f"{arm:<10}{text or '(nothing)'}")
    if not answers["augmented"] and question.rstrip().endswith("?"):
        click.echo('hint: give the beginning of a statement instead, such as "The owner of the mill is"', err=True)
