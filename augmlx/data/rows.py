"""Tables of all formats -> rows: CSV, JSON, Parquet, spreadsheets; each row with path:line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from augmlx.data.csv_rows import csv_rows, delimiter_of
from augmlx.data.json_rows import json_rows, json_values
from augmlx.data.parquet_rows import parquet_rows
from augmlx.data.row import Findings, Resolve, Row, bad_input
from augmlx.data.sheet_rows import sheet_rows
from augmlx.data.text_files import read_text

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON, _JSON_LINES = ".json", (".jsonl", ".ndjson")
_PARQUET = ".parquet"
_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
_FOLDER_OF_MLX_LM = "train.jsonl"


def read_rows(path: Path, resolve: Resolve, findings: Findings | None = None) -> Iterator[Row]:
    """The rows of a file that are not blank, one by one; at least one.

    Args:
        path: the file; its suffix tells the format. A data folder of mlx-lm is its train.jsonl.
        resolve: says which columns are read, given the names of those found.
        findings: takes what is wrong with rows, for a caller who refuses the file at the end; else
            this raises it there.

    Raises:
        BadInput: the file, or rows of it, are not what they should be.
        StorageError: the file cannot be read.
    """
    gathered = findings or Findings()
    count = 0
    for row in _rows_of_format(path, resolve, gathered):
        count += 1
        yield row
    if findings is None:
        gathered.refuse()
    if not count and not gathered.faults:
        raise bad_input(path, "only a header, no rows", "add at least one row")


def _rows_of_format(path: Path, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if _is_file(path / _FOLDER_OF_MLX_LM):
        path, suffix = _train_file(path, findings), _JSON_LINES[0]
    if suffix == _PARQUET:
        return parquet_rows(path, resolve)
    if suffix in _SHEETS:
        return sheet_rows(path, resolve, findings)
    if suffix in _DELIMITERS:
        return separated_rows(path, resolve, findings, usual=_DELIMITERS[suffix])
    if suffix == _JSON:
        return json_rows(json_values(path, read_text(path), findings), resolve, findings)
    content = read_text(path, kinds=_JSON_LINES)
    return json_rows(json_values(path, content, findings, by_line=True), resolve, findings)


def _is_file(path: Path) -> bool:
    with suppress(OSError):  # a name may be too long; opening it says so
        return path.is_file()
    return False


def separated_rows(path: Path, resolve: Resolve, findings: Findings, usual: str) -> Iterator[Row]:
    """The rows of CSV or TSV, separated as its first line tells, and else as usual."""
    content = read_text(path)
    delimiter = delimiter_of(path, content, usual, resolve)
    return csv_rows(path, content, delimiter, resolve, findings)


def _train_file(folder: Path, findings: Findings) -> Path:
    """The rows of an mlx-lm folder that are trained on; its others are named."""
    others = [name for name in ("valid.jsonl", "test.jsonl") if (folder / name).is_file()]
    if others:
        findings.notes.append(
            f"{folder.name}: {' and '.join(others)} are not read: what is held out is drawn from "
            "what is augmented (split.valid, split.test)"
        )
    return folder / _FOLDER_OF_MLX_LM
