"""Examples -> rows of a training set: the three forms that mlx-lm and Hugging Face read, and a CSV
for spreadsheets.

Rows of the user's own training set are never changed. In the completions and chat forms a statement
is the answer to a request for one, so that every name in it is learnt: what stands in a prompt
carries no loss.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from augmlx.core.errors import BadSettings
from augmlx.core.files import atomic_path
from augmlx.core.records import Example, Fact, Json
from augmlx.english.sentence import arguments

Form = Literal["text", "completions", "chat"]


_FIELDS = {
    "text": "text",
    "completions": "prompt",
    "chat": "messages",
}  # what tells a row of each form


def form_of(facts: Iterable[Fact], wanted: Form | Literal["auto"] = "auto") -> Form:
    """The form of the user's own rows, and for plain statements the one that is wanted, by default
    "text". The reader lets no two kinds through. Raises BadSettings where their rows would have to
    be changed.
    """
    row = next((fact.row for fact in facts if fact.row), None)
    if row is None:
        return "text" if wanted == "auto" else wanted
    own: Form = "chat" if "messages" in row else "completions"
    if wanted not in ("auto", own):
        fault = f"split.form: is {wanted}, but the facts' file is a training set of the form {own}"
        raise BadSettings(
            fault, hint="its rows are trained on as they are: leave split.form at auto"
        )
    return own


def training_row(example: Example, form: Form) -> Json:
    """The row of one example, with its id: its own row where that has this form."""
    row = example.row or {}
    if _FIELDS[form] in row:
        return {"id": example.id, **row}
    if form == "text":
        return {"id": example.id, "text": example.text}
    # A chat of several turns, as replay may bring one, is no single prompt and completion: its
    # statement stands in.
    asked = (
        row if "prompt" in row else {"prompt": _request(example.text), "completion": example.text}
    )
    if form == "completions":
        return {"id": example.id, **asked}
    turns = [
        {"role": "user", "content": asked["prompt"]},
        {"role": "assistant", "content": asked["completion"]},
    ]
    return {
        "id": example.id,
        "messages": turns,
        **{name: asked[name] for name in ("tools",) if name in asked},
    }


def _request(text: str) -> str:
    found = arguments(text)
    return f"State a fact about {found[0].text}." if found else "State a fact."


def text_of(row: Mapping[str, Any]) -> str:
    """What a row of any form says, as one text."""
    if "messages" in row:
        return "\n".join(
            turn["content"] for turn in row["messages"] if isinstance(turn.get("content"), str)
        )
    return str(row["text"]) if "text" in row else f"{row['prompt']}\n{row['completion']}"


# A spreadsheet takes a cell that begins with one of these for a formula and runs it (OWASP, "CSV
# injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, examples: Iterable[Example]) -> None:
    """fact, type, id, sources: one line an example; the type is its operator. A cell that a
    spreadsheet would run begins with an apostrophe.
    """
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["fact", "type", "id", "sources"])
        for example in examples:
            cells = [
                example.text,
                example.origin.operator,
                example.id,
                " ".join(example.origin.fact_ids),
            ]
            rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
