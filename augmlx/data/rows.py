"""Tables of all formats -> rows: CSV, TSV, JSON lines and Parquet, each row with path:line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from augmlx.data.csv_rows import csv_rows
from augmlx.data.json_rows import json_rows
from augmlx.data.parquet_rows import parquet_rows
from augmlx.data.row import Resolve, Row, bad_input
from augmlx.data.text_files import read_text

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = ".parquet"


def read_rows(path: Path, resolve: Resolve) -> Iterator[Row]:
    """The rows of a file that are not blank, one by one; at least one.

    Args:
        path: the file; its suffix tells the format.
        resolve: says which columns are read, given the names of those found.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    count = 0
    for row in _rows_of_format(path, resolve):
        count += 1
        yield row
    if not count:
        raise bad_input(path, "only a header, no rows", "add at least one row")


def _rows_of_format(path: Path, resolve: Resolve) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if suffix == _PARQUET:
        return parquet_rows(path, resolve)
    if suffix in _DELIMITERS:
        return csv_rows(path, read_text(path), _DELIMITERS[suffix], resolve)
    return json_rows(path, read_text(path, kinds=_JSON_LINES), resolve)
