"""An augmented.csv that was edited by hand -> its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.example_id import ORIGINAL
from augmlx.data.cells import required, text_of
from augmlx.data.columns import edited_columns
from augmlx.data.csv_rows import csv_rows, delimiter_of
from augmlx.data.row import Findings, Row, bad_input
from augmlx.data.spreadsheet import harmless, meant
from augmlx.data.text_files import read_text


@dataclass(frozen=True, slots=True)
class EditedRow:
    """One row of the file; `id` is empty where the user has added it.

    Args:
        place: "path:line", for messages.
        cell: the text as the file holds it, with its lines.
        type: the operator, or "original".
        sources: ids of facts, as the cell holds them.
    """

    place: str
    id: str
    cell: str
    type: str
    sources: str

    @property
    def text(self) -> str:
        """What is meant by the cell."""
        return meant(self.cell)

    def says(self, text: str) -> bool:
        """Whether the row says what was written into it, as spreadsheets change white space."""
        written = harmless(text).split()
        return self.cell.split() == written or self.text.split() == text.split()

    @property
    def is_original(self) -> bool:
        """Whether it is a fact."""
        return self.type == ORIGINAL or self.id.endswith(f"/{ORIGINAL}")


def read_edited(path: Path) -> list[EditedRow]:
    """The rows of an edited augmented.csv, as a spreadsheet saves it: with a byte order mark or
    without, with commas, semicolons or tabs.

    Raises:
        BadInput: with path:line: a column is missing, an id stands twice, a row has no text.
        StorageError: the file cannot be read.
    """
    content = read_text(path)
    return list(_rows(path, content))


def _rows(path: Path, content: str) -> Iterator[EditedRow]:
    lines_of_ids: dict[str, int] = {}
    findings = Findings()
    delimiter = delimiter_of(path, content, ",", edited_columns)
    for row in csv_rows(path, content, delimiter, edited_columns, findings):
        edited = EditedRow(
            place=row.place,
            id=meant(text_of(row, "id")),
            cell=required(row, "fact", lines=True),
            type=text_of(row, "type"),
            sources=meant(text_of(row, "sources")),
        )
        if edited.id:
            _claim(lines_of_ids, edited.id, row)
        yield edited
    findings.refuse()


def _claim(lines_of_ids: dict[str, int], row_id: str, row: Row) -> None:
    first = lines_of_ids.setdefault(row_id, row.line)
    if first != row.line:
        hint = "delete one of the two; a row that you add yourself has no id"
        raise bad_input(row.place, f"the id is already that of line {first}", hint)
