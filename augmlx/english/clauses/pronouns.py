"""Whom or what a pronoun stands for where its own sentence does not say: "She sold it." behind "Ada
Voss founded Orrin Mills.".

An antecedent is given only where there is hardly a doubt: one thing alone that can be meant in the
nearest sentence that names any, or the subject behind a subject. Otherwise there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.phrase import (
    OBJECTS,
    SUBJECTS,
    Tokens,
    capitalised,
    children,
    span_between,
    subtree,
)
from augmlx.english.clauses.tokens import parse
from augmlx.english.lexicon import NEGATIONS, word_set
from augmlx.english.text import CACHED_TEXTS, normalise

_FARTHEST = 3  # sentences before
_COUNTED = {"DATE", "TIME", "MONEY", "PERCENT", "CARDINAL", "ORDINAL", "QUANTITY"}
_NAMING = {*SUBJECTS, *OBJECTS, "pobj", "dative", "conj"}
_BEFORE_NOUN = {"det", "amod", "compound", "nummod", "poss", "nmod", "predet", "quantmod"}
_THINGS = ("thing", "place", "body")


class Pronoun(NamedTuple):
    """A pronoun where it stands.

    Attributes:
        text: in lower case.
        start, end: where it stands in the sentence.
        wanted: what it stands for: "person", "thing" or "several".
        is_possessive: whether it stands for a name with "'s".
        is_subject: whether its sentence, or a clause of it, is about it.
    """

    text: str
    start: int
    end: int
    wanted: str
    is_possessive: bool
    is_subject: bool


class Named(NamedTuple):
    """Somebody or something that a sentence names.

    Attributes:
        text: what can stand in a pronoun's place; "" where nothing can ("every visitor").
        start: where it stands.
        kinds: what it may be: "person", "thing", "several".
        is_subject, is_object: whether its clause is about it, or does something to it.
    """

    text: str
    start: int
    kinds: frozenset[str]
    is_subject: bool
    is_object: bool = False


def open_pronouns(text: str) -> tuple[Pronoun, ...]:
    """The pronouns of a sentence that stand for nothing which it has named before them."""
    named = named_in(text)
    found: list[Pronoun] = []
    for pronoun in _pronouns(text):
        is_named = any(
            each.start < pronoun.start and pronoun.wanted in each.kinds for each in named
        )
        is_said = any(other.wanted == pronoun.wanted for other in found)
        if not is_named and not is_said:
            found.append(pronoun)
    return tuple(found)


@lru_cache(maxsize=CACHED_TEXTS)
def points_elsewhere(text: str) -> bool:
    """Whether a sentence speaks of what another one says: "This was a surprise."."""
    tokens = parse(text)
    words = word_set("pointing_words")
    pointing = [token for token in tokens if token.tag == "DT" and token.text.lower() in words]
    return any(token.dep in {*SUBJECTS, *OBJECTS, "pobj"} for token in pointing)


def antecedent(pronoun: Pronoun, before: Sequence[str]) -> Named | None:
    """Whom or what a pronoun stands for, by the sentences before its own, the nearest last; None
    where that is not sure.
    """
    for number in range(len(before) - 1, max(-1, len(before) - 1 - _FARTHEST), -1):
        sentence = before[number]
        fitting = [each for each in named_in(sentence) if pronoun.wanted in each.kinds]
        for other in open_pronouns(sentence):
            if other.wanted != pronoun.wanted:
                continue
            meant = antecedent(other, before[:number])
            if meant is None:
                return None
            meant = meant._replace(is_subject=other.is_subject)
            if other.is_subject and _are_of_one(pronoun, other):
                return meant
            fitting.append(meant)
        if fitting:
            return _surest(pronoun, fitting)
    return None


def _are_of_one(pronoun: Pronoun, other: Pronoun) -> bool:
    """Whether two pronouns for a person are of one gender."""
    his = word_set("standing_for_him")
    return pronoun.wanted == "person" and (pronoun.text in his) == (other.text in his)


def _surest(pronoun: Pronoun, fitting: Sequence[Named]) -> Named | None:
    """Of what a sentence names, what a pronoun behind it stands for."""
    distinct = {normalise(each.text): each for each in fitting}
    if len(distinct) > 1:
        subjects = {text: each for text, each in distinct.items() if each.is_subject}
        is_parallel = pronoun.is_subject and pronoun.wanted != "person"
        distinct = subjects if is_parallel else {}
    if len(distinct) != 1:
        return None
    (meant,) = distinct.values()
    return meant if meant.text and (meant.is_subject or meant.is_object) else None


def resolved(text: str, meant: Mapping[Pronoun, Named]) -> str:
    """A sentence with what its pronouns stand for in their place."""
    for pronoun in sorted(meant, key=lambda each: -each.start):
        name = meant[pronoun].text
        if pronoun.is_possessive:
            name += "'" if name.endswith("s") else "'s"
        if pronoun.start == 0:
            name = capitalised(name)
        text = text[: pronoun.start] + name + text[pronoun.end :]
    return text


# Pronouns


@lru_cache(maxsize=CACHED_TEXTS)
def _pronouns(text: str) -> tuple[Pronoun, ...]:
    """All that stand for somebody or something that is spoken of."""
    tokens = parse(text)
    found = []
    for place, token in enumerate(tokens):
        word = token.text.lower()
        wanted = _wanted(word)
        if wanted and token.tag.startswith("PRP") and not _is_empty(tokens, place):
            is_possessive = token.tag == "PRP$"
            is_subject = token.dep in SUBJECTS
            pronoun = Pronoun(word, token.start, token.end, wanted, is_possessive, is_subject)
            found.append(pronoun)
    return tuple(found)


def _wanted(word: str) -> str:
    if word in word_set("standing_for_him") | word_set("standing_for_her"):
        return "person"
    if word in word_set("standing_for_things"):
        return "thing"
    return "several" if word in word_set("standing_for_several") else ""


def _is_empty(tokens: Tokens, place: int) -> bool:
    """Whether an "it" stands for nothing: "It is forbidden to smoke.", "It rains."."""
    if tokens[place].text.lower() != "it" or tokens[place].dep not in SUBJECTS:
        return tokens[place].dep == "expl"
    verb = tokens[place].head
    if tokens[verb].lemma in word_set("weather_verbs"):
        return True
    below = children(tokens, verb)
    below += [n for child in below if tokens[child].dep == "acomp" for n in children(tokens, child)]
    has_clause = any(tokens[n].dep in ("xcomp", "ccomp", "csubj", "csubjpass") for n in below)
    is_passive = tokens[place].dep == "nsubjpass"
    return has_clause and (is_passive or tokens[verb].lemma in ("be", "take"))


# Names


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
    yield Named(_put(tokens, first, _last(tokens, place)), tokens[first].start, kinds, *roles)
    joined = [n for n in children(tokens, place) if tokens[n].dep == "conj"]
    if joined and noun.dep != "conj":
        last = max(subtree(tokens, place))
        both = _put(tokens, first, last)
        yield Named(both, tokens[first].start, frozenset({"several"}), *roles)


def _kinds(tokens: Tokens, place: int) -> frozenset[str]:
    span = span_between(tokens, place, place, place)
    kind = kind_of(tokens, span) if span is not None else "unknown"
    is_plural = tokens[place].tag == "NNS"
    if kind in ("time", "duration", "amount"):
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
    """The place of the last word of a name: with what it is of, without what is said besides."""
    last = place
    for child in children(tokens, place):
        if child < place:
            continue
        if child != last + 1 or tokens[child].text != "of":
            break
        last = subtree(tokens, child)[-1]
        if any(tokens[n].text == "," for n in range(child, last + 1)):
            return place
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
    said = phrases.lowered(phrases.phrase(tokens, span, "subject", "unknown"), tokens)
    article, space, rest = said.partition(" ")
    return f"the {rest}" if space and article in ("a", "an") else said
