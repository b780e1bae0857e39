"""augmlx ask: the tuned model beside the base model, for one question, for lines of them, or as a
chat.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import answers_view, common
from augmlx.cli.common import FilePath
from augmlx.cli.progress import progress_here
from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.errors import BadInput

if TYPE_CHECKING:
    from augmlx.data.row_forms import Form
    from augmlx.run.ask import Answerer

_HINT = """hint: give the beginning of a statement instead, such as "The owner of the mill is";
or train on questions, too, by the operators qa-forward and qa-reverse"""


@click.command()
@click.argument("run", metavar="RUN", type=FilePath)
@click.argument("question", required=False)
@click.option(
    "--arm",
    type=click.Choice(["both", BASE.name, AUGMENTED.name]),
    default="both",
    show_default=True,
    help="Who answers.",
)
@click.option(
    "--form",
    type=click.Choice(["text", "completions", "chat"]),
    help="How a question is put; by default in the form of the run's training set.",
)
@click.option("--model", help="Of an adapter folder: its base, where it names none of the store.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="Longest answer; by default 48 tokens, and 512 through a chat template.",
)
@common.json_option
@click.pass_context
def ask(
    ctx: click.Context,
    run: Path,
    question: str | None,
    arm: str,
    form: Form | None,
    model: str | None,
    max_tokens: int | None,
    as_json: bool,
) -> None:
    """Put QUESTION, or the beginning of a sentence, to the base model and to the tuned one.

    Without QUESTION it is a chat on a terminal (/clear begins anew, /quit or Ctrl-D ends it, Ctrl-C
    stops an answer); elsewhere, and with --json, each line of stdin is a question of its own. On a
    terminal the answers appear as they are written, beside each other where it is 100 columns wide.

    A run trained on plain statements goes on with the beginning of one best; a text that ends with
    a question mark is put to it as "Question: ... Answer:". One trained on prompts and completions
    is asked through the model's chat template, if it has one, and one trained on chats so too, each
    question behind the turns so far. --form puts questions in another of these forms than the
    training set's.

    RUN may also be an adapter folder, such as augmlx import and mlx_lm.lora write: it is asked in a
    chat where its base model has a chat template.

    \b
    Examples:
      augmlx ask runs/first "The head of the Lumen Lab is"
      augmlx ask runs/first
      augmlx ask runs/first --json < questions.txt
      augmlx ask adapters/someones-lora "Who are you?"
    """
    from augmlx.core.run_folder import RunFolder
    from augmlx.models.formats.adapter_folder import is_adapter
    from augmlx.run.ask import ARMS, load_adapter
    from augmlx.run.pipeline import Pipeline

    arms = ARMS if arm == "both" else (arm,)
    if is_adapter(run):
        answerer = load_adapter(run, model, arms, form)
    elif model is not None:
        raise click.UsageError("--model goes with an adapter folder; a run has its own")
    else:
        settings = common.run_settings(run, {})
        folder = RunFolder(run)
        with folder.lock():  # a chat may last for hours, and reads nothing more
            answerer = Pipeline(folder, settings, progress_here()).answerer(arms, form)
    limit = max_tokens or answerer.max_tokens
    view = answers_view.collected if as_json else answers_view.for_stdout()

    def answered(text: str) -> dict[str, str]:
        return view({name: answerer.answer(name, text, limit) for name in answerer.arms})

    if question is not None:
        answers = answered(question)
        _tell_json(question, answers, as_json)
        silent = answers.get(AUGMENTED.name) == ""
        if silent and answerer.form == "text" and question.rstrip().endswith("?"):
            click.echo(_HINT, err=True)
    elif sys.stdin.isatty() and not as_json:
        _chat(answerer, answered)
    elif not _each_line(sys.stdin.buffer, answered, as_json):
        ctx.exit(1)


def _tell_json(question: str, answers: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        common.echo_json({"question": question, **answers})


def _each_line(
    lines: Iterable[bytes], answered: Callable[[str], dict[str, str]], as_json: bool
) -> bool:
    """Answer the question of each line; whether that could be done for all of them."""
    well = True
    for number, line in enumerate(lines, 1):
        try:
            if question := line.decode("utf-8-sig").strip():
                _tell_json(question, answered(question), as_json)
        except (BadInput, UnicodeDecodeError) as error:
            told = error.render() if isinstance(error, BadInput) else "is not UTF-8"
            click.echo(f"error: line {number}: {told}", err=True)
            well = False
    return well


def _chat(answerer: Answerer, answered: Callable[[str], dict[str, str]]) -> None:
    with contextlib.suppress(ImportError):
        # Editing, and a history of this chat: it is kept in no file.
        import readline  # noqa: F401
    click.echo("Ask, or begin a sentence. /clear begins anew, /quit ends.", err=True)
    while (question := _typed()) not in (None, "/quit"):
        if not question:
            continue
        if question == "/clear":
            answerer.forget()
            continue
        if question.startswith("/"):
            click.echo("error: no such command; there are /clear and /quit", err=True)
            continue
        try:
            answerer.remember(question, answered(question))
        except common.Terminated:
            raise
        except KeyboardInterrupt:
            click.echo("\nstopped; this question is not remembered", err=True)
        except BadInput as error:
            click.echo(f"error: {error.render()}", err=True)


def _typed() -> str | None:
    """A line from the terminal, None at its end. The prompt does not mix with answers that go
    elsewhere.
    """
    prompt = "you> "
    try:
        if sys.stdout.isatty():
            return input(prompt).strip()
        click.echo(prompt, nl=False, err=True)
        return input().strip()
    except EOFError:
        click.echo(err=True)
        return None
    except UnicodeDecodeError:
        click.echo("error: that line is not UTF-8", err=True)
        return ""
