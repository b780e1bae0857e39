"""The KV caches of beginnings that prompts share, kept as a tree: each is prefilled once, from the
one it goes on from.

Which beginnings are worth a cache is read off the token lists themselves, so that an operator's
instruction and exemplars are found to be the common head of many longer prefixes without anyone
saying so.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import make_prompt_cache

from augmlx.engines.protocol import TokenCount

Cache = list[Any]  # one of mlx-lm's caches for each layer
Tokens = tuple[int, ...]
LEAST = 16  # tokens that a cache must save; a pass of the model for fewer costs about what it saves
STEP = 2048  # tokens in one pass of the model


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all rows start with."""
    lists = [list(row) for row in rows]
    low, high = min(lists), max(lists)  # where any two rows differ, these two do
    for index, (low_token, high_token) in enumerate(zip(low, high, strict=False)):
        if low_token != high_token:
            return low[:index]
    return low  # which, sorting first, is the shorter one


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What is to be cached for some token lists.

    Attributes:
        beginning: of each list its longest beginning that is to be cached; () for none.
        parent: of each of these the shorter one that it goes on from; () for none.
    """

    beginning: dict[Tokens, Tokens]
    parent: dict[Tokens, Tokens]

    def chain(self, tokens: Tokens) -> tuple[Tokens, ...]:
        """A beginning and all that it goes on from, the longest first."""
        links = []
        while tokens:
            links.append(tokens)
            tokens = self.parent[tokens]
        return tuple(links)


def plan_caches(lists: Iterable[Tokens], ends: Iterable[Tokens] = ()) -> CachePlan:
    """What is to be cached for some token lists: where two of them part, and the `ends` given, so
    far as it is at least LEAST tokens longer than what is cached above it.
    """
    ends = set(ends)
    ordered = sorted({*lists, *ends})
    partings = {tuple(common_prefix(pair)) for pair in pairwise(ordered)}
    candidates = ends | partings
    plan = CachePlan({}, {})
    path: list[Tokens] = [()]
    for tokens in sorted({*ordered, *candidates}):  # what a list begins with sorts before it
        while tokens[: len(path[-1])] != path[-1]:
            path.pop()
        above = path[-1]
        if tokens in candidates and len(tokens) - len(above) >= LEAST:
            plan.parent[tokens] = above
            path.append(tokens)
        plan.beginning[tokens] = path[-1]
    return plan


class Prefixes:
    """Caches by the tokens they hold. Together they hold at most `limit` tokens, but the newest in
    any case.
    """

    def __init__(self, model: nn.Module, limit: int, count: TokenCount) -> None:
        self._net = model
        self._limit = limit
        self._count = count
        self._empty: Cache = list(make_prompt_cache(model))
        self._cache_of_chain: dict[tuple[Tokens, ...], Cache] = {}  # least recently used first

    @property
    def kept(self) -> list[Tokens]:
        """What is cached, the least recently used first."""
        return [chain[0] for chain in self._cache_of_chain]

    def cache(self, tokens: Tokens, plan: CachePlan) -> Cache:
        """A cache that holds `tokens`, made from its parent's. It is not to be written to.

        What it is made from decides its last bits, so it is kept under all that stands above it:
        what was asked before must not tell in a result, or a resumed run would go on to other
        bytes.
        """
        if not tokens:
            return self._empty
        parent = plan.parent[tokens]
        cache_of_parent = self.cache(parent, plan)
        chain = plan.chain(tokens)
        cache = self._cache_of_chain.pop(chain, None)
        if cache is None:
            cache = copy.deepcopy(cache_of_parent)
            self._run(cache, tokens[len(parent) :])
        self._cache_of_chain[chain] = cache
        self._drop_oldest()
        return cache

    def _drop_oldest(self) -> None:
        while len(self._cache_of_chain) > 1 and sum(map(len, self.kept)) > self._limit:
            oldest = next(iter(self._cache_of_chain))
            del self._cache_of_chain[oldest]

    def _run(self, cache: Cache, tokens: Tokens) -> None:
        """Put tokens through the model, onto the end of a cache."""
        self._count.prefilled += len(tokens)
        for start in range(0, len(tokens), STEP):
            step = mx.array([tokens[start : start + STEP]])  # (1, T)
            self._net(step, cache=cache)
            mx.eval([layer.state for layer in cache])
