"""A candidate says of its arguments what its source says, as surely and from the same end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english import articles, scope
from augmlx.english.adjectives import comparison_sign, is_comparative
from augmlx.english.lexicon import word_set
from augmlx.english.relation import added_stems, relation_stems, says_all
from augmlx.english.roles import is_exchanged, keeps_subject, tokens
from augmlx.english.sentence import arguments, sides
from augmlx.english.stems import content_stems
from augmlx.english.symmetry import holds_both_ways, is_equation, moves_quantifier
from augmlx.english.text import lower_words


def changed_meaning(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A rephrasing must say its source's relation, and from the same end."""
    lost = lost_relation(candidate, siblings, settings)
    return lost or swapped(candidate, siblings, settings)


def swapped(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """The arguments exchanged: the same relation with another subject, or its inverse with the same
    one.

    Relations that hold both ways round are let through, and so is a bare copula of which a side
    names one thing ("The captain is Omar", "Omar is the captain"); "A glon is a femp" cannot be
    turned round.
    """
    source, text = candidate.source, candidate.text
    placed = sides(source, text)
    if placed is None:
        return None
    given = tokens(source, placed.source_first, placed.source_last)
    spoken = tokens(text, placed.first, placed.last)
    if moves_quantifier(given, spoken):
        return "puts the quantifier before the predicate"
    if holds_both_ways(given) or is_equation(source, placed, given, spoken):
        return None
    if is_exchanged(given, spoken):
        return "exchanges the arguments around the same relation"
    if not keeps_subject(source, text, given, spoken):
        return "says the relation from its wrong end"
    return None


def lost_relation(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """The candidate must say its source's relation (its words, their stems, a known inverse or
    synonym), as often, as much and as surely, and nothing more.
    """
    source, text = candidate.source, candidate.text
    if scope.negation_count(text) != scope.negation_count(source):
        return "negates, or no longer negates, its source"
    if scope.scopes(text) != scope.scopes(source):
        return "changes how many, how much or how certain"
    if _turns_an_ability(source, text):
        return "says of the less that it can be what it always is"
    if not _says_relation(source, text):
        return "does not say the source's relation"
    if _repeats(source, text):
        return "repeats itself"
    if scope.adds_possession_or_gender(source, text) or added_stems(source, text):
        return "adds something to its source"
    return _changed_article(source, text)


def _says_relation(source: str, text: str) -> bool:
    if not says_all(relation_stems(source), content_stems(text)):
        return False
    return bool(comparison_sign(source)) == bool(comparison_sign(text))


def _turns_an_ability(source: str, text: str) -> bool:
    """ "Greyhounds can run faster than whippets" -> "Whippets can run slower than greyhounds": as
    anything can.
    """
    given, told = set(lower_words(source)), set(lower_words(text))
    if word_set("abilities").isdisjoint(given & told):
        return False
    mores = [{word for word in words if is_comparative(word)} for words in (given, told)]
    return bool(mores[0] and mores[1]) and mores[0].isdisjoint(mores[1])


def _repeats(source: str, text: str) -> bool:
    """Whether a word stands more than once in a text, and more often than in its source."""
    given = Counter(content_stems(source))
    told = Counter(content_stems(text))
    return any(count > max(1, given[word]) for word, count in told.items())


def _changed_article(source: str, text: str) -> str | None:
    """A name's article, a date's preposition or a plural's verb that is not the source's."""
    if articles.makes_definite(source, text):
        return "makes one of several the only one"
    if articles.makes_indefinite(source, text):
        return "makes the only one one of several"
    if articles.has_no_verb(source, text):
        return "has no verb"
    for argument in arguments(source) or ():
        if articles.drops_article(source, text, argument):
            return "drops an article"
        if articles.adds_article(source, text, argument):
            return "adds an article"
        if articles.takes_several_for_one(source, text, argument):
            return "takes several for one"
    if scope.changes_a_date(source, text):
        return "changes what a number says"
    return None
