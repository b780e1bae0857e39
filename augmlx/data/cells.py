"""The cells of a row as texts, keys and lists. Whatever is wrong raises BadInput with the place of
the row.
"""

from __future__ import annotations

import re

from augmlx.data.rows import Row, bad_input, json_kind

MAX_TEXT = 100_000  # characters; far beyond a statement, so it is a broken table rather than a fact
# Whitespace is not listed. The rest breaks terminals and reports, and is the usual trace of a wrong
# encoding.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def clean(place: str, what: str, value: str, *, lines: bool = False) -> str:
    """A text as it is used, '' where nothing of it can be seen. Runs of white space become one
    space, unless `lines` are kept. `what` names the text in messages: "'fact'".
    """
    text = re.sub(r"\r\n?", "\n", value).strip() if lines else " ".join(value.split())
    if len(text) > MAX_TEXT:
        hint = "split it into statements; or a quote is missing, so that many rows became one cell"
        raise bad_input(
            place, f"{what} has {len(text)} characters; at most {MAX_TEXT} are read", hint
        )
    if control := _CONTROL.search(text):
        hint = "delete it, and check that the file was saved as UTF-8"
        raise bad_input(place, f"{what} holds the control character U+{ord(control[0]):04X}", hint)
    # A cell of zero-width characters is as empty as it looks.
    return text if any(char.isprintable() and char != " " for char in text) else ""


def text_of(row: Row, field: str, *, lines: bool = False) -> str:
    """A cell as text, '' where there is none."""
    value = row.value(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_input(
            row.place, f"'{field}' is {json_kind(value)}, not a text", "write it in double quotes"
        )
    return clean(row.place, f"'{field}'", value, lines=lines)


def required(row: Row, field: str, *, lines: bool = False) -> str:
    text = text_of(row, field, lines=lines)
    if not text:
        raise bad_input(
            row.place, f"no text in '{row.columns[field]}'", "fill it or delete the row"
        )
    return text


def key_of(row: Row, field: str) -> str | None:
    """An id or group; JSON may hold it as a whole number."""
    value = row.value(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(row, field) or None


def claim(ids: dict[str, int], key: str, row: Row) -> None:
    """Take an id for a row, once."""
    first = ids.setdefault(key, row.line)
    if first != row.line:
        hint = (
            "make the ids unique; a row without one gets f0001 (facts) or q0001 (questions), "
            "by its number"
        )
        raise bad_input(row.place, f"the id is already that of line {first}", hint)


def parts_of(row: Row, field: str) -> tuple[str, ...]:
    """A list of texts, or one text with "|" between its parts."""
    value = row.value(field)
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise bad_input(
            row.place, f"'{field}' is not a list of texts", 'write it as ["one", "two"]'
        )
    texts = tuple(clean(row.place, f"'{field}'", part) for part in parts)
    if "" in texts:
        raise bad_input(
            row.place, f"part {texts.index('') + 1} of '{field}' is empty", "fill it or take it out"
        )
    return texts
