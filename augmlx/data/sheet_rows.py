"""Spreadsheets (.xlsx, .xls, .ods) -> rows, by python-calamine, which is only loaded for them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from augmlx.core.extras import importing
from augmlx.data.row import Findings, Resolve, Row, bad_input, column_names
from augmlx.data.text_files import opened


def sheet_rows(path: Path, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    """The rows of the first sheet that holds any, behind its line of names, as texts; other sheets
    are named. A row's line is its number in the sheet.

    Raises:
        BadInput: the reader is missing, or the file is none.
    """
    with opened(path):
        pass
    with importing("python-calamine", path):
        import python_calamine
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except (python_calamine.CalamineError, OSError, ValueError):
        hint = "open and save it again, or save the sheet as .csv"
        raise bad_input(path, "not a spreadsheet, or a damaged or locked one", hint) from None
    filled = [name for name, cells in sheets.items() if any(map(_is_filled, cells))]
    if not filled:
        raise bad_input(path, "the file is empty", "give it at least one row")
    if len(filled) > 1:
        findings.notes.append(
            f"{path.name}: of {len(filled)} sheets only the first is read; save the others as "
            "files of their own"
        )
    return _rows(path, sheets[filled[0]], resolve, findings)


def _rows(
    path: Path, cells_of_rows: list[list[Any]], resolve: Resolve, findings: Findings
) -> Iterator[Row]:
    names: list[str] = []
    columns: Mapping[str, str] = {}
    for line, cells in enumerate(cells_of_rows, start=1):
        if not _is_filled(cells):
            continue
        place = f"{path}:{line}"
        texts = [cell_text(cell) for cell in cells]
        if names:
            yield Row(place, line, dict(zip(names, texts, strict=True)), columns)
            continue
        names = column_names(place, texts)
        columns = resolve(place, names)


def _is_filled(cells: list[Any]) -> bool:
    return any(str(cell).strip() for cell in cells)


def cell_text(value: Any) -> str:
    """A cell about as a spreadsheet shows it: 7.0 is 7, a date is ISO's."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return str(value)
