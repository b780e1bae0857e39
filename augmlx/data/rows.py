"""Rows of CSV, TSV, JSON-lines and Parquet files: the one reader of all table formats, with
path:line for every row.

Parquet has no lines: there the number is the row's, from 1.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import jsonlines

from augmlx.core.errors import BadInput, storage_errors
from augmlx.core.records import Json

_MAX_DEPTH = (
    64  # of nested JSON; what is deeper cannot be copied or written back without a recursion error
)
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = ".parquet"
_BATCH = 2000  # rows of Parquet that are Python objects at the same time
_OTHER_ENCODINGS = (  # UTF-32 first: its mark begins like that of UTF-16
    ("UTF-32", (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)),
    ("UTF-16", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
)
# Not splitlines(): a text may hold U+2028 and its like as they are.
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")

Resolve = Callable[
    [str, Sequence[str]], Mapping[str, str]
]  # (place, names found) -> our field -> name in the file


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
    """The rows of a file that are not blank, one by one; at least one. Raises BadInput and
    StorageError.
    """
    suffix = path.suffix.lower()
    if suffix == _PARQUET:
        rows = _parquet_rows(path, resolve)
    elif suffix in _DELIMITERS:
        rows = _csv_rows(path, read_text(path), _DELIMITERS[suffix], resolve)
    else:
        rows = _json_rows(path, read_text(path, kinds=_JSON_LINES), resolve)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        yield row
    if not count:
        raise bad_input(path, "only a header, no rows", "add at least one row")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with storage_errors(path):
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise bad_input(path, "no such file", "check the path") from None
        except IsADirectoryError:
            raise bad_input(path, "a folder, not a file", "name a file in it") from None
    with storage_errors(path), file:
        yield file


def read_text(path: Path, *, kinds: Sequence[str] | None = None) -> str:
    """The text of a UTF-8 file, without its byte order mark, and not empty. Raises BadInput and
    StorageError.

    `kinds` are the suffixes that the file may have; a missing file is a missing file, whatever its
    name.
    """
    with _opened(path) as file:
        if kinds is not None and path.suffix.lower() not in kinds:
            hint = "use .csv, .tsv, .jsonl, .ndjson or .parquet; facts may also be .txt or .md"
            raise bad_input(path, f"a file of the kind '{path.suffix}' is not supported", hint)
        data = file.read()
    for name, marks in _OTHER_ENCODINGS:
        if data.startswith(marks):
            raise bad_input(
                f"{path}:1", f"the file is {name}", "save it as UTF-8 (in Excel: CSV UTF-8)"
            )
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


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, from 1, and the line feed, carriage return or both that it ends
    with.
    """
    return enumerate((found[0] for found in _LINE.finditer(text)), start=1)


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


# JSON lines


def _json_rows(path: Path, content: str, resolve: Resolve) -> Iterator[Row]:
    numbered = ((line, text.rstrip()) for line, text in lines_of(content) if text.strip())
    names: list[str] | None = None
    columns: Mapping[str, str] = {}
    for line, text in numbered:
        place = f"{path}:{line}"
        try:
            value = jsonlines.Reader((text,), loads=_loads).read(allow_none=True)
        except jsonlines.InvalidLineError as error:
            cause = error.__cause__  # the error itself quotes the line, so it is not passed on
            at = (
                f" at column {cause.colno}"
                if isinstance(cause, json.JSONDecodeError)
                else f": {cause}"
            )
            hint = "write one whole JSON object on each line; the line may be cut off"
            raise bad_input(place, f"not valid JSON{at}", hint) from None
        if not isinstance(value, dict):
            hint = 'write one object on each line, such as {"fact": "..."}'
            raise bad_input(place, f"{json_kind(value)}, not a JSON object", hint)
        if names != list(value):  # mostly they are those of the row before
            names, columns = list(value), resolve(place, list(value))
        yield Row(place, line, value, columns)


def _loads(text: str | bytes) -> Any:
    """A JSON value that can be copied and written back. Raises ValueError, without a word of the
    text.
    """
    try:
        return _storable(json.loads(text, object_pairs_hook=_unique))
    except RecursionError:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep") from None


