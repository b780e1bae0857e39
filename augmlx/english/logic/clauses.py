"""The clauses of a conditional, and which of them "not" can deny."""

from __future__ import annotations

import re

from augmlx.english.lexicon import word_set
from augmlx.english.logic.phrases import TOKEN, is_content, thing
from augmlx.english.logic.statement import Term

_CLAUSE = re.compile(r"(.+?) (is|are|was|were|can|will)( ?not)? (.+)")


def clause(text: str) -> Term | None:
    """A clause as a term, negated where "not" denies all of it.

    None where it is no clause of words alone, or more than one.
    """
    each_word = text.casefold().split(" ")
    if len(each_word) < 2 or not all(TOKEN.fullmatch(word) for word in each_word):
        return None
    if not word_set("clause_binders").isdisjoint(each_word):
        return None
    found = _CLAUSE.fullmatch(text)
    if found is not None and found[3]:
        affirmed = f"{found[1]} {found[2]} {found[4]}"
        if can_be_negated(affirmed):
            return Term(affirmed.casefold(), affirmed, negated=True)
    return Term(text.casefold(), text)


def can_be_negated(clause: str) -> bool:
    """Whether "not" after the auxiliary denies the whole clause: one subject, one verb, nothing
    counted or joined.
    """
    found = _CLAUSE.fullmatch(clause)
    if found is None or found[3]:
        return False
    if not all(map(_is_passed_by_not, found[4].split(" "))):
        return False
    return found[1].casefold() == "it" or thing(found[1]) is not None


def _is_passed_by_not(word: str) -> bool:
    if word.casefold() in word_set("passed_by_not"):
        return True
    return is_content(word) and "'" not in word


def negated(clause: str) -> str:
    """The denial of a clause that can be negated: "the lamp is on" -> "the lamp is not on"."""
    found = _CLAUSE.fullmatch(clause)
    assert found is not None
    subject, auxiliary, _, rest = found.groups()
    denied = "cannot" if auxiliary == "can" else f"{auxiliary} not"
    return f"{subject} {denied} {rest}"
