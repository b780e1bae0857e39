"""How the results of an operator on a fact begin, and what each of them asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from augmlx.augment.operators.rendering import answer_of, opening
from augmlx.augment.operators.schema import Operator
from augmlx.english.clauses.asking import Ask, asks
from augmlx.english.clauses.gist import gists
from augmlx.english.clauses.phrase import capitalised
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.reordering import fronted, singled_out
from augmlx.english.clauses.reversing import reversals
from augmlx.english.clauses.turned import Turned

_MOST = 2  # of one fact and operator


class Lead(NamedTuple):
    """One result that is wanted of an operator on a fact.

    Attributes:
        source: what it says again: the fact, or the plain statement in it.
        openings: what its completions must begin with, from the fewest words to the most: where a
            model goes astray behind the first, it may not behind the next. "" leaves the beginning
            to the model.
        answer: what it must ask for, where it is a question.
    """

    source: str
    openings: tuple[str, ...] = ("",)
    answer: str = ""


def leads(operator: Operator, text: str) -> tuple[Lead, ...]:
    """The leads of an operator on a fact, the surest first; at least one.

    Of a fact by itself they are drawn from the plain statements in it where it has more words
    around them. Where the form of a statement is known, they are whole phrases of it. Elsewhere it
    is what the statement begins or ends with, as far as that can be told; or, where the model
    chooses what to ask for or how to begin, nothing.
    """
    if operator.answer == "by-model":
        return (Lead(text),)
    is_begun = operator.arity == "one" and (operator.asks or operator.prefill != "none")
    sources = (is_begun and gists(text)) or (text,)
    found = [lead for source in sources for lead in _known(operator, source)]
    if found:
        return tuple(found[:_MOST])
    source = sources[0]
    return (Lead(source, (opening(operator, source),), answer_of(operator, source)),)


def _known(operator: Operator, text: str) -> list[Lead]:
    """The leads of a fact whose form is known."""
    if operator.asks:
        about_subject = operator.answer == "first"
        found = [ask for ask in asks(text) if ask.about_subject == about_subject]
        return [_of_question(text, ask) for ask in found]
    if operator.prefill == "turned":
        return [_of_statement(text, way) for way in reversals(text)]
    return _of_rephrasing(text) if operator.prefill == "fronted" else []


def _of_rephrasing(text: str) -> list[Lead]:
    """With a circumstance first, with the subject singled out, and from the subject on."""
    clause = read(text)
    if clause is None or clause.subject is None:
        return []
    ways = [*fronted(text)[:1], *singled_out(text)[:1]]
    leads_of_ways = [_of_statement(text, way) for way in ways]
    return [*leads_of_ways, Lead(text, (capitalised(clause.subject.text),))]


def _of_question(source: str, ask: Ask) -> Lead:
    """With the words that open it, and with the first of those that follow."""
    return Lead(source, _openings(ask.opening, _begun(ask)), ask.answer)


def _begun(ask: Ask) -> list[str]:
    """The words that follow: the first part, which is the verb where the question is not about the
    subject ("What did Ana Bell" "found"), or of an only part what comes before its last name ("Who
    is" "the head of the").
    """
    if not ask.parts:
        return []
    first = ask.parts[0].text
    if len(ask.parts) > 1 or not ask.about_subject:
        return [first]
    before = re.match(r".* of (?:the )?", first)
    return [before[0].rstrip()] if before else []


def _of_statement(source: str, way: Turned) -> Lead:
    """With the words that open it ("The mill was built by"), and with all but its last part."""
    by = ["by"] if way.parts and way.parts[0].startswith("by ") else []
    first = " ".join((way.opening, *by))
    *parts, last = way.parts or ("",)
    behind = [*parts, *(["by"] if last.startswith("by ") else [])]
    return Lead(source, _openings(first, [] if behind == by else behind, way.opening))


def _openings(first: str, more: Sequence[str], stem: str = "") -> tuple[str, ...]:
    """The first opening, and the longer one: `stem`, or the first itself, with more words."""
    return (first, " ".join((stem or first, *more))) if more else (first,)
