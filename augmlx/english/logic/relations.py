"""Statements about two definite things: comparisons, order, places; and where "is" stands between
them, what description.py makes of it.
"""

from __future__ import annotations

import re

from augmlx.english.adjectives import degree, is_comparative
from augmlx.english.lexicon import word_set
from augmlx.english.logic.description import (
    closed_list,
    described_list,
    equation,
    nothing_in_common,
)
from augmlx.english.logic.phrases import generic, noun, thing
from augmlx.english.logic.statement import Form, Term
from augmlx.english.names import is_number

_RELATION = re.compile(
    r"""(?P<x>.+?)\ (?P<verb>
      (?:is|are)\ (?:(?P<degree>more|less)\ (?P<adjective>[a-z]+(?:-[a-z]+)*)
                |(?P<er>(?!earlier|later)[a-z]+))\ than
    | (?:is|are|was|were|comes?|came|takes?\ place|took\ place|happens?|happened|occurs?|occurred)
      \ (?:(?P<early>before|earlier\ than)|after|later\ than)
    | (?P<ahead>precedes?|preceded)
    | (?P<follow>follows?|followed)
    | (?:is|are)\ (?:a\ )?(?P<part>part)\ of
    | (?:(?:is|are)(?:\ located|\ situated)?|lies?|stands?)\ (?P<within>in|inside|within)
    | (?P<contains>contains?)
    | (?P<consists>consists?)\ of
    | have\ no\ (?P<none>[a-z]+)\ in\ common
    | (?P<copula>is|are)
    )(?:\ (?P<y>.+))?""",
    re.VERBOSE,
)


def relation(body: str) -> Form | None:
    """The form of a sentence without its period that is neither a conditional nor about kinds."""
    found = _RELATION.fullmatch(body)
    if found is None:
        return None
    x, y = found["x"], found["y"]
    if found["none"]:
        return None if y else nothing_in_common(x, found["none"])
    if not y:
        return None
    if found["copula"]:
        return described_list(x, y) if found["copula"] == "are" else equation(x, y)
    if found["consists"]:
        return closed_list("list", [x], noun("part"), y)
    if found["degree"] or found["er"]:
        return _comparison(found)
    first, second = thing(x), thing(y)
    if first is None or second is None or first.key == second.key:
        return None
    if found["part"] or found["contains"] or found["within"]:
        return _place(found, first, second)
    return _order(found, first, second)


def _place(found: re.Match[str], first: Term, second: Term) -> Form | None:
    """ "A is part of B", "A is in B", "B contains A"."""
    verb = found["verb"]
    if found["part"]:
        return Form("part", (first, second), word=verb)
    if found["contains"]:
        return Form("in", (second, first), word=verb, turned=True)
    if _is_date(second):
        return None
    return Form("in", (first, second), word=verb)


def _is_date(term: Term) -> bool:
    """ "in 1998", "in May", "in spring": no place."""
    if term.key in word_set("seasons"):
        return True
    return is_number(term.text) or is_number(f"1 {term.text}")


def _order(found: re.Match[str], first: Term, second: Term) -> Form | None:
    """ "A was before B", "B followed A".

    A person may follow another anywhere; of events that have an article and a name it is an order.
    """
    verb = found["verb"]
    if found["early"] or found["ahead"]:
        return Form("before", (first, second), word=verb)
    if found["follow"] and not (_is_event(first) and _is_event(second)):
        return None
    return Form("before", (second, first), word=verb, turned=True)


def _is_event(term: Term) -> bool:
    """Whether a thing is named as events are: "the Siege of Orm"."""
    return term.text.startswith("the ") and not term.text.islower()


def _comparison(found: re.Match[str]) -> Form | None:
    """ "A is larger than B", "A is less dangerous than B"."""
    by_ending = bool(found["er"])
    adjective = found["er"] if by_ending else found["adjective"]
    if by_ending and not is_comparative(adjective):
        return None
    first, second = _compared(found["x"]), _compared(found["y"])
    if first is None or second is None or first.key == second.key:
        return None
    is_kind = second.text.islower() and not second.text.startswith("the ")
    if is_kind and " " not in first.text:
        first = _without_capital(first)  # which only opened the sentence
    scale, sign = degree(adjective, comparative=by_ending)
    turned = (sign < 0) != (found["degree"] == "less")
    terms = (second, first) if turned else (first, second)
    return Form("more", terms, scale, word=found["verb"], turned=turned)


def _without_capital(term: Term) -> Term:
    text = term.text[0].lower() + term.text[1:]
    return Term(term.key, text)


def _compared(text: str) -> Term | None:
    """One of the two that are compared: a thing, or things of a kind."""
    return thing(text) or generic(text)
