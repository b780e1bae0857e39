"""What follows from statements about kinds, by looking at every model; the judge of the logical
operators of bench_quality.py. It shares nothing with augmlx's rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product


@dataclass(frozen=True, slots=True)
class Statement:
    """`how` is "all" or "some"; a term is a name and whether it is meant or its complement."""

    how: str
    subject: tuple[str, bool]
    predicate: tuple[str, bool]

    @property
    def terms(self) -> frozenset[str]:
        return frozenset({self.subject[0], self.predicate[0]})


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
        found = re.fullmatch(pattern, text)
        if found is None:
            continue
        a, b = terms.get(found["a"]), terms.get(found["b"])
        if a is None or b is None:
            continue
        groups = found.groupdict()
        sign = not groups.get("n1")
        return Statement(
            "some" if how == "some" else "all",
            (a, not groups.get("n2")),
            (b, sign != (how == "no")),
        )
    return None


def follows(conclusion: Statement, premises: Sequence[Statement], filled: frozenset[str]) -> bool:
    """Whether the conclusion holds in every model of the premises in which the terms of `filled`
    have members.
    """
    names = sorted(frozenset().union(*(s.terms for s in (*premises, conclusion))))
    return _follows(conclusion, tuple(premises), tuple(names), filled)


@cache
def _follows(
    conclusion: Statement,
    premises: tuple[Statement, ...],
    names: tuple[str, ...],
    filled: frozenset[str],
) -> bool:
    regions = [
        dict(zip(names, held, strict=True)) for held in product((True, False), repeat=len(names))
    ]
    for taken in product((True, False), repeat=len(regions)):
        model = [region for region, there in zip(regions, taken, strict=True) if there]
        filling = all(any(region[name] for region in model) for name in filled & set(names))
        if filling and all(_holds(p, model) for p in premises) and not _holds(conclusion, model):
            return False
    return True


def _holds(statement: Statement, model: Sequence[Mapping[str, bool]]) -> bool:
    (subject, meant), (predicate, wanted) = statement.subject, statement.predicate
    found = (region[predicate] == wanted for region in model if region[subject] == meant)
    return any(found) if statement.how == "some" else all(found)
