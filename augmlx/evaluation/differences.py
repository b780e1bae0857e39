"""Which arm is better at what, item by item: two arms that answered the same items are compared on
each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augmlx.core.records import EvalItem, EvalResult
from augmlx.evaluation.statistics import LEAST_CLUSTERS, bootstrap, mcnemar
from augmlx.evaluation.summary import Difference


def differences(
    results: Sequence[EvalResult],
    items: Sequence[EvalItem],
    pairs: Sequence[tuple[str, str]],
    *,
    seed: int,
    cluster_of: Mapping[str, str] | None = None,
) -> list[Difference]:
    """A row for each kind and pair whose arms both answered items of that kind, by kind and in the
    order of the pairs.

    The interval is a bootstrap over the clusters; one to which fewer than LEAST_CLUSTERS clusters
    contribute a difference always reaches 0.

    Args:
        pairs: (arm, against).
        cluster_of: item id -> what it belongs to, where that is not the first fact that the item
            names. An item without either is on its own.
    """
    correct: dict[str, dict[str, bool]] = {}  # arm -> item id
    for result in results:
        correct.setdefault(result.arm, {})[result.item_id] = result.correct
    rows: list[Difference] = []
    for kind in dict.fromkeys(item.kind for item in items):
        of_kind = [item for item in items if item.kind == kind]
        for arm, against in pairs:
            ours, theirs = correct.get(arm, {}), correct.get(against, {})
            both = [item for item in of_kind if item.id in ours and item.id in theirs]
            changes = [int(ours[item.id]) - int(theirs[item.id]) for item in both]
            if not both:
                continue
            clusters: dict[str, list[float]] = {}
            for item, change in zip(both, changes, strict=True):
                clusters.setdefault(_cluster(item, cluster_of or {}), []).append(change)
            low, high = _interval(list(clusters.values()), seed=f"{seed}:{kind}:{arm}:{against}")
            gained, lost = changes.count(1), changes.count(-1)
            row = Difference(
                kind=kind,
                arm=arm,
                against=against,
                n=len(both),
                difference=(gained - lost) / len(both),
                low=low,
                high=high,
                p=mcnemar(gained, lost),
                only_arm=gained,
                only_against=lost,
                differs=low > 0 or high < 0,
            )
            rows.append(row)
    return rows


def _cluster(item: EvalItem, cluster_of: Mapping[str, str]) -> str:
    """The name of an item's cluster, with where it is from: a fact and an item may have one id."""
    if item.id in cluster_of:
        return f"named:{cluster_of[item.id]}"
    if item.fact_ids:
        return f"fact:{item.fact_ids[0]}"
    return f"item:{item.id}"


def _interval(clusters: Sequence[Sequence[float]], *, seed: str) -> tuple[float, float]:
    """Clusters in which the arms are equal do not tell which is better, however many there are:
    four that differ, all one way, among a hundred have p = 0.125, and yet hardly one resample in
    fifty is without any of them.
    """
    low, high = bootstrap(clusters, seed=seed)
    differing = [values for values in clusters if sum(values) != 0]
    if len(differing) < LEAST_CLUSTERS:
        return min(low, 0.0), max(high, 0.0)
    return low, high
