"""What follows from statements about kinds, by looking at every model; the judge of the logical
operators of bench_quality.py. It shares nothing with augmlx's rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress, product


@dataclass(frozen=True, slots=True)
class Statement:
    """`how` is "all" or "some"; a term is a name and whether it is meant or its complement."""

    how: str
    subject: tuple[str, bool]
    predicate: tuple[str, bool]

    @property
    def terms(self) -> frozenset[str]:
        """The names of both."""
        subject, _ = self.subject
        predicate, _ = self.predicate
        return frozenset({subject, predicate})


Region = Mapping[str, bool]  # things that are alike: a name -> whether they are of it
_N = r"(?P<n1>not )?(?:an? )?(?P<b>.+?)"
_FORMS = (  # (pattern, how, sign of the subject, sign of the predicate); "not" turns a sign round
    (r"(?:all|all the) (?P<a>.+?) are (?P<n1>not )?(?P<b>.+)", "all"),
    (r"(?:every|each|any|an?) (?P<a>.+?) is " + _N, "all"),
    (
        r"(?:anything|everything|whatever|something) that is (?P<n2>not )?(?:an? )?(?P<a>.+?) is "
        + _N,
        "all",
    ),
    (r"if something is (?P<n2>not )?(?:an? )?(?P<a>.+?),?(?: then)? it is " + _N, "all"),
    (r"no (?P<a>.+?) (?:are|is)(?: an?)? (?P<b>.+)", "no"),
    (r"(?:nothing|no one) that is (?P<n2>not )?(?:an? )?(?P<a>.+?) is " + _N, "no"),
    (r"(?:some|many|at least one) (?P<a>.+?) (?:are|is) " + _N, "some"),
    (r"(?P<a>.+?) (?:is|are) " + _N, "all"),
)


def read(text: str, terms: Mapping[str, str]) -> Statement | None:
    """A statement about kinds and single things; `terms` names each by its singular and plural, in
    small letters.
    """
    text = re.sub(r"\s+", " ", text.strip().lower()).rstrip(".")
    text = re.sub(r"(?<=\w)n't\b", " not", text)
    for pattern, how in _FORMS:
        match = re.fullmatch(pattern, text)
        if match is None:
            continue
        groups = match.groupdict()
        subject = terms.get(groups["a"])
        predicate = terms.get(groups["b"])
        if subject is None or predicate is None:
            continue
        subject_is_meant = not groups.get("n2")
        predicate_is_meant = not groups.get("n1")
        if how == "no":
            return Statement(
                "all", (subject, subject_is_meant), (predicate, not predicate_is_meant)
            )
        return Statement(how, (subject, subject_is_meant), (predicate, predicate_is_meant))
    return None


def follows(conclusion: Statement, premises: Sequence[Statement], filled: frozenset[str]) -> bool:
    """Whether the conclusion holds in every model of the premises in which the terms of `filled`
    have members.
    """
    names = set(conclusion.terms)
    for premise in premises:
        names |= premise.terms
    return _follows(conclusion, tuple(premises), tuple(sorted(names)), filled)


@cache
def _follows(
    conclusion: Statement,
    premises: tuple[Statement, ...],
    names: tuple[str, ...],
    filled: frozenset[str],
) -> bool:
    for model in _models(names):
        if not all(_has_members(name, model) for name in filled.intersection(names)):
            continue
        if not all(_holds(premise, model) for premise in premises):
            continue
        if not _holds(conclusion, model):
            return False
    return True


def _models(names: Sequence[str]) -> Iterator[list[Region]]:
    """Every world there can be, up to how many things are alike: each region has some or none."""
    both = (True, False)
    regions = [dict(zip(names, signs, strict=True)) for signs in product(both, repeat=len(names))]
    for choice in product(both, repeat=len(regions)):
        yield list(compress(regions, choice))


def _has_members(name: str, model: Sequence[Region]) -> bool:
    return any(region[name] for region in model)


def _holds(statement: Statement, model: Sequence[Region]) -> bool:
    """Whether a statement is true in a model."""
    subject, subject_is_meant = statement.subject
    predicate, predicate_is_meant = statement.predicate
    spoken_of = [region for region in model if region[subject] == subject_is_meant]
    agreeing = [region for region in spoken_of if region[predicate] == predicate_is_meant]
    if statement.how == "some":
        return bool(agreeing)
    return len(agreeing) == len(spoken_of)
