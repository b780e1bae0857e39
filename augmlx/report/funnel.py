"""From requests to kept examples: what was dropped, by whom and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from augmlx.core.records import Json
from augmlx.report.gather import Gathered
from augmlx.report.manifest import count_of, counts_of
from augmlx.report.text import clip, label

_MOST_OPERATORS = 20
_MOST_FILTERS = 20
_MOST_REASONS = 3
_MOST_FACTS = 20


@dataclass(frozen=True, slots=True)
class Flow:
    """What became of the completions of one operator, or of all."""

    label: str
    kept: int
    rejected: int
    failed: int

    @property
    def total(self) -> int:
        """All completions."""
        return self.kept + self.rejected + self.failed

    def share(self, part: str) -> float:
        """Of one of the three parts, in % of the whole bar."""
        if not self.total:
            return 0.0
        count = int(getattr(self, part))
        return _percentage(count, self.total)


@dataclass(frozen=True, slots=True)
class Drop:
    """How many one filter dropped, its share of the largest in %, and its most frequent reasons."""

    by: str
    count: int
    width: float
    reasons: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Funnel:
    """From facts to kept examples."""

    facts: int
    produced: int
    flows: list[Flow]  # the first is the sum
    drops: list[Drop]
    left_out: int  # filters beyond the most frequent ones

    @property
    def adds_up(self) -> bool:
        """Whether nothing disappeared on the way."""
        return self.flows[0].total == self.produced


@dataclass(frozen=True, slots=True)
class Missing:
    """Facts of which nothing was kept in one direction, for one reason."""

    operator: str
    by: str
    count: int
    facts: list[tuple[str, str]]  # (id, "facts.csv:17"), the first ones


def build_missing(gathered: Gathered) -> list[Missing]:
    """What is missing, direction by direction, the most frequent reason first."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for gap in gathered.uncovered:
        place = clip(gap.fact, 60), clip(gap.source, 60)
        groups.setdefault((gap.operator, gap.by), []).append(place)
    operators = list(dict.fromkeys(operator for operator, _ in groups))
    ordered = sorted(groups, key=lambda key: (operators.index(key[0]), -len(groups[key]), key[1]))
    return [
        Missing(label(operator), label(by), len(facts), facts[:_MOST_FACTS])
        for operator, by in ordered[:_MOST_OPERATORS]
        for facts in [groups[operator, by]]
    ]


def build_funnel(gathered: Gathered) -> Funnel | None:
    """The counts of the manifest's stage "augment"; None where it has not finished."""
    counts = counts_of(gathered.manifest, "augment")
    if counts is None:
        return None
    drops = _drops(counts.get("by"), gathered.rejected)
    return Funnel(
        facts=count_of(counts, "facts"),
        produced=count_of(counts, "produced"),
        flows=_flows(counts),
        drops=drops[:_MOST_FILTERS],
        left_out=max(0, len(drops) - _MOST_FILTERS),
    )


def _percentage(part: int, whole: int) -> float:
    """Exact enough for the width of a bar."""
    return round(100 * part / whole, 3)


def _flows(counts: Mapping[str, object]) -> list[Flow]:
    """That of all operators, then that of each."""
    flows = [_flow("all operators", counts)]
    by_operator = counts.get("by_operator")
    if not isinstance(by_operator, Mapping):
        return flows
    for name in list(by_operator)[:_MOST_OPERATORS]:
        flow = _flow(label(name), by_operator[name])
        flows.append(flow)
    return flows


def _flow(name: str, counts: object) -> Flow:
    return Flow(
        label=name,
        kept=count_of(counts, "kept"),
        rejected=count_of(counts, "rejected"),
        failed=count_of(counts, "failed"),
    )


def _drops(count_by_filter: object, rejected: list[Json]) -> list[Drop]:
    """The filters, the most frequent first."""
    if not isinstance(count_by_filter, Mapping):
        return []
    totals = {str(name): count_of(count_by_filter, name) for name in count_by_filter}
    largest = max(totals.values(), default=0) or 1
    reasons = _reasons(rejected)
    drops = []
    for name in sorted(totals, key=lambda name: (-totals[name], name)):
        drop = Drop(
            by=label(name),
            count=totals[name],
            width=_percentage(totals[name], largest),
            reasons=reasons[name].most_common(_MOST_REASONS),
        )
        drops.append(drop)
    return drops


def _reasons(rejected: list[Json]) -> dict[str, Counter[str]]:
    """Filter -> how often each of its reasons was given."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rejected:
        name = str(row.get("by", ""))
        why = clip(row.get("why", ""), 120)
        reasons[name][why] += 1
    return reasons
