"""Examples -> a CSV that people open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from augmlx.core.files import atomic_path
from augmlx.core.records import Example

_HEADER = ("fact", "type", "id", "sources")
# A spreadsheet takes a cell that begins with one of these for a formula and runs it (OWASP, "CSV
# injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, examples: Iterable[Example]) -> None:
    """Write fact, type, id, sources: one line an example; the type is its operator.

    A cell that a spreadsheet would run begins with an apostrophe.

    Raises:
        StorageError: the file cannot be written.
    """
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for example in examples:
            origin = example.origin
            sources = " ".join(origin.fact_ids)
            cells = (example.text, origin.operator, example.id, sources)
            writer.writerow([harmless(cell) for cell in cells])


def harmless(cell: str) -> str:
    """A text as it stands in a cell that no spreadsheet runs."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def meant(cell: str) -> str:
    """The text that is meant by a cell of such a file."""
    text = cell.removeprefix("'")
    return text if text.startswith(_FORMULA) else cell
