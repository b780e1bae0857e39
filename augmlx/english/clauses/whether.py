"""Whom and what a statement names, the question whether it holds, and other questions of it."""

from __future__ import annotations

import re

from augmlx.english.clauses.asking import inverted
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import capitalised
from augmlx.english.clauses.reading import read
from augmlx.english.lexicon import AUXILIARIES, COPULAS
from augmlx.english.renaming import named

_LONGEST = 4  # words of a name
_NAMED_THING = re.compile(r"[Tt]he [A-Z].* (?P<noun>[a-z]+)")  # "the Heron lamp"


def whether(text: str) -> str | None:
    """ "Ada designed the lamp." -> "Did Ada design the lamp?"; None where that is not known."""
    clause = read(text)
    if clause is None or clause.coordinated or clause.negations or clause.fronted:
        return None
    opening = inverted(clause) if clause.subject else None
    if opening is None:
        return None
    words = [capitalised(opening[0]), opening[1], *map(clause.lowered, clause.complements)]
    return " ".join(filter(None, words)) + "?"


def agreed(text: str) -> str | None:
    """The statement as the answer to whether it holds: "Yes, Ada designed the lamp."."""
    clause = read(text)
    if clause is None or clause.subject is None or clause.fronted:
        return None
    return f"Yes, {clause.lowered(clause.subject)}{clause.text[clause.subject.end :]}"


def of_another(text: str, other: str) -> str | None:
    """A statement with the subject of another that tells the like: with the same verb, and where it
    says what somebody is, the same noun. None where that one tells something else.
    """
    own, another = read(text), read(other)
    if own is None or another is None or own.subject is None or another.subject is None:
        return None
    if _tells(own) != _tells(another) or own.subject.text == another.subject.text or own.fronted:
        return None
    subject = another.subject.text if own.subject.start == 0 else another.lowered(another.subject)
    return own.text[: own.subject.start] + subject + own.text[own.subject.end :]


def _tells(clause: Clause) -> tuple[str, str, str, bool]:
    """What a clause tells of its subject, without of what."""
    attribute, subject = clause.attribute, clause.subject
    noun = clause.tokens[attribute.head].lemma if attribute else ""
    return clause.verb, noun, subject.kind if subject else "", clause.passive


def names_in(text: str) -> list[str]:
    """Who does what in a statement, as far as it is a name: "the Heron lamp" whole."""
    clause = read(text)
    if clause is None:
        return []
    parts = [part for part in (clause.subject, clause.object, clause.agent) if part is not None]
    return [
        part.noun if part.preposition else clause.lowered(part)
        for part in parts
        if len(named(part.noun)) == 1 and len(part.noun.split()) <= _LONGEST
    ]


def which(question: str, answer: str) -> str | None:
    """ "What did Ada design?", the Heron lamp -> "Which lamp did Ada design?"."""
    word, helper, *rest = [*question.split(), "", ""]
    thing = _NAMED_THING.fullmatch(answer.strip(" ."))
    if word != "What" or helper not in AUXILIARIES - COPULAS or thing is None:
        return None
    return " ".join(filter(None, ["Which", thing["noun"], helper, *rest]))
