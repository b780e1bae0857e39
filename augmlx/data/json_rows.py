"""JSON-lines files -> rows, one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonlines

from augmlx.core.records import Json
from augmlx.data.json_values import json_kind, loads
from augmlx.data.row import Resolve, Row, bad_input
from augmlx.data.text_files import lines_of


def json_rows(path: Path, content: str, resolve: Resolve) -> Iterator[Row]:
    """The rows of a JSON-lines file that are not blank; each may have columns of its own.

    Raises:
        BadInput: with path:line, where a line is no JSON object that can be kept.
    """
    names: list[str] | None = None
    columns: Mapping[str, str] = {}
    for line, text in lines_of(content):
        if not text.strip():
            continue
        place = f"{path}:{line}"
        cells = _object(place, text.rstrip())
        names_here = list(cells)
        if names != names_here:  # mostly they are those of the row before
            names, columns = names_here, resolve(place, names_here)
        yield Row(place, line, cells, columns)


def _object(place: str, text: str) -> Json:
    try:
        value = jsonlines.Reader((text,), loads=loads).read(allow_none=True)
    except jsonlines.InvalidLineError as error:
        # The error itself quotes the line, so it is not passed on.
        hint = "write one whole JSON object on each line; the line may be cut off"
        raise bad_input(place, f"not valid JSON{_reason(error.__cause__)}", hint) from None
    if not isinstance(value, dict):
        hint = 'write one object on each line, such as {"fact": "..."}'
        raise bad_input(place, f"{json_kind(value)}, not a JSON object", hint)
    return value


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, json.JSONDecodeError):
        return f" at column {cause.colno}"
    return f": {cause}"
