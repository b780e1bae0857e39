"""Witnesses: what grammar knows of a candidate.

What a witness knows to be right, no other filter need be asked about. Where it knows the form of
the source, and not that of the candidate, the candidate is dropped; unless the source is so plain
that the other filters are to be trusted with it. Elsewhere a witness is silent. English only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from augmlx.augment.filters.candidate import Candidate
from augmlx.english import logic
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.contradicting import is_otherwise_asked, is_otherwise_said
from augmlx.english.clauses.plainness import is_as_whole, is_plain
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
    UNSURE = "unsure"
    SILENT = "silent"

    @property
    def objection(self) -> str | None:
        is_unsure = self is Testimony.UNSURE
        return "is not known to say what its source says" if is_unsure else None


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
    return _unless_trusted(candidate, is_known_form=bool(reversals(candidate.source)))


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
    is_trusted = is_plain(source)
    return Testimony.UNSURE if is_known_form and not is_trusted else Testimony.SILENT


WITNESSES: Mapping[str, Witness] = {"asked": asked, "turned": turned, "reworded": reworded}
