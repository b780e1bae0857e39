"""What training would refuse of the user's rows, found before anything is generated: all of it,
each with its line in the user's file.
"""

from __future__ import annotations

from typing import Any

from augmlx.core.counting import counted
from augmlx.core.errors import AugmlxError, BadInput
from augmlx.core.records import Fact, original
from augmlx.data import row_forms
from augmlx.data.row import Findings
from augmlx.models import loading
from augmlx.run.line import Line

_TURNS = "correct these rows, or use a model whose chat template takes them (augmlx models)"


def refuse_what_does_not_fit(line: Line) -> None:
    """Put every original to the model's tokenizer and chat template, as training will.

    Says what is changed: where a template has no place for the system's message; and that the
    tokenizer has no token that ends a text.

    Raises:
        BadInput: with path:line of each row that is too long or that the template does not take.
    """
    tokenizer = loading.tokenizer_of(line.model)
    if tokenizer.eos_token_id is None:
        line.progress.say(
            f"{line.model.name}: its tokenizer names no token that ends a text, so the model would "
            'never learn to stop; name one in its tokenizer_config.json ("eos_token"), or use '
            "another model"
        )
    findings = Findings()
    folded = 0
    for fact in line.facts:
        try:
            folded += _checked(fact, tokenizer, line)
        except BadInput as error:
            findings.add(error)
    findings.refuse()
    if folded:
        have = "has" if folded == 1 else "have"
        line.progress.say(
            f"{counted(folded, 'row')} {have} a message of the system, for which "
            f"{line.model.name}'s chat template has no place: it is put before the user's first "
            "message"
        )


def _checked(fact: Fact, tokenizer: Any, line: Line) -> bool:
    """Whether the row of a fact is trained on with its system's message folded into the user's.
    Raises BadInput with the fact's line.
    """
    from augmlx.training import encoding
    from augmlx.training.chats import Chat

    try:
        for row in row_forms.training_rows(original(fact), line.form):
            encoding.rows_of(row, tokenizer, line.settings.train)
            messages = row.get("messages", [])
            if fact.row and messages and messages[0]["role"] in ("system", "developer"):
                return Chat(row["id"], messages, row.get("tools"), tokenizer).folded
    except AugmlxError as error:
        fault = error.message.removeprefix(f"example {original(fact).id}: ")
        raise BadInput(f"{fact.source}: {fault}", hint=_hint(error, fact)) from error
    return False


def _hint(error: AugmlxError, fact: Fact) -> str | None:
    if "train.max_length" in error.message:
        return (
            "raise train.max_length, or shorten the fact; plain texts can be split: "
            "train.too_long = split"
        )
    return _TURNS if fact.row and "template" in error.message else error.hint
