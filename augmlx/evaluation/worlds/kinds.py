"""Statements about kinds: how they are worded, and what follows from them, by looking at every
model.

It shares nothing with augmlx.english.logic, whose use it judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product


@dataclass(frozen=True, slots=True)
class Claim:
    """`how` is "all" or "some"; a term is a name, and whether it is meant or all that it is not."""

    how: str
    subject: tuple[str, bool]
    predicate: tuple[str, bool]

    @property
    def terms(self) -> frozenset[str]:
        return frozenset({self.subject[0], self.predicate[0]})

    def called(self, names: Mapping[str, str]) -> Claim:
        """The same of kinds with other names."""
        (subject, meant), (predicate, wanted) = self.subject, self.predicate
        return Claim(self.how, (names[subject], meant), (names[predicate], wanted))


_A, _B = r"(?:the )?(?P<a>[a-z-]+)", r"(?P<n1>not )?(?:an? )?(?P<b>[a-z-]+)"
_FORMS = tuple(
    (re.compile(pattern), how)
    for pattern, how in (  # the first that matches counts; "not" turns a term round
        (rf"(?:not all|not every) {_A} (?:is|are) (?:an? )?(?P<b>[a-z-]+)", "not all"),
        (rf"(?:all|every|each|any|an?)(?: of)? {_A} (?:is|are) {_B}", "all"),
        (rf"(?:any|every)thing that is (?P<n2>not )?(?:an? )?{_A} is {_B}", "all"),
        (rf"if something is (?P<n2>not )?(?:an? )?{_A},?(?: then)? it is {_B}", "all"),
        (rf"nothing that is (?P<n2>not )?(?:an? )?{_A} is {_B}", "no"),
        (rf"(?:no|none of) {_A} (?:are|is)(?: an?)? (?P<b>[a-z-]+)", "no"),
        (rf"(?:some|many|at least one)(?: of)? {_A} (?:are|is) {_B}", "some"),
        (rf"{_A} (?:is|are) (?:a |an )?(?:kind|type|sort)s? of (?P<b>[a-z-]+)", "all"),
        (r"(?:the )?(?P<b>[a-z-]+) includes? (?:all )?(?:the )?(?P<a>[a-z-]+)", "all"),
        (rf"{_A} (?:is|are) {_B}", "all"),
    )
)


def read(text: str, terms: Mapping[str, str]) -> Claim | None:
    """A statement in small letters and without its end mark; None for one that is not understood.
    `terms` has the name of each kind by its singular and by its plural.
    """
    text = re.sub(r"n't\b", " not", text)
    for pattern, how in _FORMS:
        found = pattern.fullmatch(text)
        if found is None or found["a"] not in terms or found["b"] not in terms:
            continue
        groups = found.groupdict()
        meant = not groups.get("n1")
        subject = (terms[found["a"]], not groups.get("n2"))
        if how == "not all":
            return Claim("some", subject, (terms[found["b"]], False))
        return Claim(
            "some" if how == "some" else "all", subject, (terms[found["b"]], meant != (how == "no"))
        )
    return None


def follows(claim: Claim, premises: Iterable[Claim]) -> bool:
    """Whether a claim holds in every model of the premises in which no kind is empty."""
    given = tuple(premises)
    # What the kinds are called makes no difference, so that the answer is mostly known.
    names = dict.fromkeys(
        name for one in (*given, claim) for name, _ in (one.subject, one.predicate)
    )
    places = {name: str(place) for place, name in enumerate(names)}
    return _follows(claim.called(places), tuple(one.called(places) for one in given))


@cache
def _follows(claim: Claim, premises: tuple[Claim, ...]) -> bool:
    names = sorted(frozenset().union(*(one.terms for one in (*premises, claim))))
    regions = [
        dict(zip(names, held, strict=True)) for held in product((True, False), repeat=len(names))
    ]
    for taken in product((True, False), repeat=len(regions)):
        model = [region for region, there in zip(regions, taken, strict=True) if there]
        filled = all(any(region[name] for region in model) for name in names)
        if filled and all(_holds(one, model) for one in premises) and not _holds(claim, model):
            return False
    return True


def _holds(claim: Claim, model: Sequence[Mapping[str, bool]]) -> bool:
    (subject, meant), (predicate, wanted) = claim.subject, claim.predicate
    found = (region[predicate] == wanted for region in model if region[subject] == meant)
    return any(found) if claim.how == "some" else all(found)
