"""Spreadsheets (.xlsx, .xls, .ods) -> rows, by python-calamine, which is only loaded for them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from augmlx.core.extras import importing
from augmlx.data.row import Findings, Resolve, Row, bad_input, column_names
from augmlx.data.sheet_errors import cell_name, sheet_errors
from augmlx.data.text_files import opened

_FACT = "fact"  # the field whose errors are left out as those of a CSV are
_MENDING = "mend the formula, or delete the row"
_SHOWN = 12  # errors in a message


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The cells of a sheet, without the empty rows and columns before them.

    Args:
        name: of the sheet.
        cells: rows of cells.
        line: where the first of these rows stands, from 1.
        column: where their first cells stand, from 0.
    """

    name: str
    cells: Sequence[Sequence[Any]]
    line: int
    column: int


def sheet_rows(path: Path, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    """The rows of the first sheet that holds any, behind its line of names, as texts; other sheets
    are named. A row's line is its number in the sheet.

    An error of a formula is the fact that it stands for, as in a CSV, and noted; in another column
    that is read it is added to the findings.

    Raises:
        BadInput: the reader is missing, or the file is none.
    """
    with opened(path):
        pass
    with importing("python-calamine", path):
        import python_calamine
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = [_sheet(book.get_sheet_by_name(name)) for name in book.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError):
        hint = "open and save it again, or save the sheet as .csv"
        raise bad_input(path, "not a spreadsheet, or a damaged or locked one", hint) from None
    filled = [sheet for sheet in sheets if any(map(_is_filled, sheet.cells))]
    if not filled:
        raise bad_input(path, "the file is empty", "give it at least one row")
    if len(filled) > 1:
        findings.notes.append(
            f"{path.name}: of {len(filled)} sheets only the first is read; save the others as "
            "files of their own"
        )
    return _rows(path, filled[0], resolve, findings)


def _sheet(sheet: Any) -> _Sheet:
    line, column = sheet.start or (0, 0)
    return _Sheet(sheet.name, sheet.to_python(), line + 1, column)


def _rows(path: Path, sheet: _Sheet, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    names: list[str] = []
    columns: Mapping[str, str] = {}
    errors = _errors(path, sheet)
    errors_of_facts: list[str] = []
    for line, cells in enumerate(sheet.cells, start=sheet.line):
        failed = errors.get(line - 1, {})
        shown = [failed.get(n, cell) for n, cell in enumerate(cells, sheet.column)]
        if not _is_filled(shown):
            continue
        place = f"{path}:{line}"
        texts = [cell_text(cell) for cell in shown]
        if not names:
            names = column_names(place, texts)
            columns = resolve(place, names)
            continue
        named = {names[n - sheet.column]: (n, error) for n, error in failed.items()}
        told = {
            field: f"{named[name][1]} in {cell_name(line - 1, named[name][0])}"
            for field, name in columns.items()
            if name in named
        }
        of_fact = told.pop(_FACT, None)
        if told:
            fault = f"sheet '{sheet.name}': {', '.join(told.values())}, the error of a formula"
            findings.add(bad_input(place, fault, _MENDING))
            continue
        if of_fact:
            errors_of_facts.append(of_fact)
        yield Row(place, line, dict(zip(names, texts, strict=True)), columns)
    if errors_of_facts:
        first = ", ".join(errors_of_facts[:_SHOWN])
        more = f" and {len(errors_of_facts) - _SHOWN} more" * (len(errors_of_facts) > _SHOWN)
        findings.notes.append(f"{path.name}: sheet '{sheet.name}': {first}{more}: {_MENDING}")


def _errors(path: Path, sheet: _Sheet) -> dict[int, dict[int, str]]:
    """Row -> column -> the error that is shown there, both from 0."""
    is_doubtful = any(cell in ("", 0) for cell in chain.from_iterable(sheet.cells))
    errors: dict[int, dict[int, str]] = {}
    for (row, column), shown in (sheet_errors(path, sheet.name) if is_doubtful else {}).items():
        errors.setdefault(row, {})[column] = shown
    return errors


def _is_filled(cells: Sequence[Any]) -> bool:
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