def _storable(value: Any) -> Any:
    if _depth(value) > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("an escape is half of a surrogate pair (U+D800 to U+DFFF)") from None
    except ValueError:
        raise ValueError("NaN or an infinite number") from None
    except TypeError:
        raise ValueError("a date, bytes or the like") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return value


def _depth(value: Any) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def json_kind(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        type(None): "null",
    }
    other = "a number" if isinstance(value, int | float) else "a date, bytes or the like"
    return kinds.get(type(value), other)


# CSV and TSV


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
    seen: dict[str, int] = {}
    for n, name in enumerate(names, start=1):
        if seen.setdefault(folded(name), n) != n:
            fault = f"columns {seen[folded(name)]} and {n} have the same name"
            raise bad_input(place, fault, "rename one of them (the first line holds the names)")
    return names


def _csv_cells(path: Path, content: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where the row starts, cells) of every row that is not blank."""
    row: list[str] = []  # the lines of the row that is being read

    def lines() -> Iterator[str]:
        for _, text in lines_of(content):
            row.append(text)
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
            place = f"{path}:{line + _last_opened_quote(row, delimiter)}"
            hint = 'close the quote; inside a quoted cell write "" for "'
            raise bad_input(
                place, "a cell opens with a double quote but does not end with one", hint
            ) from None
        finally:
            csv.field_size_limit(limit)
        if any(cell.strip() for cell in cells):
            yield line, cells
        line += len(row)
        row.clear()


def _last_opened_quote(row: Sequence[str], delimiter: str) -> int:
    """The index of the line of a faulty row in which its last quoted cell opens."""
    opened, state = 0, "start"
    for index, text in enumerate(row):
        for char in text:
            if state == "quoted":
                state = "closed" if char == '"' else "quoted"
            elif char == '"' and state != "plain":
                opened = (
                    index if state == "start" else opened
                )  # a doubled quote closes and opens the same cell
                state = "quoted"
            elif char == delimiter:
                state = "start"
            elif char != " " or state == "closed":
                state = "plain"
    return opened


# Parquet


def _parquet_rows(path: Path, resolve: Resolve) -> Iterator[Row]:
    """Rows batch by batch, of the columns that are asked for alone; a row group is in memory at
    most.
    """
    with _opened(path) as file:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            hint = "install it: pip install 'augmlx[parquet]', or save the table as .csv or .jsonl"
            raise bad_input(path, "reading Parquet needs the package pyarrow", hint) from None
        unreadable = (pyarrow.ArrowException, OSError, ValueError)
        try:
            table = parquet.ParquetFile(file)
            found: list[str] = table.schema_arrow.names
        except unreadable:
            raise bad_input(
                path, "not a Parquet file, or a damaged one", "write it again, or save it as .csv"
            ) from None
        names = _header(str(path), found)
        columns = resolve(str(path), names)
        wanted = {
            name: given
            for name, given in zip(names, found, strict=True)
            if name in columns.values()
        }
        batches = table.iter_batches(_BATCH, columns=list(wanted.values()), use_threads=False)
        number = 0
        while True:
            try:
                batch = next(batches, None)
                rows: list[Json] = [] if batch is None else batch.to_pylist()
            except unreadable:
                place = f"{path}:{number + 1}"
                raise bad_input(
                    place, "from this row on the file is damaged", "write it again"
                ) from None
            if batch is None:
                return
            for cells in rows:
                number += 1
                place = f"{path}:{number}"
                if row := _json_cells(
                    place, {name: cells[given] for name, given in wanted.items()}
                ):
                    yield Row(place, number, row, columns)


def _json_cells(place: str, cells: Json) -> Json | None:
    """A row as JSON would hold it; None for a blank one."""
    try:
        found = {
            name: _storable(_without_absent(v)) if isinstance(v, dict | list) else v
            for name, v in cells.items()
        }
    except ValueError as error:
        raise bad_input(
            place, f"cannot be written as JSON: {error}", "use texts, whole numbers, lists"
        ) from None
    return found if any(value is not None for value in found.values()) else None


def _without_absent(value: Any) -> Any:
    """Parquet gives all objects of a column the same keys; those that one has no value for are
    null.
    """
    if isinstance(value, dict):
        return {
            key: _without_absent(item)
            for key, item in value.items()
            if item is not None or key == "content"
        }
    return [_without_absent(item) for item in value] if isinstance(value, list) else value
