"""A sentence, read once as a clause; nothing where it cannot be read whole."""

from __future__ import annotations

from functools import lru_cache

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.misreading import is_a_sentence, is_whole
from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.parts import parts_of
from augmlx.english.clauses.phrase import (
    OBJECTS,
    PARTS,
    SUBJECTS,
    Tokens,
    children,
    span_of,
    subtree,
)
from augmlx.english.clauses.tokens import parse
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS

_HELPERS = {"aux", "auxpass", "neg"}


@lru_cache(maxsize=CACHED_TEXTS)
def read(text: str) -> Clause | None:
    """A one-sentence statement as a clause; None where it cannot be read whole: without a finite
    verb, with a word that has no place, or with one that has two.
    """
    tokens = parse(text)
    roots = [n for n, token in enumerate(tokens) if token.dep == "ROOT"]
    if len(roots) != 1 or not tokens[roots[0]].is_verb:
        return None
    if any(token.text in (":", ";") for token in tokens):
        return None
    (root,) = roots
    below = children(tokens, root)
    subjects = [n for n in below if tokens[n].dep in (*SUBJECTS, "expl") and n < root]
    if len(subjects) > 1:
        return None
    helpers = [n for n in below if tokens[n].dep in _HELPERS or _is_within(tokens, root, n)]
    if any(tokens[n].tag == "TO" for n in helpers):
        return None  # "Press it to lock the screen."
    if sum(_is_within(tokens, root, n) or tokens[n].dep == "neg" for n in helpers) > 1:
        return None  # "is not always": which of them is denied?
    particles = [n for n in below if tokens[n].dep == "prt" or _is_light(tokens, n)]
    clause = _clause(text, tokens, root, subjects, helpers, particles)
    if not is_a_sentence(clause):
        return None
    verb = {root, *helpers, *particles}
    return clause if clause.coordinated or is_whole(clause, verb) else None


def _clause(
    text: str,
    tokens: Tokens,
    root: int,
    subjects: list[int],
    helpers: list[int],
    particles: list[int],
) -> Clause:
    below = children(tokens, root)
    behind_particles = [n for place in particles for n in children(tokens, place)]
    places = [n for n in (*below, *behind_particles) if tokens[n].dep in PARTS]
    parts = parts_of(tokens, [n for n in places if n not in (*helpers, *particles)])
    first = min([*subjects, root, *helpers])
    before = tokens[subtree(tokens, first)[0] if subjects else first].start
    span = span_of(tokens, subjects[0]) if subjects else None
    return Clause(
        text=text,
        tokens=tokens,
        subject=phrases.phrase(tokens, span, "subject", kind_of(tokens, span)) if span else None,
        root=root,
        helpers=tuple(tokens[n].text for n in helpers),
        particle=" ".join(tokens[n].text for n in particles),
        complements=tuple(part for part in parts if part.start > tokens[root].start),
        fronted=tuple(part for part in parts if part.end <= before),
        passive=any(tokens[n].dep.endswith("pass") for n in subjects),
        coordinated=any(tokens[n].dep in ("conj", "cc") for n in below)
        or _hides_a_verb(tokens)
        or any(_goes_on(tokens, n) for n in below if n > root),
    )


def _hides_a_verb(tokens: Tokens) -> bool:
    """Whether a second verb was read as a noun: "flows through Brennick and empties into"."""
    return any(
        token.dep == "conj"
        and token.tag == "NNS"
        and tokens[token.head].tag == "NNP"
        and not children(tokens, place)
        for place, token in enumerate(tokens)
    )


def _is_within(tokens: Tokens, root: int, place: int) -> bool:
    """Whether a word is an adverb within the verb: "is usually caused", "now leads", "is often"."""
    word = tokens[place]
    listed = word_set("frequencies") | word_set("placed_in_time")
    if word.dep != "advmod" or word.text.lower() not in listed or children(tokens, place):
        return False
    if tokens[root].lemma == "be" and place == root + 1:
        return True
    return 0 < place < root and all(
        tokens[n].dep in (*_HELPERS, "advmod") for n in range(place, root)
    )


def _goes_on(tokens: Tokens, place: int) -> bool:
    """Whether a clause says behind a comma what else is done: ", turning them once"."""
    before = subtree(tokens, place)[0] - 1
    is_doing = tokens[place].tag == "VBG" and tokens[place].dep == "advcl"
    has_own = any(tokens[n].dep in ("mark", *SUBJECTS) for n in children(tokens, place))
    return is_doing and not has_own and tokens[before].text == ","


def _is_light(tokens: Tokens, place: int) -> bool:
    """Whether an object is part of its verb: "takes place"."""
    token = tokens[place]
    is_alone = not children(tokens, place)
    return token.dep in OBJECTS and is_alone and token.lemma in word_set("light_objects")
