"""How many of what, in messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A count with its noun, which is given for one: "1 chat row", "1,204 chat rows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
