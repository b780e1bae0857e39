"""Which of the source's two arguments a candidate names first."""

from __future__ import annotations

from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.sentence import arguments, sides


def same_direction(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A reversal must begin with what its source ended with."""
    if arguments(candidate.source) is None:
        return "the arguments of the source cannot be told apart"
    placed = sides(candidate.source, candidate.text)
    if placed is None or placed.first.start >= placed.last.start:
        return None
    return "runs in the same direction as its source"


def changed_order(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A rephrasing must keep the order of the arguments; one that does not is a reversal nobody
    checked.
    """
    placed = sides(candidate.source, candidate.text)
    if placed is None or placed.first.start <= placed.last.start:
        return None
    return "turns the order of the arguments round"
