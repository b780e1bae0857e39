"""Witnesses: what grammar knows of a candidate, heard before the filters.

A witness says that a candidate is right, that it cannot be told to be right although the form of
its source is known, or nothing, where it does not know that form. English only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from augmlx.augment.filters.candidate import Candidate
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.clause import read
from augmlx.english.clauses.recognising import (
    is_known_question,
    is_known_rephrasing,
    is_known_reversal,
)
from augmlx.english.clauses.reversing import reversals

Testimony = Literal["right", "unsure", "silent"]
Witness = Callable[[Candidate], Testimony]

UNSURE = "is not known to say what its source says"


def asked(candidate: Candidate) -> Testimony:
    """Of a question: whether the source answers it so."""
    if is_known_question(candidate.source, candidate.text, candidate.answer):
        return "right"
    return "unsure" if asks(candidate.source) else "silent"


def turned(candidate: Candidate) -> Testimony:
    """Of a reversal: whether it is the source from its other end."""
    if is_known_reversal(candidate.source, candidate.text):
        return "right"
    return "unsure" if reversals(candidate.source) else "silent"


def reworded(candidate: Candidate) -> Testimony:
    """Of a rephrasing: whether it is the source in another order or other words."""
    if is_known_rephrasing(candidate.source, candidate.text):
        return "right"
    return "unsure" if read(candidate.source) is not None else "silent"


WITNESSES: Mapping[str, Witness] = {"asked": asked, "turned": turned, "reworded": reworded}
