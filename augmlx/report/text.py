"""Numbers and texts as a reader wants to see them: "88 %", "+53", "1 min 12 s", "1.34 GB"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from augmlx.evaluation import statistics
from augmlx.evaluation.summary import Cell, Difference

T = TypeVar("T")
MINUS = "\u2212"
NO_VALUE = "–"
_LABEL = 40  # characters


def percent(share: float) -> str:
    """0.8825 -> "88 %". Never rounds up to 100 or down to 0, which would claim more than was
    measured.
    """
    whole = statistics.percent(share)
    if whole == 0 and share > 0:
        return "< 1\u00a0%"
    if whole >= 100 and share < 1:
        whole = 99
    return f"{whole}\u00a0%"


def percent_or_dash(share: float | None) -> str:
    """A share as percent; a dash where it was not measured."""
    return NO_VALUE if share is None else percent(share)


def interval(cell: Cell) -> str:
    """The 95 % interval of an accuracy."""
    return interval_of(cell.low, cell.high)


def interval_of(low: float, high: float) -> str:
    """An interval of shares: "72 to 95 %". Its ends may round to 0 and 100."""
    low_percent = math.floor(100 * low)
    high_percent = math.ceil(100 * high)
    return f"{low_percent} to {high_percent}\u00a0%"


def points(difference: float) -> str:
    """A difference of accuracies in percentage points: 0.53 -> "+53"."""
    size = statistics.percent(abs(difference))
    if size == 0:
        return "0"
    sign = MINUS if difference < 0 else "+"
    return f"{sign}{size}"


def span(row: Difference) -> str:
    """The interval of a difference in points: "+38 to +66". Its ends are rounded outwards, but for
    what is nothing but floating point.
    """
    low = math.floor(100 * row.low + 1e-9)
    high = math.ceil(100 * row.high - 1e-9)
    low_points = points(low / 100)
    high_points = points(high / 100)
    return f"{low_points} to {high_points}"


def clip(value: object, most: int) -> str:
    """A value as text of at most `most` characters, with an ellipsis where something was cut."""
    text = str(value)
    if len(text) <= most:
        return text
    return text[: most - 1] + "…"


def label(value: object) -> str:
    """The name of a kind, an arm, an operator or a filter, as it is shown in a table."""
    return clip(value, _LABEL)


def duration(seconds: float) -> str:
    """72.4 -> "1 min 12 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s"


def gigabytes(size: float) -> str:
    """Bytes as "1.34 GB"; GB are 10^9 bytes."""
    return f"{size / 1e9:.2f} GB" if size >= 5e6 else "< 0.01 GB"


def model_name(text: str) -> str:
    """A model as shown: of a folder its name only, since a report is passed on and paths name
    people.
    """
    is_path = text.startswith(("/", ".", "~"))
    return PurePosixPath(text).name if is_path else text


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` of the rows, evenly spread, in their order."""
    count = len(rows)
    if count <= most:
        return list(rows)
    places = [index * count // most for index in range(most)]
    return [rows[place] for place in places]
