"""JSON files -> rows: one object a line, or an array of objects, as programs print it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from augmlx.core.errors import BadInput
from augmlx.core.records import Json
from augmlx.data.json_values import DECODER, json_kind, kept, loads
from augmlx.data.row import Findings, Resolve, Row, bad_input
from augmlx.data.text_files import lines_of

# What other programs put before a text, or before each line (RFC 7464).
_MARKS = "\ufeff\x1e"
# (place, line, the value that begins there)
Values = Iterator[tuple[str, int, Any]]


def json_rows(values: Values, resolve: Resolve, findings: Findings) -> Iterator[Row]:
    """The rows that JSON values are; each may have columns of its own.

    What is no object, or has no column that is read, is added to the findings.
    """
    names: list[str] | None = None
    columns: Mapping[str, str] = {}
    for place, line, value in values:
        try:
            cells = _object(place, value)
            names_here = list(cells)
            if names != names_here:  # mostly they are those of the row before
                columns = resolve(place, names_here)
                names = names_here
        except BadInput as error:
            findings.add(error)
        else:
            yield Row(place, line, cells, columns)


def json_values(path: Path, content: str, findings: Findings, *, by_line: bool = False) -> Values:
    """The JSON values of a file, each with its place.

    Args:
        path: the file.
        content: its text.
        findings: take what is no JSON, with its line.
        by_line: each stands on a line of its own; else they are those of an array, or one behind
            the other over any number of lines.
    """
    return _lines(path, content, findings) if by_line else _array(path, content, findings)


def _lines(path: Path, content: str, findings: Findings) -> Values:
    name = str(path)
    for line, ended in lines_of(content):
        text = ended.rstrip().lstrip(_MARKS)
        if not text:
            continue
        place = f"{name}:{line}"
        try:
            value = loads(text)
        except ValueError as error:
            findings.add(_no_line(place, text, error))
        else:
            yield place, line, value


def _no_line(place: str, text: str, error: ValueError) -> BadInput:
    """The error about a line that is no JSON, without a word of it."""
    hint = "write one whole JSON object on each line; the line may be cut off"
    if text in ("{", "["):
        hint = "one whole object on each line; over several lines JSON is read as .json: rename it"
    reason = (
        f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else f": {error}"
    )
    return bad_input(place, f"not valid JSON{reason}", hint)


def _array(path: Path, content: str, findings: Findings) -> Values:
    """The values of an array, or of a file of several; what is behind a fault is not read."""
    at = _blank(content, 0)
    is_array = content[at : at + 1] == "["
    at = _blank(content, at + is_array)
    line, counted = 1 + content.count("\n", 0, at), at
    while at < len(content) and not (is_array and content[at] == "]"):
        line, counted = line + content.count("\n", counted, at), at
        place = f"{path}:{line}"
        begun = at
        try:
            value, at = DECODER.raw_decode(content, begun)
            value = kept(value, content[begun:at])
        except json.JSONDecodeError as error:
            hint = "the file may be cut off, or a comma or quote is missing"
            fault = f"not valid JSON at column {error.colno}"
            findings.add(bad_input(f"{path}:{error.lineno}", fault, hint))
            return
        except RecursionError:
            findings.add(bad_input(place, "not valid JSON: nested too deep", "correct it"))
            return
        except ValueError as error:
            findings.add(bad_input(place, f"not valid JSON: {error}", "correct it"))
            at = _end_of(content, begun)
        else:
            yield place, line, value
        at = _blank(content, at)
        if content[at : at + 1] == ",":
            at = _blank(content, at + 1)
    if is_array and content[at:].strip() != "]" and not findings.faults:
        place = f"{path}:{1 + content.count(chr(10), 0, at)}"
        fault = "the array does not end here" if at < len(content) else "the array has no end"
        findings.add(bad_input(place, fault, "the file may be cut off, or two of them in one"))


def _end_of(content: str, begun: int) -> int:
    """The place behind a value that cannot be kept, so that those behind it are read."""
    try:
        return json.JSONDecoder().raw_decode(content, begun)[1]
    except ValueError:
        return len(content)


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
