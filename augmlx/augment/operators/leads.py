"""How the results of an operator on a fact begin, and what each of them asks for."""

from __future__ import annotations

from typing import NamedTuple

from augmlx.augment.operators.rendering import answer_of, opening
from augmlx.augment.operators.schema import Operator
from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.clause import read
from augmlx.english.clauses.phrase import capitalised
from augmlx.english.clauses.reversing import fronted, reversals

_MOST = 2  # of one fact and operator


class Lead(NamedTuple):
    """What a completion goes on from.

    Attributes:
        opening: the words that it must begin with; "" leaves the beginning to the model.
        answer: what it must ask for, where it is a question.
    """

    opening: str = ""
    answer: str = ""


def leads(operator: Operator, text: str) -> tuple[Lead, ...]:
    """The leads of an operator on a fact, the surest first; at least one.

    Where the form of the fact is known, they are whole phrases of it. Elsewhere it is what the
    fact begins or ends with, as far as that can be told.
    """
    found = _known(operator, text)
    if found:
        return tuple(found[:_MOST])
    return (Lead(opening(operator, text), answer_of(operator, text)),)


def _known(operator: Operator, text: str) -> list[Lead]:
    """The leads of a fact whose form is known."""
    if operator.answer != "none":
        about_subject = operator.answer == "first"
        found = [ask for ask in asks(text) if ask.about_subject == about_subject]
        return [Lead(ask.opening, ask.answer) for ask in found]
    if operator.prefill == "turned":
        return [Lead(turned.opening) for turned in reversals(text)]
    clause = read(text) if operator.prefill == "fronted" else None
    if clause is None or clause.subject is None:
        return []
    moved = [Lead(turned.opening) for turned in fronted(text)]
    return [*moved[:1], Lead(capitalised(clause.subject.text))]
