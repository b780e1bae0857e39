"""How many of what, in messages."""

from __future__ import annotations


def counted(count: int, noun: str, verb: str = "") -> str:
    """A count with its noun, which is given for one: "1 chat row", "1,204 chat rows"; and with a
    verb, given for one, too: "1 question stands", "2 questions stand".
    """
    said = f"{count:,} {noun_of(count, noun)}"
    if not verb:
        return said
    return f"{said} {verb}" if count == 1 else f"{said} {verb.removesuffix('s')}"


def noun_of(count: int, noun: str) -> str:
    """A noun, which is given for one, as it stands beside a count."""
    return noun if count == 1 else f"{noun}s"
