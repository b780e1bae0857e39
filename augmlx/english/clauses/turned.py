"""A clause in another order: the words that it begins with, and what follows them."""

from __future__ import annotations

from typing import NamedTuple

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised
from augmlx.english.lexicon import word_set


class Turned(NamedTuple):
    """A clause in another order.

    Attributes:
        opening: the words that it begins with.
        parts: what follows, in any order.
        stop: the mark that ends it.
    """

    opening: str
    parts: tuple[str, ...]
    stop: str

    @property
    def text(self) -> str:
        """The whole sentence, its parts in the given order."""
        text = " ".join((self.opening, *self.parts))
        is_ended = bool(self.stop) and text.endswith(self.stop)  # "at 2 a.m."
        return text if is_ended else text + self.stop


def moved_first(clause: Clause, subject: Phrase, part: Phrase) -> Turned:
    """ "A opens on Mondays" -> "On Mondays," A opens."""
    return Turned(f"{capitalised(part.text)},", said(clause, subject, part), clause.stop)


def said(clause: Clause, subject: Phrase, moved: Phrase) -> tuple[str, ...]:
    """The clause without a part, subject and verb first."""
    first = " ".join([clause.lowered(subject), *clause.group])
    return (first, *map(clause.lowered, clause.others(moved)))


def is_pronoun(part: Phrase) -> bool:
    """Whether a part stands for a name ("she", "this")."""
    return part.text.lower() in word_set("pronouns")


def points_back(part: Phrase) -> bool:
    """Whether a part speaks of somebody who was named before it ("his sister")."""
    return not word_set("pointing_back").isdisjoint(part.text.lower().split())
