"""A plain English sentence for a form, such that `parse` reads the same form back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from augmlx.english.logic.clauses import negated
from augmlx.english.logic.statement import Form, Kind, Term
from augmlx.english.nouns import plural, singular, with_article

_Parts = tuple[str, str]  # all but the last of the things that are spoken of, and that one


def say(form: Form) -> str:
    """One sentence; singulars and plurals that did not stand in the text are guessed by rule."""
    _, last = _SAYINGS[form.kind](form)
    return f"{opening(form)} {last}."


def opening(form: Form) -> str:
    """What the sentence begins with: all but the last of the things that it speaks of."""
    first, _ = _SAYINGS[form.kind](form)
    return first[0].upper() + first[1:]


def _one(term: Term) -> str:
    noun = singular(term.text) if term.plural else term.text
    return with_article(noun)


def _many(term: Term) -> str:
    return term.text if term.plural else plural(term.text)


def _not(term: Term) -> str:
    return " not" if term.negated else ""


def _all(form: Form) -> _Parts:
    subject, predicate = form.said
    if subject.negated:
        start = f"anything that is not {_one(subject)} is{_not(predicate)}"
        return start, _one(predicate)
    quantifier = "no" if predicate.negated else "all"
    return f"{quantifier} {_many(subject)} are", _many(predicate)


def _some(form: Form) -> _Parts:
    subject, predicate = form.said
    prefix = "non-" if subject.negated else ""
    start = f"some {prefix}{_many(subject)} are{_not(predicate)}"
    return start, _many(predicate)


def _is(form: Form) -> _Parts:
    thing, kind = form.terms
    start = f"{thing.text} is{_not(kind)}"
    return start, _one(kind)


def _relation(form: Form) -> _Parts:
    first, second = form.said
    return f"{first.text} {form.word}", second.text


def _if(form: Form) -> _Parts:
    first, second = map(_clause, form.terms)
    return f"if {first}, then", second


def _clause(term: Term) -> str:
    return negated(term.text) if term.negated else term.text


def _role(form: Form) -> _Parts:
    thing, filler = form.terms
    start = f"the {form.word} of {thing.text} is"
    return start, filler.text


def _member(form: Form) -> _Parts:
    member, whole = form.terms
    role = with_article(form.word)
    return f"{member.text} is {role} of", whole.text


def _list(form: Form) -> _Parts:
    owners = [term.text for term in form.terms]
    items = [term.text for term in form.items]
    if not items:
        return " and ".join(owners), f"have no {plural(form.word)} in common"
    if form.kind == "union":
        owner = " or ".join(owners)
    elif form.kind == "common":
        owner = f"both {' and '.join(owners)}"
    else:
        owner = owners[0]
    *others, last = items
    if not others:
        return f"the only {form.word} of {owner} is", last
    return f"the {plural(form.word)} of {owner} are", f"{', '.join(others)} and {last}"


_SAYINGS: Mapping[Kind, Callable[[Form], _Parts]] = {
    "all": _all,
    "some": _some,
    "is": _is,
    "more": _relation,
    "before": _relation,
    "in": _relation,
    "part": _relation,
    "if": _if,
    "role": _role,
    "member": _member,
    "list": _list,
    "union": _list,
    "common": _list,
}
