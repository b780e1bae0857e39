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
    """ "Ana is a pilot" as "the pilot is Ana"."""
    indefinite = {stem(word) for word in _INDEFINITE.findall(source)}
    definite = {stem(one or other) for one, other in _DEFINITE.findall(text)}
    return not indefinite.isdisjoint(definite)


def makes_indefinite(source: str, text: str) -> bool:
    """ "the Tern ferry" as "a Tern ferry"."""
    return any(_loses_the(source, text, entity) for entity in entities(text))


def has_no_verb(source: str, text: str) -> bool:
    """ "The lamp designed by Ana.", where the source has no "by"."""
    told = set(normalise(text).split())
    adds_by = "by" in told and "by" not in normalise(source).split()
    return adds_by and AUXILIARIES.isdisjoint(told)


def drops_article(source: str, text: str, argument: Mention) -> bool:
    """Whether an argument of the source has "the" there and nothing before it in the text."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or determiner_before(text, place):
        return False
    return determiner_before(source, argument).casefold() == "the" and _stands_bare(text, place)


def adds_article(source: str, text: str, argument: Mention) -> bool:
    """Whether a name of the source has "the" in the text alone."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or determiner_before(source, argument):
        return False
    is_name = argument.text[0].isupper() and (argument.start > 0 or " " in argument.text)
    return is_name and determiner_before(text, place).casefold() == "the"


def takes_several_for_one(source: str, text: str, argument: Mention) -> bool:
    """Whether a plural of the source ("glons are ...") is followed by "is" or "was" in the text."""
    place = mention_of(argument.text, text, anywhere=True)
    if place is None or not _SINGULAR_COPULA.match(text[place.end :]):
        return False
    is_common_plural = is_plural(argument.text) and argument.text[1:].islower()
    return is_common_plural and _PLURAL_COPULA.search(source) is not None


def _loses_the(source: str, text: str, entity: Mention) -> bool:
    if determiner_before(text, entity).casefold() not in ("a", "an"):
        return False
    place = mention_of(entity.text, source)
    return place is not None and determiner_before(source, place).casefold() == "the"


def _stands_bare(text: str, place: Mention) -> bool:
    """Whether a verb, a preposition or nothing stands before a mention, so that an article is
    missed there.
    """
    before = lower_words(text[: place.start])
    if not before or before[-1] in PREPOSITIONS | AUXILIARIES:
        return True
    return before[-1] != "s" and looks_like_a_verb(before[-1])
