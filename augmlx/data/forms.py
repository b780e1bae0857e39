"""The forms that rows of facts and of training sets come in, each told by the names of its columns.

A form of a training set is read by `own_rows.py`; what it is trained on as is one of mlx-lm's
three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from augmlx.data.row import Row


@dataclass(frozen=True, slots=True, eq=False)
class RowForm:
    """One form, the same only as itself.

    Args:
        about: one row of it, in messages: "a prompt and a completion".
        row: one, in notes: "chat row".
        origin: whose form it is, in notes, where it has a name: "ShareGPT".
        required: the columns that tell it: name as people write it -> our field.
        optional: the columns that are read besides.
        hides: a column of another form that goes along with this one and is not read.
    """

    about: str
    row: str
    required: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)
    hides: tuple[str, ...] = ()
    origin: str = ""

    @property
    def names(self) -> dict[str, str]:
        """All its columns: name as people write it -> our field."""
        return {**self.required, **self.optional}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


FACT = RowForm("a fact", "fact", {"fact": "fact"})
# A text is a fact as well; what of it is more than one plain line is trained on as it is.
TEXT = RowForm("a fact", "text row", {"text": "fact"}, origin="mlx-lm")
_BESIDE = _same("system", "tools")
COMPLETION = RowForm(
    "a prompt and a completion",
    "prompt and completion row",
    _same("prompt", "completion"),
    _BESIDE,
    origin="mlx-lm",
)
RESPONSE = RowForm(
    "a prompt and a response",
    "prompt and response row",
    {"prompt": "prompt", "response": "completion"},
    _BESIDE,
)
QUESTION = RowForm(
    "a question and an answer",
    "question and answer row",
    {"question": "prompt", "answer": "completion"},
    _same("system"),
)
ALPACA = RowForm(
    "an instruction and its output",
    "instruction row",
    _same("instruction", "output"),
    _same("input", "system", "history"),
    hides=("text",),
    origin="Alpaca",
)
DOLLY = RowForm(
    "an instruction and its response",
    "instruction row",
    {"instruction": "instruction", "response": "output"},
    {"context": "input", "system": "system"},
    hides=("text",),
    origin="Dolly",
)
CHAT = RowForm("the messages of a chat", "chat row", _same("messages"), _BESIDE, origin="mlx-lm")
SHAREGPT = RowForm(
    "the conversations of a chat",
    "chat row",
    {"conversations": "conversations"},
    _BESIDE,
    origin="ShareGPT",
)
_FORMS = (FACT, TEXT, COMPLETION, RESPONSE, QUESTION, ALPACA, DOLLY, CHAT, SHAREGPT)
# Forms that are known and cannot be trained on: the columns that tell one -> what to do.
FOREIGN: Mapping[tuple[str, ...], str] = {
    ("chosen", "rejected"): "a set of preferences: a LoRA of facts is trained on answers, not on "
    "pairs; write the chosen ones as messages, or as prompt and completion",
    ("prompt", "answer", "kind"): "a file of questions for the evaluation: give it to --questions; "
    "to train on them name the columns prompt and completion",
    ("prompt", "answer"): "name the columns prompt and completion to train on them; questions for "
    "the evaluation are given to --questions",
    ("input", "output"): "name the columns prompt and completion",
    ("query", "response"): "name the columns prompt and completion",
    (
        "segments",
    ): "segments with labels of their own are not read: write messages with a weight of 0 or 1",
    ("input_ids",): "tokens of another program: give the texts that they were made from",
    ("dialogue",): "name the column messages, each with role and content",
    ("conversation",): "name the column messages (role and content) or conversations (from and "
    "value)",
}


def forms_of(columns: Iterable[str]) -> list[RowForm]:
    """The forms whose columns are all there, by their folded names."""
    present = set(columns)
    forms = [form for form in _FORMS if present.issuperset(form.required)]
    hidden = {name for form in forms for name in form.hides}
    return [form for form in forms if hidden.isdisjoint(form.required)]


def form_of_row(row: Row) -> RowForm:
    """The form that a row with these columns is of."""
    fields = {field: name.strip().casefold() for field, name in row.columns.items()}
    for form in _FORMS:
        if all(fields.get(own) == name for name, own in form.required.items()):
            return form
    return FACT  # the column that the user has named
