"""The clauses of a conditional, and which of them "not" can deny."""

from __future__ import annotations

import re

from augmlx.english.logic.phrases import TOKEN, is_content, thing
from augmlx.english.logic.statement import Term

_CLAUSE = re.compile(r"(.+?) (is|are|was|were|can|will)( ?not)? (.+)")


def clause(text: str) -> Term | None:
    each = text.casefold().split(" ")
    if len(each) < 2 or not all(TOKEN.fullmatch(word) for word in each) or _BINDING & set(each):
        return None
    found = _CLAUSE.fullmatch(text)
    if (
        found is not None
        and found[3]
        and can_be_negated(bare := f"{found[1]} {found[2]} {found[4]}")
    ):
        return Term(bare.casefold(), bare, negated=True)
    return Term(text.casefold(), text)


_BINDING = frozenset("if then unless because that who which".split())
# Words after a clause's auxiliary that "not" passes by.
_HARMLESS = frozenset(
    "a an the in on at by to from for with into near under over of be being been his her "
    "its".split()
)


def can_be_negated(clause: str) -> bool:
    """Whether "not" after the auxiliary denies the whole clause: one subject, one verb, nothing
    counted or joined.
    """
    found = _CLAUSE.fullmatch(clause)
    if found is None or found[3]:
        return False
    simple = (
        word.casefold() in _HARMLESS or (is_content(word) and "'" not in word)
        for word in found[4].split(" ")
    )
    return all(simple) and (found[1].casefold() == "it" or thing(found[1]) is not None)


def negated(clause: str) -> str:
    """The denial of a clause that can be negated."""
    found = _CLAUSE.fullmatch(clause)
    assert found is not None
    return f"{found[1]} {found[2]}{'' if found[2] == 'can' else ' '}not {found[4]}"
