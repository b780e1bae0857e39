"""JSON files -> rows: one object a line, or an array of objects, as programs print it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonlines

from augmlx.core.records import Json
from augmlx.data.json_values import json_kind, loads, storable, unique
from augmlx.data.row import Findings, Resolve, Row, bad_input
from augmlx.data.text_files import lines_of

# (place, line, the value that begins there)
Values = Iterator[tuple[str, int, Any]]


def json_rows(values: Values, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    """The rows that JSON values are; each may have columns of its own.

    What is no object, or has no column that is read, is added to the findings.
    """
    names: list[str] | None = None
    columns: Mapping[str, str] = {}
    for place, line, value in values:
        with findings.taken():
            cells = _object(place, value)
            names_here = list(cells)
            if names != names_here:  # mostly they are those of the row before
                columns = resolve(place, names_here)
                names = names_here
            yield Row(place, line, cells, columns)


def json_values(path: Path, content: str, findings: Findings, *, by_line: bool = False) -> Values:
    """The JSON values of a file, each with its place.

    Args:
        path: the file.
        content: its text.
        findings: take what is no JSON, with its line.
        by_line: each stands on a line of its own; else they are those of an array, or one behind
        the
            other over any number of lines.
    """
    return _lines(path, content, findings) if by_line else _array(path, content, findings)


def _lines(path: Path, content: str, findings: Findings) -> Values:
    for line, text in lines_of(content):
        if not text.strip():
            continue
        place = f"{path}:{line}"
        with findings.taken():
            yield place, line, _line(place, text.rstrip())


def _line(place: str, text: str) -> Any:
    try:
        return jsonlines.Reader((text,), loads=loads).read(allow_none=True)
    except jsonlines.InvalidLineError as error:
        # The error itself quotes the line, so it is not passed on.
        hint = "write one whole JSON object on each line; the line may be cut off"
        if text in ("{", "["):
            hint = (
                "one whole object on each line; over several lines JSON is read as .json: rename it"
            )
        raise bad_input(place, f"not valid JSON{_reason(error.__cause__)}", hint) from None


def _array(path: Path, content: str, findings: Findings) -> Values:
    """The values of an array, or of a file of several; what is behind a fault is not read."""
    decoder = json.JSONDecoder(object_pairs_hook=unique)
    at = _blank(content, 0)
    is_array = content[at : at + 1] == "["
    at = _blank(content, at + is_array)
    line, counted = 1 + content.count("\n", 0, at), at
    while at < len(content) and not (is_array and content[at] == "]"):
        line, counted = line + content.count("\n", counted, at), at
        place = f"{path}:{line}"
        with findings.taken():
            try:
                value, at = decoder.raw_decode(content, at)
            except json.JSONDecodeError as error:
                at = len(content)
                place = f"{path}:{error.lineno}"
                hint = "the file may be cut off, or a comma or quote is missing"
                fault = f"not valid JSON at column {error.colno}"
                raise bad_input(place, fault, hint) from None
            except (RecursionError, ValueError) as error:
                at = len(content)
                fault = "nested too deep" if isinstance(error, RecursionError) else str(error)
                raise bad_input(place, f"not valid JSON: {fault}", "correct it") from None
            yield place, line, _kept(place, value)
        at = _blank(content, at)
        if content[at : at + 1] == ",":
            at = _blank(content, at + 1)
    if is_array and content[at:].strip() != "]" and not findings.faults:
        place = f"{path}:{1 + content.count(chr(10), 0, at)}"
        fault = "the array does not end here" if at < len(content) else "the array has no end"
        findings.add(bad_input(place, fault, "the file may be cut off, or two of them in one"))


def _kept(place: str, value: Any) -> Any:
    try:
        return storable(value)
    except ValueError as error:
        raise bad_input(place, f"not valid JSON: {error}", "correct it") from None


def _blank(content: str, at: int) -> int:
    """The place behind white space."""
    while at < len(content) and content[at].isspace():
        at += 1
    return at


def _object(place: str, value: Any) -> Json:
    if not isinstance(value, dict):
        hint = 'write one object on each line, such as {"fact": "..."}'
        if isinstance(value, list):
            hint += "; an array of them is read as .json: rename the file"
        raise bad_input(place, f"{json_kind(value)}, not a JSON object", hint)
    return value


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, json.JSONDecodeError):
        return f" at column {cause.colno}"
    return f": {cause}"
