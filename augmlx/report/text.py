"""Numbers and texts as a reader wants to see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeVar

T = TypeVar("T")


def clip(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis where something was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def duration(seconds: float) -> str:
    """72.4 -> "1 min 12 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def gigabytes(size: float) -> str:
    """Bytes as "1.34 GB"; GB are 10^9 bytes."""
    return f"{size / 1e9:.2f} GB" if size >= 5e6 else "< 0.01 GB"


def model_name(text: str) -> str:
    """A model as shown: of a folder its name only, since a report is passed on and paths name
    people.
    """
    return PurePosixPath(text).name if text.startswith(("/", ".", "~")) else text


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` of the rows, evenly spread, in their order."""
    return (
        [rows[index * len(rows) // most] for index in range(most)]
        if len(rows) > most
        else list(rows)
    )
