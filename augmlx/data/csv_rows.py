"""CSV and TSV files -> rows, with the line that each starts on; a cell may hold several lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from augmlx.data.row import Resolve, Row, bad_input, column_names
from augmlx.data.text_files import lines_of

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


def csv_rows(path: Path, content: str, delimiter: str, resolve: Resolve) -> Iterator[Row]:
    """The rows of a table that are not blank, behind its header.

    Raises:
        BadInput: with path:line, where a quote is not closed, or a row is longer or shorter than
            the header.
    """
    header: list[str] = []
    columns: Mapping[str, str] = {}
    for line, cells in _cells_of(path, content, delimiter):
        place = f"{path}:{line}"
        if not header:
            header = column_names(place, cells)
            columns = resolve(place, header)
            continue
        if len(cells) != len(header):
            fault = f"cells in the row: {len(cells)}, columns in the header: {len(header)}"
            raise bad_input(place, fault, _length_hint(len(cells) > len(header), delimiter))
        yield Row(place, line, dict(zip(header, cells, strict=True)), columns)


def _length_hint(is_longer: bool, delimiter: str) -> str:
    if not is_longer:
        return "fill the row up; a cell of several lines must stand in double quotes"
    name = _NAMES[delimiter]
    return f'a cell that holds a {name} must stand in double quotes: "..."'


def _cells_of(path: Path, content: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where the row starts, cells) of every row that is not blank."""
    row_lines: list[str] = []  # the lines of the row that is being read

    def lines() -> Iterator[str]:
        for _, text in lines_of(content):
            row_lines.append(text)
            yield text

    # Strict, or an unclosed quote would swallow the rest of the file without a word. Spaces after a
    # delimiter are skipped, or the quotes of `1, "Smith, Anna"` would be read as part of the text.
    reader = csv.reader(lines(), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    while True:
        # The csv module's limit is global and 128 KiB; longer cells are legal in columns that are
        # not read.
        limit = csv.field_size_limit(len(content) + 1)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            place = f"{path}:{line + _last_opened_quote(row_lines, delimiter)}"
            fault = "a cell opens with a double quote but does not end with one"
            hint = 'close the quote; inside a quoted cell write "" for "'
            raise bad_input(place, fault, hint) from None
        finally:
            csv.field_size_limit(limit)
        if any(cell.strip() for cell in cells):
            yield line, cells
        line += len(row_lines)
        row_lines.clear()


def _last_opened_quote(row_lines: Sequence[str], delimiter: str) -> int:
    """The index of the line of a faulty row in which its last quoted cell opens."""
    opened, state = 0, "start"
    for index, text in enumerate(row_lines):
        for char in text:
            if state == "quoted":
                state = "closed" if char == '"' else "quoted"
            elif char == '"' and state != "plain":
                if state == "start":  # a doubled quote closes and opens the same cell
                    opened = index
                state = "quoted"
            elif char == delimiter:
                state = "start"
            elif char != " " or state == "closed":
                state = "plain"
    return opened
