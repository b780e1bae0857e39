"""Statements that link several facts: each fact's own words, tied by what they share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english import synonyms
from augmlx.english.logic import Claims, consequences, parse
from augmlx.english.text import arguments, content_stems, entities, normalise

_TIE = re.compile(r",? (?:which|who|that) ")


def bridged(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A bridge says the first fact, and behind a relative pronoun what the second says of the name
    it ended with.
    """
    if len(candidate.ground) != 2:
        return "is not drawn from two facts"
    first, second = candidate.ground
    shared = arguments(second)
    if shared is None:
        return "the arguments of the source cannot be told apart"
    parts = _TIE.split(candidate.text, maxsplit=1)
    if len(parts) != 2:
        return "does not tie two facts together"
    if normalise(parts[0]) != normalise(first):
        return "does not say its first fact"
    # What stood before the name ("In 1891, ...") comes last; nothing else changes its place, or who
    # did it might.
    if _said(parts[1]) != _said(f"{second[shared[0].end :]} {second[: shared[0].start]}"):
        return "does not say its second fact"
    return None


def _said(text: str) -> list[str]:
    """What counts of a predicate: "which stands" and "which stood" may differ, "which did not
    stand" may not.
    """
    return [
        *content_stems(text),
        *(word for word in normalise(text).split() if word in ("not", "never", "no")),
    ]


def linked(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A statement drawn from many facts must follow from two of them by a rule, or else be about
    the fact it was asked for and one other: the relation of both, something that only the one names
    and something that only the other names, and nothing that neither says.
    """
    if normalise(candidate.text) in {normalise(fact) for fact in candidate.ground}:
        return "copies one of its facts"
    told = set(normalise(" ".join(candidate.ground)).split())
    if any(
        not set(normalise(entity.text).split()) <= told for entity in entities(candidate.text)[1:]
    ):
        return "names something that is in no fact"
    others = [fact for fact in candidate.ground if fact != candidate.source]
    if any(_follows(candidate.text, (candidate.source, other)) for other in others):
        return None
    if any(_ties(candidate.text, candidate.source, other) for other in others):
        return None
    return "does not link the fact with another one, or says more than the two"


def _follows(text: str, facts: tuple[str, str]) -> bool:
    said, premises = parse(text), [form for form in map(parse, facts) if form is not None]
    if said is None or len(premises) != 2:
        return False
    return any(
        said in consequences(rule, premises, Claims(premises))
        for rule in ("syllogism", "chain", "inheritance")
    )


def _ties(text: str, source: str, other: str) -> bool:
    said, one, two = (set(content_stems(part)) for part in (text, source, other))
    if said - one - two - synonyms.light() or not one & two:
        return False
    return (
        _relation(source) | _relation(other) <= said
        and bool(said & (one - two))
        and bool(said & (two - one))
    )


def _relation(text: str) -> set[str]:
    """Stems of what a fact says of its two arguments."""
    found = arguments(text)
    named = {stem for mention in found or () for stem in content_stems(mention.text)}
    return set(content_stems(text)) - named
