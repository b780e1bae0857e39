"""Statements about kinds: how they are worded, and what follows from them, by looking at every
model.

It shares nothing with augmlx.english.logic, whose use it judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import compress, product


@dataclass(frozen=True, slots=True)
class Term:
    """A kind, or with `meant` False all that it is not."""

    name: str
    meant: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of two kinds; `how` is "all" or "some"."""

    how: str
    subject: Term
    predicate: Term

    def renamed(self, names: Mapping[str, str]) -> Claim:
        """The same of kinds with other names."""
        subject = replace(self.subject, name=names[self.subject.name])
        predicate = replace(self.predicate, name=names[self.predicate.name])
        return Claim(self.how, subject, predicate)


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
    """What a statement says of two kinds; None for one that is not understood.

    Args:
        text: in small letters and without its end mark.
        terms: the name of each kind by its singular and by its plural.
    """
    text = re.sub(r"n't\b", " not", text)
    for pattern, how in _FORMS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        words = match.groupdict()
        if words["a"] not in terms or words["b"] not in terms:
            continue
        subject = Term(terms[words["a"]], meant=not words.get("n2"))
        predicate = Term(terms[words["b"]], meant=not words.get("n1"))
        if how == "not all":
            return Claim("some", subject, replace(predicate, meant=False))
        if how == "no":
            return Claim("all", subject, replace(predicate, meant=not predicate.meant))
        return Claim(how, subject, predicate)
    return None


def follows(claim: Claim, premises: Iterable[Claim]) -> bool:
    """Whether a claim holds in every model of the premises in which no kind is empty."""
    given = tuple(premises)
    # What the kinds are called makes no difference, so that the answer is mostly known.
    numbers: dict[str, str] = {}
    for one in (*given, claim):
        for term in (one.subject, one.predicate):
            numbers.setdefault(term.name, str(len(numbers)))
    return _follows(claim.renamed(numbers), tuple(one.renamed(numbers) for one in given))


# A region of a model is what things there are and are not: kind -> whether they are of it.
_Region = Mapping[str, bool]


@cache
def _follows(claim: Claim, premises: tuple[Claim, ...]) -> bool:
    names: set[str] = set()
    for one in (*premises, claim):
        names |= {one.subject.name, one.predicate.name}
    kinds = sorted(names)
    memberships = product((True, False), repeat=len(kinds))
    regions = [dict(zip(kinds, of_kinds, strict=True)) for of_kinds in memberships]
    for taken in product((True, False), repeat=len(regions)):
        model = list(compress(regions, taken))
        if _is_model(model, kinds, premises) and not _holds(claim, model):
            return False
    return True


def _is_model(model: Sequence[_Region], kinds: Sequence[str], premises: Sequence[Claim]) -> bool:
    """Whether no kind is empty there and all premises hold."""
    for kind in kinds:
        if not any(region[kind] for region in model):
            return False
    return all(_holds(premise, model) for premise in premises)


def _holds(claim: Claim, model: Sequence[_Region]) -> bool:
    subject, predicate = claim.subject, claim.predicate
    of_subject = [region for region in model if region[subject.name] == subject.meant]
    verdicts = [region[predicate.name] == predicate.meant for region in of_subject]
    if claim.how == "some":
        return any(verdicts)
    return all(verdicts)
