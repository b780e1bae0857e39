"""Whom and what a sentence names, as it can be put in the place of a pronoun."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.phrase import (
    OBJECTS,
    SUBJECTS,
    Tokens,
    children,
    span_between,
    subtree,
)
from augmlx.english.clauses.tokens import parse
from augmlx.english.lexicon import NEGATIONS, STOPWORDS, word_set
from augmlx.english.text import CACHED_TEXTS

_COUNTED = {"DATE", "TIME", "MONEY", "PERCENT", "CARDINAL", "ORDINAL", "QUANTITY"}
_NAMING = {*SUBJECTS, *OBJECTS, "pobj", "dative", "conj"}
_BEFORE_NOUN = {"det", "amod", "compound", "nummod", "poss", "nmod", "predet", "quantmod"}
_SAYING_WHICH = {"prep", "relcl", "acl"}
_THINGS = ("thing", "place", "body")


class Named(NamedTuple):
    """Somebody or something that a sentence names.

    Attributes:
        text: what can stand in a pronoun's place; "" where nothing can ("every visitor").
        start: where it stands.
        kinds: what it may be: "person", "thing", "several"; or "amount", which no other sentence
            speaks of.
        is_subject, is_object: whether its clause is about it, or does something to it.
        is_sure: of an antecedent, whether nothing else can be meant.
        verb: the place of the verb that it is the subject of; -1 where it is none's.
        said: how it is spoken of, also where that cannot stand in a pronoun's place.
    """

    text: str
    start: int
    kinds: frozenset[str]
    is_subject: bool
    is_object: bool = False
    is_sure: bool = True
    verb: int = -1
    said: str = ""


@lru_cache(maxsize=CACHED_TEXTS)
def named_in(text: str) -> tuple[Named, ...]:
    """Whom and what a sentence names, in order; times and amounts are neither."""
    tokens = parse(text)
    named = [each for place in range(len(tokens)) for each in _named_by(tokens, place)]
    return tuple(sorted(named, key=lambda each: each.start))


def _named_by(tokens: Tokens, place: int) -> Iterator[Named]:
    """What a noun names; where others are joined to it, also all of them together."""
    noun = tokens[place]
    if noun.tag not in ("NN", "NNS", "NNP", "NNPS") or noun.dep not in _NAMING:
        return
    if noun.entity in _COUNTED:
        return
    first = min([place, *(n for n in children(tokens, place) if tokens[n].dep in _BEFORE_NOUN)])
    kinds = _kinds(tokens, place)
    if not kinds:
        return
    first = min(subtree(tokens, first)[0], first)
    roles = noun.dep in SUBJECTS, noun.dep in OBJECTS
    verb = noun.head if noun.dep in SUBJECTS else -1
    last = _last(tokens, place)
    is_cut = last + 1 < len(tokens) and tokens[last + 1].tag in ("CD", "NNP", "NNPS")
    put = "" if is_cut else _put(tokens, first, last)
    said = _said(tokens, first, last)
    yield Named(put, tokens[first].start, kinds, *roles, verb=verb, said=said)
    joined = [n for n in children(tokens, place) if tokens[n].dep == "conj"]
    if joined and noun.dep != "conj":
        last = max(subtree(tokens, place))
        both = _put(tokens, first, last)
        said = _said(tokens, first, last)
        kinds = frozenset({"several"})
        yield Named(both, tokens[first].start, kinds, *roles, verb=verb, said=said)


def _kinds(tokens: Tokens, place: int) -> frozenset[str]:
    span = span_between(tokens, place, place, place)
    kind = kind_of(tokens, span) if span is not None else "unknown"
    is_plural = tokens[place].tag == "NNS"
    if kind == "amount":
        is_measure = tokens[place].lemma.lower() in word_set("units_counted")
        return frozenset() if is_measure else frozenset({"amount"})
    if kind in ("time", "duration"):
        return frozenset()
    if is_plural:
        return frozenset({"several"})
    if kind == "person":
        return frozenset({"person"})
    if kind in _THINGS:
        is_body = kind == "body" or tokens[place].tag == "NNPS"
        return frozenset({"thing", "several"} if is_body else {"thing"})
    return frozenset({"person", "thing"})


def _last(tokens: Tokens, place: int) -> int:
    """The place of the last word of a name: with its number ("the Corvo 20"), with what it is of,
    and of a subject that is no name of its own with all that says which it is ("passengers with
    bicycles"); without what is said besides.
    """
    last = place
    for child in children(tokens, place):
        if child == last + 1 and tokens[child].tag == "CD" and tokens[child].dep != "conj":
            last = child
    if last > place:
        return last
    if tokens[place].dep in SUBJECTS and tokens[place].tag in ("NN", "NNS"):
        return _last_of_which(tokens, place)
    for child in children(tokens, place):
        if child < place:
            continue
        if child != last + 1 or tokens[child].text != "of":
            break
        last = subtree(tokens, child)[-1]
        if any(tokens[n].text == "," for n in range(child, last + 1)):
            return place
    return last


def _last_of_which(tokens: Tokens, place: int) -> int:
    """The place of the last word behind a noun that says which one it is; its own where something
    is only added behind a comma.
    """
    last = place
    for child in children(tokens, place):
        if child < place or tokens[child].dep not in _SAYING_WHICH:
            continue
        words = subtree(tokens, child)
        if words[0] != last + 1 or any(tokens[n].text == "," for n in words):
            break
        last = words[-1]
    return last


def _put(tokens: Tokens, first: int, last: int) -> str:
    """Some words as they are put in the place of a pronoun: a thing that was new is known now."""
    span = span_between(tokens, first, last, last)
    if span is None:
        return ""
    opening = tokens[span.first].text.lower()
    words = {token.text.lower() for token in tokens[span.first : span.last + 1]}
    unclear = (word_set("quantifiers") - {"all"}) | NEGATIONS | word_set("unclear_determiners")
    if opening in unclear or words & (word_set("pronouns") | word_set("pointing_back")):
        return ""
    head = tokens[last]
    is_bare = head.tag in ("NN", "NNS") and tokens[span.first].dep not in ("det", "poss", "predet")
    if words <= STOPWORDS or (is_bare and span.first > 0):
        return ""  # "The server stores backups" is easily misread
    return _said(tokens, first, last)


def _said(tokens: Tokens, first: int, last: int) -> str:
    """Some words as they speak of what is known: "a lamp" is "the lamp"."""
    span = span_between(tokens, first, last, last)
    if span is None:
        return ""
    said = phrases.lowered(phrases.phrase(tokens, span, "subject", "unknown"), tokens)
    article, space, rest = said.partition(" ")
    return f"the {rest}" if space and article in ("a", "an") else said
