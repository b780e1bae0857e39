"""A sentence that says several things -> a statement for each: "Ada Voss founded Orrin Mills in
1990 and sold it in 2004." says that she founded it, and that she sold it.

Only verbs that are joined by "and", and clauses behind a comma and "which" or "who", are taken
apart, and only where it is plain what belongs to which: no condition, no choice, nothing that
stands before both. Every word of the sentence is in one of the statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.phrase import (
    OBJECTS,
    SUBJECTS,
    Tokens,
    capitalised,
    children,
    span_of,
    subtree,
    text_between,
)
from augmlx.english.clauses.pronouns import antecedent, open_pronouns, points_elsewhere, resolved
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.tokens import Token, parse
from augmlx.english.lexicon import NEGATIONS, word_set
from augmlx.english.text import CACHED_TEXTS

_HELPERS = ("aux", "auxpass")
_FINITE = ("VBZ", "VBD", "VBP")
_ADJUNCTS = ("prep", "npadvmod", "advmod")
_BINDING = ("time", "duration", "condition", "reason", "purpose", "manner")


class _Verb(NamedTuple):
    """A main verb with its own words, as places."""

    place: int
    first: int
    last: int


@lru_cache(maxsize=CACHED_TEXTS)
def parted(text: str) -> tuple[str, ...]:
    """The statements that a sentence makes, in order, each a sentence that can be read; none where
    it makes one, or it is not plain which.
    """
    statements = [*_parted(text)]
    if len(statements) < 2:
        return ()
    standing: list[str] = []
    for statement in statements:
        alone = _alone(statement, standing)
        clause = read(alone) if alone else None
        if alone is None or clause is None or clause.coordinated:
            return ()
        if points_elsewhere(alone) or _has_lost_its_noun(alone):
            return ()
        if clause.verb in word_set("auxiliaries") and not clause.parts:
            return ()  # "but the zip is not"
        standing.append(alone)
    return tuple(standing)


def _has_lost_its_noun(statement: str) -> bool:
    """Whether a statement says "the green one" for what another of its sentence names."""
    tokens = parse(statement)
    return any(
        token.text.lower() in word_set("standing_for_a_noun")
        and any(tokens[n].dep in ("det", "amod") for n in children(tokens, place))
        for place, token in enumerate(tokens)
    )


def _parted(text: str) -> Iterator[str]:
    tokens = parse(text)
    words = {token.text.lower() for token in tokens}
    roots = [n for n, token in enumerate(tokens) if token.dep == "ROOT"]
    if len(roots) != 1 or not tokens[roots[0]].is_verb or words & word_set("inseparable"):
        return
    if any(token.dep in ("advcl", "csubj") or token.text in '":;()' for token in tokens):
        return
    aside = _aside(tokens)
    if aside is None:
        yield from _by_verbs(tokens, roots[0])
        return
    main, other = aside
    yield from [*_parted(main)] or [main]
    yield other


def _alone(statement: str, before: Sequence[str]) -> str | None:
    """A statement with its pronouns resolved by those before it; None where that is not sure."""
    meant = {}
    for pronoun in open_pronouns(statement) if before else ():
        named = antecedent(pronoun, before)
        if named is None:
            return None
        meant[pronoun] = named
    return resolved(statement, meant)


# A clause behind a comma


def _aside(tokens: Tokens) -> tuple[str, str] | None:
    """A sentence without its clause behind ", which" or ", who", and what that clause says."""
    for place, token in enumerate(tokens):
        if token.dep not in SUBJECTS or token.text not in word_set("tying_to_a_noun"):
            continue
        verb = token.head
        noun = tokens[verb].head
        if tokens[verb].dep != "relcl" or place < 2 or tokens[place - 1].text != ",":
            continue
        name = _name_before(tokens, noun, place - 1)
        members = subtree(tokens, verb)
        if name is None or members[0] != place:
            return None
        last = members[-1]
        while tokens[last].text in (",", "."):
            last -= 1
        behind = last + 1
        is_closed = behind < len(tokens) and tokens[behind].text in (",", ".")
        if not is_closed and behind < len(tokens):
            return None
        rest = text_between(tokens, behind + 1, len(tokens) - 1) if behind + 1 < len(tokens) else ""
        main = f"{text_between(tokens, 0, place - 2)} {rest}".rstrip(" .")
        said = text_between(tokens, place + 1, last)
        return _sentence(main), _sentence(f"{name} {said}")
    return None


def _name_before(tokens: Tokens, noun: int, comma: int) -> str | None:
    """What ends at a comma, where it is a name or the only one of its kind."""
    places = [n for n in subtree(tokens, noun) if n < comma]
    if not places or places[-1] != comma - 1 or any(tokens[n].text == "," for n in places):
        return None
    opening = tokens[places[0]]
    is_name = tokens[noun].tag in ("NNP", "NNPS")
    is_only = opening.text.lower() == "the" or opening.tag == "PRP$"
    joined = any(tokens[n].dep in ("conj", "cc") for n in places)
    if joined or not (is_name or is_only):
        return None
    return text_between(tokens, places[0], places[-1])


# Verbs that are joined


def _by_verbs(tokens: Tokens, root: int) -> Iterator[str]:
    verbs = _joined_verbs(tokens, root)
    subject = next((n for n in children(tokens, root) if tokens[n].dep in SUBJECTS), None)
    if len(verbs) < 2 or not _is_even(tokens, verbs):
        return
    if subject is None:
        if all(_is_order(tokens, verb) for verb in verbs):
            yield from (_sentence(text_between(tokens, v.first, v.last)) for v in verbs)
        return
    first = subtree(tokens, subject)[0]
    if first != verbs[0].first or any(t.text == "," for t in tokens[first:subject]):
        return  # something stands before it that may be said of both
    shared = text_between(tokens, first, subtree(tokens, subject)[-1])
    yield _sentence(text_between(tokens, verbs[0].first, verbs[0].last))
    for verb in verbs[1:]:
        begun = _beginning(tokens, verbs[0], verb, first)
        if begun is None:
            return
        said = text_between(tokens, verb.first, verb.last)
        yield _sentence(" ".join(filter(None, [shared if begun else "", *begun[1:], said])))


def _joined_verbs(tokens: Tokens, root: int) -> list[_Verb]:
    """The root and the verbs that are joined to it, each with its words; none where they cannot be
    told apart.
    """
    places = [root]
    for place in places:
        places += [
            n for n in children(tokens, place) if tokens[n].dep == "conj" and tokens[n].is_verb
        ]
    places.sort()
    starts = [0, *(_first_of(tokens, place) for place in places[1:])]
    verbs = []
    for number, (start, end) in enumerate(pairwise([*starts, len(tokens)])):
        last = end - 1
        ties = []
        while last > start and (tokens[last].dep == "cc" or tokens[last].text in (",", ".")):
            ties.append(tokens[last])
            last -= 1
        is_tied = any(tie.text.lower() in word_set("parting") or tie.text == "," for tie in ties)
        is_last = number == len(starts) - 1
        if not start <= places[number] <= last or not (is_tied or is_last):
            return []
        verbs.append(_Verb(places[number], start, last))
    joints = [t for n, t in enumerate(tokens) if t.dep == "cc" and tokens[n].head in places]
    return verbs if all(t.text.lower() in word_set("parting") for t in joints) else []


def _first_of(tokens: Tokens, verb: int) -> int:
    """The place of the first word of a verb that is joined to another."""
    own = [n for n in children(tokens, verb) if n < verb and tokens[n].dep not in ("cc", "punct")]
    return min([verb, *(subtree(tokens, n)[0] for n in own)])


def _is_order(tokens: Tokens, verb: _Verb) -> bool:
    """Whether a verb tells to do something to something: "Grease the tin"."""
    below = children(tokens, verb.place)
    return tokens[verb.place].tag == "VB" and any(tokens[n].dep in OBJECTS for n in below)


def _is_even(tokens: Tokens, verbs: Sequence[_Verb]) -> bool:
    """Whether what closes the last verb cannot be meant of those before it: they have as many times
    of their own, and something that they are said of.
    """
    first, last = verbs[0].place, verbs[-1].place
    if not all(_complements(tokens, verb.place) for verb in verbs[:-1]):
        return not any(tokens[n].dep in _ADJUNCTS for n in _complements(tokens, last))
    is_told = tokens[last].tag in ("VBD", "VBN")
    return is_told or _times(tokens, last) <= _times(tokens, first)


def _complements(tokens: Tokens, verb: int) -> list[int]:
    """What stands behind a verb and belongs to it, but for the verbs that are joined to it."""
    below = [n for n in children(tokens, verb) if n > verb]
    return [n for n in below if tokens[n].dep not in ("conj", "cc", "punct")]


def _times(tokens: Tokens, verb: int) -> int:
    """How often what stands behind a verb says when, how long or how."""
    spans = [span_of(tokens, n) for n in _complements(tokens, verb) if tokens[n].dep in _ADJUNCTS]
    kinds = [kind_of(tokens, span) for span in spans if span is not None]
    return sum(kind in _BINDING for kind in kinds)


def _beginning(tokens: Tokens, first: _Verb, verb: _Verb, subject: int) -> list[str] | None:
    """What a joined verb begins with: nothing where it has a subject of its own, "" and the helpers
    that it shares where it has none; None where that is not sure.
    """
    below = [tokens[n] for n in children(tokens, verb.place)]
    if any(token.dep in SUBJECTS for token in below):
        return []
    main, joined = tokens[first.place], tokens[verb.place]
    if not _may_share(tokens[subject], joined):
        return None
    before = [tokens[n] for n in children(tokens, first.place) if n < first.place]
    helpers = [token for token in before if token.dep in (*_HELPERS, "neg")]
    own = [token for token in below if token.dep in _HELPERS]
    if own and own[0].tag == "VB":  # "must sign in and be accompanied"
        modals = [token.text for token in helpers if token.tag == "MD"]
        is_denied = any(token.dep == "neg" for token in helpers)
        return ["", *modals] if modals and not is_denied else None
    if own or (joined.tag in _FINITE and not helpers):
        return [""]
    if not helpers:
        return None
    if joined.tag != main.tag:
        is_passive = any(token.dep == "auxpass" for token in before)
        is_finite = joined.tag == "VBZ" or (joined.tag in _FINITE and joined.text != joined.lemma)
        return [""] if is_finite and not is_passive else None
    is_denied = any(token.dep == "neg" for token in helpers)
    return None if is_denied else ["", *(token.text for token in helpers)]


def _may_share(opening: Token, verb: Token) -> bool:
    """Whether a subject is the same in two statements: not "some visitors", nor "a visitor" of a
    tale.
    """
    word = opening.text.lower()
    several = word_set("quantifiers") - {"all", "every", "each"}
    if word in several | NEGATIONS:
        return False
    return word not in word_set("singling") or verb.tag != "VBD" or word in ("the", "every", "each")


def _sentence(words: str) -> str:
    return f"{capitalised(' '.join(words.split()))}."
