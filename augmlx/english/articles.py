"""Articles, and whether one thing is meant or several: what a text makes of its source's."""

from __future__ import annotations

import re

from augmlx.english.lexicon import AUXILIARIES, PREPOSITIONS
from augmlx.english.names import determiner_before, entities, mention_of
from augmlx.english.nouns import is_plural
from augmlx.english.stems import stem
from augmlx.english.text import Mention, lower_words, normalise
from augmlx.english.verbs import looks_like_a_verb

_INDEFINITE = re.compile(r"\b(?:is|are|was|were)\s+(?:not\s+)?an?\s+(\w+)", re.IGNORECASE)
_DEFINITE = re.compile(r"\bthe\s+(\w+)|['’]s\s+(\w+)(?=\s+(?:is|are|was|were)\b)", re.IGNORECASE)
_PLURAL_COPULA = re.compile(r"\b(?:are|were)\b")
_SINGULAR_COPULA = re.compile(r"\s+(is|was)\b")


def makes_definite(source: str, text: str) -> bool:
    """Whether one of several has become the only one: "Ana is a pilot" as "the pilot is Ana"."""
    indefinite = {stem(word) for word in _INDEFINITE.findall(source)}
    behind_the_or_owner = _DEFINITE.findall(text)
    definite = {stem(one or other) for one, other in behind_the_or_owner}
    return not indefinite.isdisjoint(definite)


def makes_indefinite(source: str, text: str) -> bool:
    """Whether the only one has become one of several: "the Tern ferry" as "a Tern ferry"."""
    return any(_loses_the(source, text, entity) for entity in entities(text))


def has_no_verb(source: str, text: str) -> bool:
    """ "The lamp designed by Ana.", where the source has no "by"."""
    told, given = normalise(text).split(), normalise(source).split()
    if "by" not in told or "by" in given:
        return False
    return AUXILIARIES.isdisjoint(told)


def drops_article(source: str, text: str, argument: Mention) -> bool:
    """Whether an argument of the source has "the" there and nothing before it in the text."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or _article(text, place):
        return False
    if _article(source, argument) != "the":
        return False
    return _stands_bare(text, place)


def adds_article(source: str, text: str, argument: Mention) -> bool:
    """Whether a name of the source has "the" in the text alone."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or _article(source, argument):
        return False
    has_capital = argument.text[0].isupper()
    may_only_open = argument.start == 0 and " " not in argument.text
    if not has_capital or may_only_open:
        return False
    return _article(text, place) == "the"


def takes_several_for_one(source: str, text: str, argument: Mention) -> bool:
    """Whether a plural of the source ("glons are ...") is followed by "is" or "was" in the text."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or not _SINGULAR_COPULA.match(text[place.end :]):
        return False
    if not is_plural(argument.text) or not argument.text[1:].islower():
        return False
    return _PLURAL_COPULA.search(source) is not None


def _loses_the(source: str, text: str, entity: Mention) -> bool:
    if _article(text, entity) not in ("a", "an"):
        return False
    place = mention_of(entity.text, source)
    return place is not None and _article(source, place) == "the"


def _article(text: str, mention: Mention) -> str:
    """The determiner before a mention, without a capital; or nothing."""
    return determiner_before(text, mention).casefold()


def _stands_bare(text: str, place: Mention) -> bool:
    """Whether a verb, a preposition or nothing stands before a mention, so that an article is
    missed there.
    """
    before = lower_words(text[: place.start])
    if not before or before[-1] in PREPOSITIONS | AUXILIARIES:
        return True
    return before[-1] != "s" and looks_like_a_verb(before[-1])
