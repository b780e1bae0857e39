"""Rows of CSV, TSV and JSON-lines files: the one reader of all table formats, with path:line for every row."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonlines

from augmlx.errors import BadInput, storage_errors
from augmlx.records import Json

_MAX_DEPTH = 64  # of nested JSON; what is deeper cannot be copied or written back without a recursion error
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")

Resolve = Callable[[str, Sequence[str]], Mapping[str, str]]  # (place, names found) -> our field -> name in the file


@dataclass(frozen=True, slots=True)
class Row:
    place: str  # "path:line", for errors
    line: int  # where the row starts
    cells: Json  # untouched
    columns: Mapping[str, str]

    def value(self, field: str) -> Any:
        return self.cells.get(self.columns[field]) if field in self.columns else None


def bad_input(place: Path | str, fault: str, hint: str) -> BadInput:
    return BadInput(f"{place}: {fault}", hint=hint)


# Columns


def folded(name: str) -> str:
    return name.strip().casefold()


def read_rows(path: Path, resolve: Resolve) -> Iterator[Row]:
    """The rows of a file that are not blank. Raises BadInput and StorageError; there is at least one row."""
    suffix, content = path.suffix.lower(), _content(path)
    if suffix in _DELIMITERS:
        rows = _csv_rows(path, content, _DELIMITERS[suffix], resolve)
    else:
        rows = _json_rows(path, content, resolve)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        yield row
    if not count:
        raise bad_input(path, "only a header, no rows", "add at least one row")


def _content(path: Path) -> str:
    """The text of a UTF-8 file of a kind that is supported, without its byte order mark."""
    with storage_errors(path):
        try:
            with path.open("rb") as file:
                if path.suffix.lower() not in (*_DELIMITERS, *_JSON_LINES):
                    hint = "use .csv, .tsv, .jsonl or .ndjson; .txt, .md and .parquet are not supported yet"
                    raise bad_input(path, f"a file of the kind '{path.suffix}' is not supported", hint)
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise bad_input(path, "no such file", "check the path") from None
        except IsADirectoryError:
            raise bad_input(path, "a folder, not a file", "name a file in it") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise bad_input(f"{path}:1", "the file is UTF-16", "save it as UTF-8 (in Excel: CSV UTF-8)")
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        hint = "save the file as UTF-8 text; this may be UTF-16, or no text at all"
        raise bad_input(f"{path}:{_line_at(data, data.index(0))}", "a NUL byte", hint)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8 (in Excel: CSV UTF-8)"
        raise bad_input(f"{path}:{_line_at(data, error.start)}", "not UTF-8", hint) from None
    if not text.strip():
        raise bad_input(path, "the file is empty", "give it at least one row")
    return text


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def _json_rows(path: Path, content: str, resolve: Resolve) -> Iterator[Row]:
    # Not splitlines(): a JSON string may hold U+2028 and its like as they are.
    numbered = [(n, text) for n, text in enumerate(content.split("\n"), start=1) if text.strip()]
    reader = jsonlines.Reader((text for _, text in numbered), loads=_loads)
    for line, _ in numbered:
        place = f"{path}:{line}"
        try:
            value = reader.read(allow_none=True)
        except jsonlines.InvalidLineError as error:
            cause = error.__cause__  # the error itself quotes the line, so it is not passed on
            at = f" at column {cause.colno}" if isinstance(cause, json.JSONDecodeError) else f": {cause}"
            hint = "write one whole JSON object on each line; the line may be cut off"
            raise bad_input(place, f"not valid JSON{at}", hint) from None
        if not isinstance(value, dict):
            hint = 'write one object on each line, such as {"fact": "..."}'
            raise bad_input(place, f"{json_kind(value)}, not a JSON object", hint)
        yield Row(place, line, value, resolve(place, list(value)))


def _loads(text: str | bytes) -> Any:
    """A JSON value that can be copied and written back. Raises ValueError, without a word of the text."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
        depth = _depth(value)
    except RecursionError:
        depth = _MAX_DEPTH + 1
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("an escape is half of a surrogate pair (U+D800 to U+DFFF)") from None
    except ValueError:
        raise ValueError("NaN or an infinite number") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def json_kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _csv_rows(path: Path, content: str, delimiter: str, resolve: Resolve) -> Iterator[Row]:
    header: list[str] = []
    columns: Mapping[str, str] = {}
    for line, cells in _csv_cells(path, content, delimiter):
        place = f"{path}:{line}"
        if not header:
            header = _header(place, cells)
            columns = resolve(place, header)
            continue
        if len(cells) != len(header):
            name = "tab" if delimiter == "\t" else "comma"
            many = f'a cell that holds a {name} must stand in double quotes: "..."'
            few = "fill the row up; a cell of several lines must stand in double quotes"
            fault = f"cells in the row: {len(cells)}, columns in the header: {len(header)}"
            raise bad_input(place, fault, many if len(cells) > len(header) else few)
        yield Row(place, line, dict(zip(header, cells, strict=True)), columns)


def _header(place: str, cells: list[str]) -> list[str]:
    # Spreadsheets leave columns without a name at the end, pandas leaves one at the beginning.
    names = [name.strip() or f"column {n}" for n, name in enumerate(cells, start=1)]
    alike = [folded(name) for name in names]
    for n, name in enumerate(alike):
        if name in alike[:n]:
            fault = f"columns {alike.index(name) + 1} and {n + 1} have the same name"
            raise bad_input(place, fault, "rename one of them (the first line holds the names)")
    return names


def _csv_cells(path: Path, content: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where the row starts, cells) of every row that is not blank."""
    lines = list(io.StringIO(content, newline=""))
    # Strict, or an unclosed quote would swallow the rest of the file without a word. Spaces after a delimiter are
    # skipped, or the quotes of `1, "Smith, Anna"` would be read as part of the text.
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    rows, line = [], 1
    # The csv module's limit is global and 128 KiB; longer cells are legal in columns that are not read.
    limit = csv.field_size_limit(len(content) + 1)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error:
        opened = line + _last_opened_quote(lines[line - 1 : reader.line_num], delimiter)
        hint = 'close the quote; inside a quoted cell write "" for "'
        raise bad_input(
            f"{path}:{opened}", "a cell opens with a double quote but does not end with one", hint
        ) from None
    finally:
        csv.field_size_limit(limit)
    return rows


def _last_opened_quote(row: Sequence[str], delimiter: str) -> int:
    """The index of the line of a faulty row in which its last quoted cell opens."""
    opened, state = 0, "start"
    for index, text in enumerate(row):
        for char in text:
            if state == "quoted":
                state = "closed" if char == '"' else "quoted"
            elif char == '"' and state != "plain":
                opened = index if state == "start" else opened  # a doubled quote closes and opens the same cell
                state = "quoted"
            elif char == delimiter:
                state = "start"
            elif char != " " or state == "closed":
                state = "plain"
    return opened
