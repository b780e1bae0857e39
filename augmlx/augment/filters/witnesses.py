"""Witnesses: what grammar knows of a candidate.

What a witness knows to be right, no other filter need be asked about. What it does not know is
dropped, unless the source is so plain that the other filters are to be trusted with it, or logic
decides, or the model can tell (weighing): of what grammar cannot read, the other filters keep more
wrong than right (docs/LOG.md). English only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from augmlx.augment.filters.candidate import Candidate
from augmlx.english import logic
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.contradicting import is_otherwise_asked, is_otherwise_said
from augmlx.english.clauses.plainness import has_two_ends_alone, is_as_whole, is_plain
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.recognising import (
    is_known_question,
    is_known_rephrasing,
    is_known_reversal,
)
from augmlx.english.clauses.reversing import reversals


class Testimony(Enum):
    """What a witness says of a candidate."""

    RIGHT = "right"
    UNSURE = "unsure"  # it knows the form of the source, and not that of the candidate
    UNREAD = "unread"  # it knows neither
    SILENT = "silent"  # others are to be trusted

    @property
    def objection(self) -> str | None:
        if self is Testimony.UNSURE:
            return "is not known to say what its source says"
        return "its source is of no known form" if self is Testimony.UNREAD else None


Witness = Callable[[Candidate], Testimony]


def asked(candidate: Candidate) -> Testimony:
    """Of a question: whether the source answers it so."""
    if is_known_question(candidate.source, candidate.text, candidate.answer):
        return Testimony.RIGHT
    return _unless_trusted(candidate, is_known_form=bool(asks(candidate.source)))


def turned(candidate: Candidate) -> Testimony:
    """Of a reversal: whether it is the source from its other end."""
    if is_known_reversal(candidate.source, candidate.text):
        return Testimony.RIGHT
    testimony = _unless_trusted(candidate, is_known_form=bool(reversals(candidate.source)))
    # Of two ends alone, the relation between them is enough: "Zorb is north of Femp.".
    is_trusted = testimony is Testimony.UNREAD and has_two_ends_alone(candidate.source)
    return Testimony.SILENT if is_trusted else testimony


def reworded(candidate: Candidate) -> Testimony:
    """Of a rephrasing: whether it is the source in another order or other words."""
    if is_known_rephrasing(candidate.source, candidate.text):
        return Testimony.RIGHT
    return _unless_trusted(candidate, is_known_form=read(candidate.source) is not None)


def _unless_trusted(candidate: Candidate, *, is_known_form: bool) -> Testimony:
    """Whether the other filters are to be trusted: with a plain source, and with one that logic
    decides; never with a statement that is no sentence where its source is one.
    """
    form = logic.parse(candidate.source)
    if form is not None and form.kind in logic.GENERAL:
        return Testimony.SILENT
    source, text = candidate.source, candidate.text
    if candidate.answer:
        is_off = is_otherwise_asked(source, text, candidate.answer)
    else:
        is_off = not is_as_whole(source, text) or is_otherwise_said(source, text)
    if is_off:
        return Testimony.UNSURE
    if not is_known_form:
        return Testimony.UNREAD
    return Testimony.SILENT if is_plain(source) else Testimony.UNSURE


WITNESSES: Mapping[str, Witness] = {"asked": asked, "turned": turned, "reworded": reworded}
