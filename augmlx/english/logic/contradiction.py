"""Which statements cannot both hold, found through a dictionary and not by comparing all pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from augmlx.english.lexicon import word_set
from augmlx.english.logic.statement import Form, Term

_Claim = tuple[Hashable, frozenset[str]]
_YES, _NO = frozenset({"yes"}), frozenset({"no"})


def claims(form: Form) -> tuple[_Claim, ...]:
    """What a statement fixes, as pairs of a key and a value.

    Two statements contradict each other where they share a key and neither of its values contains
    the other (`differ`).

    A universal fixes that nothing lies outside it, and that there is something of each kind it
    names: "all" and "no" of the same kinds contradict each other. A role is fixed only by a name,
    and only where one alone can fill it.
    """
    first, last = form.terms[0], form.terms[-1]
    if form.kind == "all":
        return _universal_claims(first, -last)
    if form.kind == "some":
        return ((_region(first, last), _YES),)
    if form.kind == "is":
        return ((("is", first.key, last.key), _NO if last.negated else _YES),)
    if form.kind in ("more", "before", "in", "part"):
        # A part is inside its whole.
        kind = "in" if form.kind == "part" else form.kind
        ends = frozenset({first.key, last.key})
        return (((kind, form.relation, ends), frozenset({first.key})),)
    if form.kind == "role" and _has_one_filler(form):
        names = frozenset(last.key.replace(".", "").split()) - word_set("honorifics")
        return ((("role", form.relation, first.key), names),)
    if form.kind == "list":
        items = frozenset(item.key for item in form.items)
        return ((("list", form.relation, first.key), items),)
    return ()


def _universal_claims(kind: Term, outside: Term) -> tuple[_Claim, ...]:
    """That nothing is of a kind and outside the other, and that there is some of each."""
    claimed = [(_region(kind, outside), _NO)]
    for term, other in ((kind, outside), (outside, kind)):
        if not term.negated:
            claimed.append((_region(term, -other), _YES))
    return tuple(claimed)


def _region(one: Term, other: Term) -> Hashable:
    """What is of both kinds; the same for either order."""
    return frozenset({one, other})


def _has_one_filler(role: Form) -> bool:
    """Whether a role is filled by a name, and by no second one."""
    if role.relation in word_set("shared_roles"):
        return False
    return not role.terms[-1].text.startswith("the ")


def differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two values of one key exclude each other.

    They do not where one contains the other: "Mara" and "Mara Voss" may be the same.
    """
    return not (one <= other or other <= one)


def contradicts(a: Form, b: Form) -> bool:
    """Whether two statements cannot both hold."""
    return Claims((a,)).deny(b)


class Claims:
    """What a set of statements fixes, for asking in one look-up whether it denies another.

    Args:
        forms: statements to begin with.
    """

    def __init__(self, forms: Iterable[Form] = ()) -> None:
        self._fixed: dict[Hashable, dict[frozenset[str], int]] = {}
        self._size = 0
        for form in forms:
            self.add(form)

    def add(self, form: Form) -> None:
        """Add one more statement; of several that fix the same, the first is kept."""
        for key, value in claims(form):
            self._fixed.setdefault(key, {}).setdefault(value, self._size)
        self._size += 1

    def deny(self, form: Form) -> bool:
        """Whether some statement contradicts this one."""
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
