"""A plain English sentence for a form, such that `parse` reads the same form back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from augmlx.english.logic.clauses import negated
from augmlx.english.logic.statement import Form, Kind, Term
from augmlx.english.logic.words import plural, singular, with_article


def say(form: Form) -> str:
    """One sentence; singulars and plurals that did not stand in the text are guessed by rule."""
    return f"{opening(form)} {_SAYINGS[form.kind](form)[1]}."


def opening(form: Form) -> str:
    """What the sentence begins with: all but the last of the things that it speaks of."""
    first = _SAYINGS[form.kind](form)[0]
    return first[0].upper() + first[1:]


def _one(term: Term) -> str:
    return with_article(singular(term.text) if term.plural else term.text)


def _many(term: Term) -> str:
    return term.text if term.plural else plural(term.text)


def _not(term: Term) -> str:
    return " not" if term.negated else ""


def _all(form: Form) -> tuple[str, str]:
    subject, predicate = form.said
    if subject.negated:
        return f"anything that is not {_one(subject)} is{_not(predicate)}", _one(predicate)
    return f"{'no' if predicate.negated else 'all'} {_many(subject)} are", _many(predicate)


def _some(form: Form) -> tuple[str, str]:
    subject, predicate = form.said
    return f"some {'non-' if subject.negated else ''}{_many(subject)} are{_not(predicate)}", _many(
        predicate
    )


def _is(form: Form) -> tuple[str, str]:
    thing, kind = form.terms
    return f"{thing.text} is{_not(kind)}", _one(kind)


def _relation(form: Form) -> tuple[str, str]:
    first, second = form.said
    return f"{first.text} {form.word}", second.text


def _if(form: Form) -> tuple[str, str]:
    first, second = (negated(term.text) if term.negated else term.text for term in form.terms)
    return f"if {first}, then", second


def _role(form: Form) -> tuple[str, str]:
    thing, filler = form.terms
    return f"the {form.word} of {thing.text} is", filler.text


def _member(form: Form) -> tuple[str, str]:
    member, whole = form.terms
    return f"{member.text} is {with_article(form.word)} of", whole.text


def _list(form: Form) -> tuple[str, str]:
    wholes = [term.text for term in form.terms]
    items = [term.text for term in form.items]
    if not items:
        return " and ".join(wholes), f"have no {plural(form.word)} in common"
    owner = {
        "list": wholes[0],
        "union": " or ".join(wholes),
        "common": f"both {' and '.join(wholes)}",
    }[form.kind]
    if len(items) == 1:
        return f"the only {form.word} of {owner} is", items[0]
    return f"the {plural(form.word)} of {owner} are", f"{', '.join(items[:-1])} and {items[-1]}"


_SAYINGS: Mapping[Kind, Callable[[Form], tuple[str, str]]] = {
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
