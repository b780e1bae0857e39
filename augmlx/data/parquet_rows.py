"""Parquet files -> rows, by pyarrow, which is only loaded for them. A row's number, from 1, stands
for its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augmlx.core.extras import importing
from augmlx.core.records import Json
from augmlx.data.json_values import storable
from augmlx.data.row import Resolve, Row, bad_input, column_names
from augmlx.data.text_files import opened

_BATCH = 2000  # rows that are Python objects at the same time


def parquet_rows(path: Path, resolve: Resolve) -> Iterator[Row]:
    """Rows batch by batch, of the columns that are asked for alone; a row group is in memory at
    most.

    Raises:
        BadInput: pyarrow is missing, the file is damaged, or a cell cannot be written as JSON.
    """
    with opened(path) as file:
        with importing("pyarrow", path):
            import pyarrow
            from pyarrow import parquet
        unreadable = (pyarrow.ArrowException, OSError, ValueError)
        try:
            table = parquet.ParquetFile(file)
            names_in_file: list[str] = table.schema_arrow.names
        except unreadable:
            hint = "write it again, or save it as .csv"
            raise bad_input(path, "not a Parquet file, or a damaged one", hint) from None
        names = column_names(str(path), names_in_file)
        columns = resolve(str(path), names)
        pairs = zip(names, names_in_file, strict=True)
        wanted = {name: in_file for name, in_file in pairs if name in columns.values()}
        batches = table.iter_batches(_BATCH, columns=list(wanted.values()), use_threads=False)
        number = 0
        while True:
            try:
                batch = next(batches, None)
                cells_of_rows: list[Json] = [] if batch is None else batch.to_pylist()
            except unreadable:
                fault = "from this row on the file is damaged"
                raise bad_input(f"{path}:{number + 1}", fault, "write it again") from None
            if batch is None:
                return
            for cells_in_file in cells_of_rows:
                number += 1
                place = f"{path}:{number}"
                cells = {name: cells_in_file[in_file] for name, in_file in wanted.items()}
                row_cells = _json_cells(place, cells)
                if row_cells is not None:
                    yield Row(place, number, row_cells, columns)


def _json_cells(place: str, cells: Json) -> Json | None:
    """A row as JSON would hold it; None for a blank one."""
    try:
        row_cells = {name: _json_cell(value) for name, value in cells.items()}
    except ValueError as error:
        fault = f"cannot be written as JSON: {error}"
        raise bad_input(place, fault, "use texts, whole numbers, lists") from None
    is_blank = all(value is None for value in row_cells.values())
    return None if is_blank else row_cells


def _json_cell(value: Any) -> Any:
    return storable(_without_absent(value)) if isinstance(value, dict | list) else value


def _without_absent(value: Any) -> Any:
    """Parquet gives all objects of a column the same keys; those that one has no value for are
    null.
    """
    if isinstance(value, list):
        return [_without_absent(item) for item in value]
    if not isinstance(value, dict):
        return value
    present = {key: item for key, item in value.items() if item is not None or key == "content"}
    return {key: _without_absent(item) for key, item in present.items()}
