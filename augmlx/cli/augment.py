"""augmlx augment: facts -> augmented.jsonl."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder

if TYPE_CHECKING:
    from augmlx.run.pipeline import Pipeline


@click.command()
@common.facts_options
@common.out_option
@common.questions_option
@click.option(
    "--edited",
    type=common.FilePath,
    metavar="FILE",
    help="The run's augmented.csv, edited by hand: rows that are gone are struck out, changed and "
    "added ones trained on. It stays in force; --edited none takes it back.",
)
@click.option(
    "--explain",
    metavar="ID",
    help="Tell the story of one example of the run, such as f0001/reversal/0.",
)
@common.json_option
def augment(
    given: common.FromFacts,
    out: Path,
    questions: Path | None,
    edited: Path | None,
    explain: str | None,
    as_json: bool,
) -> None:
    """Let the model write what follows from FACTS, and keep what passes the filters.

    FACTS is a CSV, TSV, JSONL or Parquet table with a column fact (or text) and perhaps id and
    group; plain text or Markdown (one fact a sentence); or a training set of prompt and completion,
    or of chat messages, whose rows are trained on as they are. Run it again to go on after an
    interruption. With --questions nothing is held out of training for a test. At its end it names
    the facts of which nothing was kept in some direction; all of them are in RUN/uncovered.jsonl.

    RUN/augmented.csv can be edited in a spreadsheet and given back with --edited: delete a row,
    change its text, or add one with fact, type and sources and no id. Facts are changed in FACTS.

    \b
    Example:
      augmlx augment facts.csv -o runs/first
      augmlx augment facts.csv -o runs/first --edited runs/first/augmented.csv
      augmlx augment -o runs/first --explain f0001/reversal/0
    """
    if explain is not None:
        others = [questions, edited, given.path if given.path != Path() else None]
        if given.has_options or any(other is not None for other in others):
            raise click.UsageError("--explain goes with -o RUN and --json alone")
        _explain(RunFolder(out), explain, as_json)
        return
    from augmlx.augment import coverage
    from augmlx.run.everything import counts_line, uncovered_lines

    with opened(given, out, questions, edited) as pipeline:
        counts = pipeline.augment()
        uncovered = coverage.as_json(coverage.read(pipeline.run))
        missing = uncovered_lines(pipeline)
    if as_json:
        common.echo_json({"run": str(out), **counts, "uncovered": uncovered})
    else:
        click.echo(counts_line(counts))
    for line in missing:
        click.echo(line, err=True)


@contextmanager
def opened(
    given: common.FromFacts, out: Path, questions: Path | None, edited: Path | None = None
) -> Iterator[Pipeline]:
    """A pipeline over a locked run folder, as the options of a command say."""
    from augmlx.run.opening import open_pipeline

    settings, folder = given.settings()
    with open_pipeline(
        out,
        given.path,
        questions=questions,
        settings=settings,
        progress=progress_here(),
        column=given.column,
        operators_folder=folder,
        writer=given.writer,
        edited=edited,
    ) as pipeline:
        yield pipeline


def _explain(run: RunFolder, name: str, as_json: bool) -> None:
    from augmlx.augment.edits import EDITED, USER
    from augmlx.augment.explain import story

    run.require()
    told = story(run, name)
    if as_json:
        common.echo_json(told)
        return
    outcome = "kept" if told["kept"] else f"rejected by {told['by']}: {told['why']}"
    place = f", in {told['trained_on']}.jsonl" if told["trained_on"] else ""
    click.echo(f"{name}: {outcome}{place}\n{told['text']}\n")
    for fact in told["facts"]:
        click.echo(f"from {fact['source']} ({fact['id']}): {fact['text']}")
    if told["engine"] == USER:
        click.echo("written by hand")
        return
    if told["engine"] == EDITED:
        click.echo("changed by hand; what the model wrote follows")
    if told["shown"]:
        click.echo(f"shown besides: {', '.join(told['shown'])}")
    sampling = ", ".join(f"{key} {value}" for key, value in told["sampling"].items())
    click.echo(f"\nprompt to {told['model'] or 'no model'} ({_way(told)}; {sampling}):")
    for line in _prompt(told):
        click.echo(line)
    click.echo(f"written ({told['tokens']} tokens, {told['finish']}): {told['completion'].strip()}")
    if told["removed"]:
        click.echo(f"taken off: {', '.join(told['removed'])}")
    for measure, value in told["scores"].items():
        click.echo(f"{measure}: {value:.2f}")
    click.echo("\nall samples:")
    for sample in told["samples"]:
        reason = "" if sample["kept"] else f"  ({sample['by']}: {sample['why']})"
        click.echo(
            f"  {'+' if sample['kept'] else '-'} {sample['sample']}  {sample['text']}{reason}"
        )


def _way(told: Json) -> str:
    """How the model was asked."""
    if told["turns"]:
        return "turns"
    return "chat" if told["chat"] else "raw"


def _prompt(told: Json) -> Iterator[str]:
    """The lines of what was asked; of a chat with turns, under who says them."""
    if not told["turns"]:
        yield from _quoted(told["prompt"])
        return
    said = [("system", told["system"])]
    message = told["prompt"].removesuffix(told["opening"]).rstrip()
    for turn in [*told["turns"], (message, told["opening"])]:
        said += zip(("user", "assistant"), turn, strict=True)
    for role, text in said:
        if text:
            yield f"  {role}:"
            yield from _quoted(text)


def _quoted(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"  | {line}"
