"""A clause in another order, still about the same: a time, place or circumstance put first or last,
or its subject singled out.
"""

from __future__ import annotations

from functools import lru_cache

from augmlx.english.clauses.beginning import may_begin, names_him_first
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised, closed
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.turned import (
    Turned,
    is_pronoun,
    leaves_a_sentence,
    may_speak_of_another,
    moved_first,
    said,
)
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS


@lru_cache(maxsize=CACHED_TEXTS)
def fronted(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said in another order, its subject still before what is said
    of it: a time, place or circumstance put first, or one that stood first put last.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.coordinated:
        return ()
    if clause.tells_of_existence or clause.is_narrowed or clause.defines:
        return ()
    ways = [
        moved_first(clause, clause.subject, part)
        for part in clause.complements
        if _is_circumstance(part)
        and may_begin(clause, part)
        and leaves_a_sentence(clause, part)
        and not may_speak_of_another(clause, part)
    ]
    if len(clause.fronted) == 1 and not names_him_first(clause):
        (moved,) = clause.fronted
        closes = [part.role == "clause" for part in clause.complements]
        if moved.preposition in word_set("set_off") or (any(closes) and moved.role != "clause"):
            return tuple(ways)
        first, *others = said(clause, clause.subject, moved)
        parts = (*others, clause.lowered(moved))
        ways.append(Turned(capitalised(first), parts, clause.stop))
    return tuple(ways)


@lru_cache(maxsize=CACHED_TEXTS)
def singled_out(text: str) -> tuple[Turned, ...]:
    """ "Ana led the lab." -> "It was Ana who" led the lab, "Ana was the one who" led the lab; none
    where it is not known whether the subject is somebody or something.
    """
    clause = read(text)
    if clause is None or clause.subject is None or clause.fronted:
        return ()
    if clause.coordinated and clause.has_second_subject:
        return ()
    subject = clause.subject
    first = subject.text.split()[0].lower()
    is_bounded = first in word_set("quantifying") | word_set("choosing")
    if subject.kind == "unknown" or is_pronoun(subject) or is_bounded or clause.tells_of_existence:
        return ()
    if _is_defined(clause, subject) or says_who_twice(clause):
        return ()
    be = "was" if clause.is_past else "is"
    attribute = clause.attribute if clause.verb == "be" else None
    is_somebody = "person" in (subject.kind, attribute and attribute.kind)
    are_together = clause.tokens[subject.head].lemma in word_set("gatherings")
    word = "who" if is_somebody and not are_together else "that"
    parts = (" ".join(clause.group), *map(clause.lowered, clause.complements))
    parts = (clause.predicate,) if clause.is_said_whole else parts
    ways = [Turned(f"It {be} {closed(clause.lowered(subject))} {word}", parts, clause.stop)]
    if not clause.is_plural(subject) and _is_the_only_one(clause, subject):
        ways.append(Turned(f"{closed(subject.text)} {be} the one {word}", parts, clause.stop))
    return tuple(ways)


def _is_the_only_one(clause: Clause, subject: Phrase) -> bool:
    """Whether a subject is known as one: a name, or behind "the"; nobody says "A ticket is the
    one".
    """
    first = subject.text.split()[0].lower()
    is_name = _is_a_name(clause, subject) and first not in word_set("indefinite")
    is_owned = "'s " in subject.text or first in word_set("pointing_back")
    return is_name or is_owned or first in ("the", *word_set("pointing_words"))


def _is_defined(clause: Clause, subject: Phrase) -> bool:
    """Whether the clause says what its subject is, and not of whom something holds: "The port is
    7155.", "A gimmer is a young ewe."; nobody says "It is the port that is 7155.".
    """
    attribute = clause.attribute
    if clause.verb in word_set("defining_verbs"):
        return True
    if clause.verb != "be" or attribute is None or _is_a_name(clause, subject):
        return False
    return clause.tokens[attribute.head].tag.startswith(("N", "CD", "$"))


def says_who_twice(clause: Clause) -> bool:
    """Whether what somebody or something is said to be has a clause of its own: nobody says "It is
    Ana who is the painter who left."
    """
    attribute = clause.attribute if clause.verb == "be" else None
    return attribute is not None and not word_set("relative_pronouns").isdisjoint(
        attribute.text.lower().split()
    )


def _is_a_name(clause: Clause, subject: Phrase) -> bool:
    """Whether a subject is a name, and no common noun that was read as one: not "Amber"."""
    is_read_so = clause.tokens[subject.head].tag == "NNP"
    return is_read_so and any(map(str.isupper, clause.lowered(subject)))


def _is_circumstance(part: Phrase) -> bool:
    if part.role == "clause":
        return part.kind in ("reason", "condition")
    is_moved = part.kind == "time" or part.preposition in word_set("fronting") | word_set("static")
    is_adjunct = part.role == "adjunct" and bool(part.preposition)
    return is_adjunct and is_moved and part.kind in ("time", "place")
