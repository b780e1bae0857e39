"""Statements that link several facts: closed over their names, holding the relation of each fact they use."""

from __future__ import annotations

from collections.abc import Sequence

from augmlx.filters import relations
from augmlx.filters.candidate import Candidate
from augmlx.language import arguments, content_stems, entities, mention_of, normalise
from augmlx.settings import AugmentSettings


def bridged(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A bridge names the outer ends of both facts, keeps the relation of both in their order, and adds nothing."""
    if len(candidate.ground) != 2:
        return "is not drawn from two facts"
    first, second = candidate.ground
    ends = arguments(first), arguments(second)
    if ends[0] is None or ends[1] is None:
        return "the arguments of the source cannot be told apart"
    outer = mention_of(ends[0][0].text, candidate.text), mention_of(ends[1][1].text, candidate.text)
    if outer[0] is None or outer[1] is None or outer[0].start > outer[1].start:
        return "does not lead from the first fact's beginning to the second's end"
    if normalise(candidate.text) in {normalise(fact) for fact in candidate.ground}:
        return "copies one of its facts"
    left = list(content_stems(candidate.text))
    shared = ends[1][0]  # said once, by the first fact
    for stem in (*content_stems(first), *content_stems(second[: shared.start]), *content_stems(second[shared.end :])):
        if stem not in left:
            return "does not say both relations"
        left.remove(stem)
    allowed = relations.light() | set(content_stems(second))
    return "adds something to its facts" if set(left) - allowed else None


def linked(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A statement drawn from many facts says nothing that stands in none of them, names something of the fact it is
    about and something that is not in it, and is no copy."""
    told = " ".join(candidate.ground)
    known = set(normalise(told).split())
    if any(not set(normalise(entity.text).split()) <= known for entity in entities(candidate.text)[1:]):
        return "names something that is in no fact"
    stems = set(content_stems(told))
    related = frozenset[str]().union(
        *(relations.inverses().get(s, frozenset()) | relations.synonyms().get(s, frozenset()) for s in stems)
    )
    said = set(content_stems(candidate.text))
    if said - stems - related - relations.light():
        return "adds something to its facts"
    if normalise(candidate.text) in {normalise(fact) for fact in candidate.ground}:
        return "copies one of its facts"
    own = set(content_stems(candidate.source))
    if not said & own or not said - own:
        return "does not link the fact with another one"
    return None
