"""How many augmentations are trained on: split.per_fact and split.ratio."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from augmlx.core.decimals import times
from augmlx.core.records import Example
from augmlx.core.settings import SplitSettings


def surplus_of(
    augmented: Callable[[], Iterable[Example]],
    settings: SplitSettings,
    *,
    originals: int,
    seed: int,
) -> Callable[[Example], bool]:
    """Whether an example is beyond the limits per fact and per original.

    Of a fact, each operator's first is preferred to any operator's second; over all facts, every
    fact's first to any fact's second, and a lot drawn decides the rest.

    Args:
        augmented: gives the same augmentations each time it is called.
        settings: holds the limits; 0 is none.
        originals: how many facts there are.
        seed: of the lot.
    """
    if not settings.per_fact and not settings.ratio:
        return lambda _example: False
    ranks = _ranks(augmented())
    chosen = list(ranks)
    if settings.per_fact:
        chosen = [example_id for example_id in chosen if ranks[example_id] < settings.per_fact]
    if settings.ratio:
        most = math.floor(times(settings.ratio, originals))
        chosen = _first(chosen, most, ranks, seed)
    within = set(chosen)
    return lambda example: example.id not in within


def _ranks(examples: Iterable[Example]) -> dict[str, int]:
    """Example id -> its rank among those of the same fact, from 0."""
    places: dict[str, list[tuple[int, int, str]]] = {}  # by fact: (nth of its operator, number, id)
    counts: Counter[tuple[str, str]] = Counter()
    for number, example in enumerate(examples):
        fact_id, operator = example.origin.fact_ids[0], example.origin.operator
        place = (counts[fact_id, operator], number, example.id)
        places.setdefault(fact_id, []).append(place)
        counts[fact_id, operator] += 1
    ranks = {}
    for places_of_fact in places.values():
        for rank, (_, _, example_id) in enumerate(sorted(places_of_fact)):
            ranks[example_id] = rank
    return ranks


def _first(ids: list[str], most: int, ranks: Mapping[str, int], seed: int) -> list[str]:
    """The `most` with the lowest ranks, by lot among equals."""
    if len(ids) <= most:
        return ids

    def rank_and_lot(example_id: str) -> tuple[int, bytes]:
        lot = hashlib.sha256(f"{seed}:mix:{example_id}".encode()).digest()
        return ranks[example_id], lot

    return sorted(ids, key=rank_and_lot)[:most]
