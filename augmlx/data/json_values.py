"""JSON values of the user's: which of them can be kept, and what messages call them."""

from __future__ import annotations

import json
import re
from typing import Any

from augmlx.core.records import Json

# Of nested JSON; what is deeper cannot be copied or written back without a recursion error.
_MAX_DEPTH = 64
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
# Without any of these in its text a value of JSON can be written back: half a surrogate pair is an
# escape, and so is no number that is none.
_SUSPECT = re.compile(r"\\u[dD][89a-fA-F]|NaN|Infinity|[eE]\+?\d{2}|\d{300}")


def json_kind(value: Any) -> str:
    """What messages call a value, which they never quote: "a list"."""
    return _KINDS.get(type(value), "a date, bytes or the like")


def loads(text: str | bytes) -> Any:
    """The JSON value of one line, one that can be copied and written back.

    Raises:
        ValueError: without a word of the text, but for the place of a json.JSONDecodeError.
    """
    line = text if isinstance(text, str) else text.decode()
    try:
        value = json.loads(line, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep") from None
    is_flat = line.count("[") + line.count("{") <= _MAX_DEPTH
    return value if is_flat and not _SUSPECT.search(line) else storable(value)


def storable(value: Any) -> Any:
    """The value itself, where JSON can hold it. Raises ValueError, without a word of it."""
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


def unique(pairs: list[tuple[str, Any]]) -> Json:
    """The pairs of an object as one. Raises ValueError where a key stands twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return value


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return 0
    return 1 + max(map(_depth, inner), default=0)
