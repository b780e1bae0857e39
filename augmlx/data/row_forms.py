"""Examples -> rows of a training set: in one of the three forms that mlx-lm and Hugging Face read,
or "mixed".

Rows of the user's own training set are never changed. In the completions and chat forms a statement
is the answer to a request for one, so that every name in it is learnt: what stands in a prompt
carries no loss. Mixed, for a model that people talk to, a statement is a text, and a question with
its answer a few chats.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Literal

from augmlx.core.errors import BadSettings
from augmlx.core.example_id import ORIGINAL, piece
from augmlx.core.records import Example, Fact, Json
from augmlx.data.wordings import chats, statements
from augmlx.english.prompts import begins_with_question
from augmlx.english.sentence import arguments

PlainForm = Literal["text", "completions", "chat"]  # one that all rows of a file have
Form = Literal[PlainForm, "mixed"]
# The field that tells a row of each form.
_FIELDS: Mapping[PlainForm, str] = {"text": "text", "completions": "prompt", "chat": "messages"}
_FORMS_OF_FIELDS: Mapping[str, PlainForm] = {field: form for form, field in _FIELDS.items()}
# Of rows of several forms, the first that holds them all: a prompt with its completion is a chat.
_PREFERENCE: Sequence[PlainForm] = ("chat", "completions", "text")


def form_of(
    facts: Iterable[Fact], wanted: Form | Literal["auto"] = "auto", *, talks: bool = False
) -> Form:
    """The form that the rows of a run are written in.

    Args:
        facts: all of one kind, as the reader lets through.
        wanted: the form for plain statements, by default "text", and "mixed" for a model that
            `talks`: one with a chat template.

    Returns:
        The form of the user's own rows where the facts were read from any, else the wanted one.

    Raises:
        BadSettings: the user's rows would have to be changed.
    """
    fields = {field for fact in facts for field in fact.row or () if field in _FORMS_OF_FIELDS}
    if not fields:
        own_choice: Form = "mixed" if talks else "text"
        return own_choice if wanted == "auto" else wanted
    own: Form = min((_FORMS_OF_FIELDS[field] for field in fields), key=_PREFERENCE.index)
    if own == "text" and (wanted == "mixed" or (wanted == "auto" and talks)):
        return "mixed"
    if wanted not in ("auto", own):
        fault = f"split.form: is {wanted}, but the facts' file is a training set of the form {own}"
        hint = "its rows are trained on as they are: leave split.form at auto"
        raise BadSettings(fault, hint=hint)
    return own


def training_rows(
    example: Example, form: Form, in_english: Container[tuple[str, ...]] = ()
) -> list[Json]:
    """The rows of one example. Mixed, a question has two ("x#1"), and so has a reversal: as it is;
    and in another wording, which is another one in each epoch, where `wordings` holds the others. A
    fact has one row, whose wordings take turns with it.

    Args:
        in_english: ids of the facts that are known to be in English; no other statement has
            wordings.
    """
    if form != "mixed":
        return [training_row(example, form)]
    row = example.row or {}
    if "prompt" in row:
        plain, others = chats(str(row["prompt"]), str(row["completion"]))
        return _in_two(example.id, "messages", plain, others)
    said = statements(example.text) if not row and example.origin.fact_ids in in_english else []
    if said and example.origin.operator == "reversal":
        return _in_two(example.id, "text", example.text, said)
    if said and example.origin.operator == ORIGINAL:
        return [{"id": example.id, "text": example.text, "wordings": said}]
    return [{"id": example.id, **(row or {"text": example.text})}]


def _in_two(example_id: str, field: str, plain: object, others: Sequence[object]) -> list[Json]:
    other: Json = {"id": piece(example_id, 2), field: others[0], "wordings": others[1:]}
    return [{"id": piece(example_id, 1), field: plain}, other]


def training_row(example: Example, form: PlainForm) -> Json:
    """The row of one example, with its id: its own row where that has this form."""
    own_row = example.row or {}
    if _FIELDS[form] in own_row:
        return {"id": example.id, **own_row}
    if form == "text":
        return {"id": example.id, "text": example.text}
    # A chat of several turns, as replay may bring one, is no single prompt and completion: its
    # statement stands in.
    completion_row = own_row if "prompt" in own_row else _stated(example.text)
    if form == "completions":
        return {"id": example.id, **completion_row}
    return {"id": example.id, **_chat_row(completion_row)}


def _stated(text: str) -> Json:
    """A statement as the answer to a request for one."""
    mentions = arguments(text)
    about = f" about {mentions[0].text}" if mentions else ""
    return {"prompt": f"State a fact{about}.", "completion": text}


def _chat_row(completion_row: Mapping[str, Any]) -> Json:
    messages = [
        {"role": "user", "content": completion_row["prompt"]},
        {"role": "assistant", "content": completion_row["completion"]},
    ]
    chat_row: Json = {"messages": messages}
    if "tools" in completion_row:
        chat_row["tools"] = completion_row["tools"]
    return chat_row


def asks(row: Mapping[str, Any]) -> bool:
    """Whether a training row is a reply to something, or a text of a question and its answer."""
    return "text" not in row or begins_with_question(row["text"])


def text_of(row: Mapping[str, Any]) -> str:
    """What a row of any form says, as one text."""
    if "messages" in row:
        contents = [message.get("content") for message in row["messages"]]
        return "\n".join(content for content in contents if isinstance(content, str))
    if "text" in row:
        return str(row["text"])
    return f"{row['prompt']}\n{row['completion']}"
