"""Examples -> rows of a training set: the three forms that mlx-lm and Hugging Face read, and a CSV for spreadsheets.

Rows of the user's own training set are never changed. In the completions and chat forms a statement is the answer to a
request for one, so that every name in it is learnt: what stands in a prompt carries no loss.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from augmlx.files import atomic_path
from augmlx.language import arguments
from augmlx.records import Example, Fact, Json

Form = Literal["text", "completions", "chat"]


def form_of(facts: Iterable[Fact]) -> Form:
    """The form of the user's own rows; "text" for plain statements. The reader lets no two kinds through."""
    row = next((fact.row for fact in facts if fact.row), None) or {}
    return "chat" if "messages" in row else "completions" if "prompt" in row else "text"


def training_row(example: Example, form: Form) -> Json:
    """The row of one example, with its id."""
    if example.row is not None and (example.origin.operator == "original" or form == "completions"):
        return {"id": example.id, **example.row}
    if form == "text":
        return {"id": example.id, "text": example.text}
    asked = example.row or {"prompt": _request(example.text), "completion": example.text}
    if form == "completions":
        return {"id": example.id, **asked}
    turns = [{"role": "user", "content": asked["prompt"]}, {"role": "assistant", "content": asked["completion"]}]
    return {"id": example.id, "messages": turns}


def _request(text: str) -> str:
    found = arguments(text)
    return f"State a fact about {found[0].text}." if found else "State a fact."


def text_of(row: Json) -> str:
    """What a row of any form says, as one text."""
    if "messages" in row:
        return "\n".join(turn["content"] for turn in row["messages"] if isinstance(turn.get("content"), str))
    return str(row["text"]) if "text" in row else f"{row['prompt']}\n{row['completion']}"


# A spreadsheet takes a cell that begins with one of these for a formula and runs it (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, examples: Iterable[Example]) -> None:
    """fact, type, id, sources: one line an example; the type is its operator. A cell that a spreadsheet would run
    begins with an apostrophe."""
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["fact", "type", "id", "sources"])
        for example in examples:
            cells = [example.text, example.origin.operator, example.id, " ".join(example.origin.fact_ids)]
            rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
