"""The cells of a row as texts, keys and lists. Whatever is wrong raises BadInput with the place of
the row.
"""

from __future__ import annotations

import re

from augmlx.data.json_values import json_kind
from augmlx.data.row import Row, bad_input

MAX_TEXT = 100_000  # characters; far beyond a statement, so it is a broken table rather than a fact
# Whitespace is not listed. The rest breaks terminals and reports, and is the usual trace of a wrong
# encoding.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def clean(place: str, what: str, value: str, *, lines: bool = False) -> str:
    """A text as it is used, '' where nothing of it can be seen.

    Args:
        place: of the text, for messages.
        what: the text's name in messages: "'fact'".
        value: the text as the file holds it.
        lines: whether its lines are kept; else runs of white space become one space.

    Raises:
        BadInput: it is too long, or holds a control character.
    """
    text = _with_lines(value) if lines else " ".join(value.split())
    if len(text) <= MAX_TEXT and text.replace("\n", "").isprintable():
        # Most are; what follows names the fault of the others. One string of two that are equal.
        return value if text == value else text
    if len(text) > MAX_TEXT:
        fault = f"{what} has {len(text)} characters; at most {MAX_TEXT} are read"
        hint = "split it into statements; or a quote is missing, so that many rows became one cell"
        raise bad_input(place, fault, hint)
    control = _CONTROL.search(text)
    if control is not None:
        fault = f"{what} holds the control character U+{ord(control[0]):04X}"
        raise bad_input(place, fault, "delete it, and check that the file was saved as UTF-8")
    return text if is_visible(text) else ""


def _with_lines(value: str) -> str:
    unix = re.sub(r"\r\n?", "\n", value) if "\r" in value else value
    return unix.strip()


def is_visible(text: str) -> bool:
    """Whether there is anything to see: a cell of zero-width characters is as empty as it looks."""
    return any(char.isprintable() and char != " " for char in text)


def text_of(row: Row, field: str, *, lines: bool = False) -> str:
    """A cell as text, '' where there is none; `lines` as in `clean`."""
    value = row.value(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        fault = f"'{field}' is {json_kind(value)}, not a text"
        raise bad_input(row.place, fault, "write it in double quotes")
    return clean(row.place, f"'{field}'", value, lines=lines)


def required(row: Row, field: str, *, lines: bool = False) -> str:
    """A cell as text, which must hold one; `lines` as in `clean`."""
    text = text_of(row, field, lines=lines)
    if not text:
        fault = f"no text in '{row.columns[field]}'"
        raise bad_input(row.place, fault, "fill it or delete the row")
    return text


def key_of(row: Row, field: str) -> str | None:
    """An id or group, None where there is none; JSON may hold it as a whole number."""
    value = row.value(field)
    if value is None:
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number:
        return str(value)
    return text_of(row, field) or None


def claim(lines_of_ids: dict[str, int], key: str, row: Row) -> None:
    """Note the line of an id, which no other row may have."""
    first = lines_of_ids.setdefault(key, row.line)
    if first != row.line:
        hint = (
            "make the ids unique; a row without one gets f0001 (facts) or q0001 (questions), "
            "by its number"
        )
        raise bad_input(row.place, f"the id is already that of line {first}", hint)


def parts_of(row: Row, field: str) -> tuple[str, ...]:
    """A cell that holds a list of texts, or one text with "|" between its parts; () where there is
    none.
    """
    value = row.value(field)
    is_blank = isinstance(value, str) and not value.strip()
    if value is None or is_blank:
        return ()
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        fault = f"'{field}' is not a list of texts"
        raise bad_input(row.place, fault, 'write it as ["one", "two"]')
    texts = tuple(clean(row.place, f"'{field}'", part) for part in parts)
    if "" in texts:
        fault = f"part {texts.index('') + 1} of '{field}' is empty"
        raise bad_input(row.place, fault, "fill it or take it out")
    return texts
