"""CSV and TSV files -> rows, with the line that each starts on; a cell may hold several lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from augmlx.core.errors import BadInput
from augmlx.data.row import Findings, Resolve, Row, bad_input, column_names
from augmlx.data.text_files import lines_of
from augmlx.english.text import FINISHED

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# How a spreadsheet says what separates the columns, in a line of its own before all others.
_SAID = re.compile(r"\s*\"?sep=(\\t|[,;|\t])", re.IGNORECASE)
_ONLY = "fact"  # the only column of a table without a header


def delimiter_of(path: Path, content: str, usual: str, resolve: Resolve) -> str:
    """What separates the columns: what a first line "sep=;" says, else what makes the line of names
    one that is read, else the usual.
    """
    first = next(text for _, text in lines_of(content) if text.strip())
    if said := _SAID.match(first):
        return said[1].replace("\\t", "\t")
    for delimiter in dict.fromkeys((usual, *_NAMES)):
        with suppress(BadInput, csv.Error, StopIteration):
            names = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True))
            resolve(f"{path}:1", column_names(f"{path}:1", names))
            return delimiter
    return usual


def csv_rows(
    path: Path, content: str, delimiter: str, resolve: Resolve, findings: Findings
) -> Iterator[Row]:
    """The rows of a table that are not blank, behind its header. One of a single column whose first
    line is a sentence has no header.

    What is wrong with a row is added to the findings: it is longer or shorter than the header.

    Raises:
        BadInput: with path:line, where a quote is not closed, or the header has no column that is
            read.
    """
    header: list[str] = []
    columns: Mapping[str, str] = {}
    for line, cells in _cells_of(path, content, delimiter):
        place = f"{path}:{line}"
        if not header:
            if line == 1 and _SAID.match(delimiter.join(cells)):
                continue
            header, columns = _header(place, cells, resolve)
            if not _is_sentence(cells):
                continue
            findings.notes.append(
                f"{path.name}: has no line of names; its only column is read as facts"
            )
        if len(cells) != len(header):
            fault = f"cells in the row: {len(cells)}, columns in the header: {len(header)}"
            hint = _length_hint(len(cells) > len(header), delimiter)
            findings.add(bad_input(place, fault, hint))
            continue
        yield Row(place, line, dict(zip(header, cells, strict=True)), columns)


def _header(
    place: str, cells: Sequence[str], resolve: Resolve
) -> tuple[list[str], Mapping[str, str]]:
    names = column_names(place, cells)
    if _is_sentence(cells):
        with suppress(BadInput):
            return [_ONLY], resolve(place, [_ONLY])
    return names, resolve(place, names)


def _is_sentence(cells: Sequence[str]) -> bool:
    """Whether what should be a header is one whole sentence."""
    return len(cells) == 1 and " " in cells[0].strip() and bool(FINISHED.search(cells[0].strip()))


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
        if "".join(cells).strip():
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
