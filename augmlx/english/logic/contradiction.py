"""Which statements cannot both hold, found through a dictionary and not by comparing all pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from augmlx.english.logic.statement import Form, Term
from augmlx.english.logic.words import listed

_Claim = tuple[Hashable, frozenset[str]]
_YES, _NO = frozenset({"yes"}), frozenset({"no"})
_TITLES = frozenset("dr mr mrs ms mx prof st sir dame".split())


def claims(form: Form) -> tuple[_Claim, ...]:
    """What a statement fixes: (key, value) pairs. Two statements contradict each other where they
    share a key and neither of its values contains the other (`differ`).

    A universal fixes that nothing lies outside it, and that there is something of each kind it
    names: "all" and "no" of the same kinds contradict each other. A role is fixed only by a name,
    and only where one alone can fill it.
    """
    first, last = form.terms[0], form.terms[-1]
    if form.kind == "all":
        outside = (first, -last)
        there = [
            (_region(term, -other), _YES)
            for term, other in (outside, outside[::-1])
            if not term.negated
        ]
        return ((_region(*outside), _NO), *there)
    if form.kind == "some":
        return ((_region(first, last), _YES),)
    if form.kind == "is":
        return ((("is", first.key, last.key), _NO if last.negated else _YES),)
    if form.kind in ("more", "before", "in", "part"):
        kind = "in" if form.kind == "part" else form.kind
        return (((kind, form.relation, frozenset({first.key, last.key})), frozenset({first.key})),)
    if (
        form.kind == "role"
        and form.relation not in listed("shared_roles")
        and not last.text.startswith("the ")
    ):
        name = frozenset(last.key.replace(".", "").split()) - _TITLES
        return ((("role", form.relation, first.key), name),)
    if form.kind == "list":
        return ((("list", form.relation, first.key), frozenset(item.key for item in form.items)),)
    return ()


def _region(one: Term, other: Term) -> Hashable:
    return frozenset({one, other})


def differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two values of one key exclude each other; "Mara" and "Mara Voss" may be the same."""
    return not (one <= other or other <= one)


def contradicts(a: Form, b: Form) -> bool:
    return Claims((a,)).deny(b)


class Claims:
    """What a set of statements fixes, for asking in one look-up whether it denies another."""

    def __init__(self, forms: Iterable[Form] = ()) -> None:
        self._fixed: dict[Hashable, dict[frozenset[str], int]] = {}
        self._size = 0
        for form in forms:
            self.add(form)

    def add(self, form: Form) -> None:
        for key, value in claims(form):
            self._fixed.setdefault(key, {}).setdefault(value, self._size)
        self._size += 1

    def deny(self, form: Form) -> bool:
        return next(self.against(form), None) is not None

    def against(self, form: Form) -> Iterator[int]:
        """The places, by order of adding, of statements that contradict this one; of several that
        fix the same, the first. One at a time: of a thing that thousands of statements disagree
        about, the first is mostly enough.
        """
        for key, value in claims(form):
            for other, place in self._fixed.get(key, {}).items():
                if differ(value, other):
                    yield place
