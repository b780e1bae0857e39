"""JSON values of the user's: which of them can be kept, and what messages call them."""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, NoReturn

from augmlx.core.records import Json

# Of nested JSON; what is deeper cannot be copied or written back without a recursion error.
_MAX_DEPTH = 64
_TOO_DEEP = f"nested more than {_MAX_DEPTH} deep"
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
# What half a surrogate pair, which cannot be written back, begins with.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NO_NUMBER = "NaN or an infinite number"


def json_kind(value: Any) -> str:
    """What messages call a value, which they never quote: "a list"."""
    return _KINDS.get(type(value), "a date, bytes or the like")


def loads(text: str) -> Any:
    """The JSON value of one line, one that can be copied and written back.

    Raises:
        ValueError: without a word of the text, but for the place of a json.JSONDecodeError.
    """
    try:
        return kept(DECODER.decode(text), text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def kept(value: Any, text: str) -> Any:
    """The value that a text is decoded to, where it can be copied and written back, too.

    Raises:
        ValueError: without a word of the text.
    """
    is_flat = text.count("[") + text.count("{") <= _MAX_DEPTH
    return value if is_flat and not _SURROGATE.search(text) else storable(value)


def storable(value: Any) -> Any:
    """The value itself, where JSON can hold it. Raises ValueError, without a word of it."""
    if _depth(value) > _MAX_DEPTH:
        raise ValueError(_TOO_DEEP)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("an escape is half of a surrogate pair (U+D800 to U+DFFF)") from None
    except ValueError:
        raise ValueError(_NO_NUMBER) from None
    except TypeError:
        raise ValueError("a date, bytes or the like") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    """The pairs of an object as one. Raises ValueError where a key stands twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(_NO_NUMBER)
    return number


def _no_number(_: str) -> NoReturn:
    raise ValueError(_NO_NUMBER)


# Made once: json.loads makes another for each value that it is given hooks for.
DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number
)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return 0
    return 1 + max(map(_depth, inner), default=0)
