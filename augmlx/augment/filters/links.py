"""Statements that link several facts: each fact's own words, tied by what they share."""

from __future__ import annotations

from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.logic import Claims, consequences, parse
from augmlx.english.names import entities
from augmlx.english.relation import stems_beside_arguments
from augmlx.english.relative_clause import says_behind_tie, tied_clauses
from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems
from augmlx.english.synonyms import light
from augmlx.english.text import normalise

_LINKING_RULES = ("syllogism", "chain", "inheritance")


def bridged(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A bridge says the first fact, and behind a relative pronoun what the second says of the name
    it ended with.
    """
    if len(candidate.ground) != 2:
        return "is not drawn from two facts"
    first_fact, second_fact = candidate.ground
    both = arguments(second_fact)
    if both is None:
        return "the arguments of the source cannot be told apart"
    clauses = tied_clauses(candidate.text)
    if clauses is None:
        return "does not tie two facts together"
    main, relative = clauses
    if normalise(main) != normalise(first_fact):
        return "does not say its first fact"
    if not says_behind_tie(relative, second_fact, both[0]):
        return "does not say its second fact"
    return None


def linked(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A statement drawn from many facts must follow from two of them by a rule, or else be about
    the fact it was asked for and one other: the relation of both, something that only the one names
    and something that only the other names, and nothing that neither says.
    """
    text, source = candidate.text, candidate.source
    if normalise(text) in {normalise(fact) for fact in candidate.ground}:
        return "copies one of its facts"
    known_words = set(normalise(" ".join(candidate.ground)).split())
    names = entities(text)[1:]
    if any(not known_words.issuperset(normalise(name.text).split()) for name in names):
        return "names something that is in no fact"
    others = [fact for fact in candidate.ground if fact != source]
    if any(_follows(text, (source, other)) for other in others):
        return None
    if any(_ties(text, source, other) for other in others):
        return None
    return "does not link the fact with another one, or says more than the two"


def _follows(text: str, facts: tuple[str, str]) -> bool:
    """Whether a text follows from two facts by a rule."""
    conclusion = parse(text)
    premises = [form for form in map(parse, facts) if form is not None]
    if conclusion is None or len(premises) != 2:
        return False
    known = Claims(premises)
    return any(conclusion in consequences(rule, premises, known) for rule in _LINKING_RULES)


def _ties(text: str, source: str, other: str) -> bool:
    """Whether a text says both facts' relations, and names something that only either names."""
    told, of_source, of_other = (set(content_stems(part)) for part in (text, source, other))
    if told - of_source - of_other - light():
        return False  # it says more than the two
    if not of_source & of_other:
        return False
    relations = stems_beside_arguments(source) | stems_beside_arguments(other)
    if not relations <= told:
        return False
    names_only_source = bool(told & (of_source - of_other))
    names_only_other = bool(told & (of_other - of_source))
    return names_only_source and names_only_other
