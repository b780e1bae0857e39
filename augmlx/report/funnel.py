"""From requests to kept examples: what was dropped, by whom and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from augmlx.core.records import Json
from augmlx.report.gather import Gathered
from augmlx.report.text import clip

_MOST = 20
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Flow:
    """What became of the completions of one operator (or of all); shares are in % of the whole
    bar.
    """

    label: str
    kept: int
    rejected: int
    failed: int

    @property
    def total(self) -> int:
        return self.kept + self.rejected + self.failed

    def share(self, part: str) -> float:
        return round(100 * int(getattr(self, part)) / self.total, 3) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Drop:
    """How many one filter dropped, its share of the largest in %, and its most frequent reasons."""

    by: str
    count: int
    width: float
    reasons: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Funnel:
    facts: int
    produced: int
    flows: list[Flow]  # the first is the sum
    drops: list[Drop]
    left_out: int  # filters beyond the most frequent ones

    @property
    def adds_up(self) -> bool:
        return self.flows[0].total == self.produced


def build_funnel(gathered: Gathered) -> Funnel | None:
    """The counts of the manifest's stage "augment"; None where it has not finished."""
    counts = gathered.manifest.get("augment", {}).get("counts")
    if not isinstance(counts, Mapping):
        return None
    by_operator = counts.get("by_operator")
    flows = [_flow("all operators", counts)]
    if isinstance(by_operator, Mapping):
        flows += [
            _flow(clip(str(name), 40), flow) for name, flow in list(by_operator.items())[:_MOST]
        ]
    drops = _drops(counts, gathered.rejected)
    return Funnel(
        facts=number(counts, "facts"),
        produced=number(counts, "produced"),
        flows=flows,
        drops=drops[:_MOST],
        left_out=max(0, len(drops) - _MOST),
    )


def number(counts: object, key: str) -> int:
    """A count of the manifest, 0 where it has none."""
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return value if isinstance(value, int) else 0


def _flow(label: str, counts: object) -> Flow:
    return Flow(label, number(counts, "kept"), number(counts, "rejected"), number(counts, "failed"))


def _drops(counts: Mapping[str, object], rejected: list[Json]) -> list[Drop]:
    by = counts.get("by")
    totals = {str(name): number(by, name) for name in by} if isinstance(by, Mapping) else {}
    reasons: dict[str, Counter[str]] = {}
    for row in rejected:
        reasons.setdefault(str(row.get("by", "")), Counter())[
            clip(str(row.get("why", "")), 120)
        ] += 1
    largest = max(totals.values(), default=0) or 1
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [
        Drop(
            clip(name, 40),
            count,
            round(100 * count / largest, 3),
            reasons.get(name, Counter()).most_common(_REASONS),
        )
        for name, count in ordered
    ]
