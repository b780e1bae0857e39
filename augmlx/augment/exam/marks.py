"""The marks of an exam: what was kept and how much of it is right, by operator, and how many of the
facts got something right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from augmlx.augment.exam.gold import Gold
from augmlx.augment.exam.judge import QUESTION, REPHRASE, REVERSAL, Verdict, Written, judge


@dataclass(frozen=True, slots=True)
class Tally:
    """How many texts were kept, how many of those are right, and for how many facts one is."""

    kept: int
    right: int
    covered: int

    @property
    def wrong(self) -> int:
        return self.kept - self.right

    @property
    def precision(self) -> float | None:
        """The right share of what was kept; None where nothing was."""
        return self.right / self.kept if self.kept else None


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `total` facts."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share as a number; None where there are no such facts."""
        return self.count / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """For how many facts something right was kept.

    `both_ends` is over the facts that have two, `reversal` over those that can be turned.
    """

    question: Share
    both_ends: Share
    reversal: Share
    rephrase: Share
    nothing: Share


@dataclass(frozen=True, slots=True)
class Mistake:
    """A kept text that is wrong, and the rule that it breaks."""

    written: Written
    broken: str


@dataclass(frozen=True, slots=True)
class Marks:
    """The result of an exam; `not_judged` counts texts of other operators or other facts."""

    facts: int
    by_operator: dict[str, Tally]
    coverage: Coverage
    mistakes: tuple[Mistake, ...]
    not_judged: dict[str, int]

    @property
    def all(self) -> Tally:
        """Every operator together."""
        tallies = self.by_operator.values()
        return Tally(
            sum(tally.kept for tally in tallies),
            sum(tally.right for tally in tallies),
            self.facts - self.coverage.nothing.count,
        )


def mark(golds: Sequence[Gold], texts: Iterable[Written]) -> Marks:
    """Judge every text against the gold of its fact.

    Args:
        golds: the facts that were asked about; coverage is over all of them.
        texts: what was kept, in any order.
    """
    by_id = {gold.id: gold for gold in golds}
    judged: list[tuple[Written, Verdict]] = []
    not_judged: Counter[str] = Counter()
    for written in texts:
        gold = by_id.get(written.fact_id)
        verdict = None if gold is None else judge(gold, written)
        if verdict is None:
            not_judged[written.operator] += 1
        else:
            judged.append((written, verdict))
    mistakes = [Mistake(written, verdict.broken) for written, verdict in judged if verdict.broken]
    return Marks(
        len(by_id), _tallies(judged), _coverage(golds, judged), tuple(mistakes), dict(not_judged)
    )


def _tallies(judged: list[tuple[Written, Verdict]]) -> dict[str, Tally]:
    kept = Counter(written.operator for written, _ in judged)
    right = Counter(written.operator for written, verdict in judged if not verdict.broken)
    pairs = {(each.operator, each.fact_id) for each, verdict in judged if not verdict.broken}
    covered = Counter(operator for operator, _ in pairs)
    return {name: Tally(kept[name], right[name], covered[name]) for name in sorted(kept)}


def _coverage(golds: Sequence[Gold], judged: list[tuple[Written, Verdict]]) -> Coverage:
    forms: dict[str, set[str]] = {gold.id: set() for gold in golds}
    ends: dict[str, set[int | None]] = {gold.id: set() for gold in golds}
    for written, verdict in judged:
        if verdict.broken:
            continue
        forms[written.fact_id].add(verdict.form)
        if verdict.form == QUESTION:
            ends[written.fact_id].add(verdict.end)

    def having(form: str, among: list[Gold]) -> Share:
        return Share(sum(form in forms[gold.id] for gold in among), len(among))

    everything = list(golds)
    two_ended = [gold for gold in golds if len(gold.ends) > 1]
    both = sum(len(ends[gold.id]) > 1 for gold in two_ended)
    return Coverage(
        question=having(QUESTION, everything),
        both_ends=Share(both, len(two_ended)),
        reversal=having(REVERSAL, [gold for gold in golds if gold.reversal is not None]),
        rephrase=having(REPHRASE, everything),
        nothing=Share(sum(not found for found in forms.values()), len(golds)),
    )
