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

Cache = list[Any]
Tokens = tuple[int, ...]
LEAST = 16  # tokens that a cache must save; a pass of the model for fewer costs about what it saves
STEP = 2048  # tokens in one pass of the model


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all rows start with."""
    low, high = (
        min(map(list, rows)),
        max(map(list, rows)),
    )  # where any two rows differ, the extremes do
    length = next(
        (i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b),
        min(len(low), len(high)),
    )
    return low[:length]


@dataclass(frozen=True, slots=True)
class Tree:
    """For each token list the longest beginning that is to be cached, and for each of these the one
    it goes on from.
    """

    of: dict[Tokens, Tokens]
    above: dict[Tokens, Tokens]


def tree(lists: Iterable[Tokens], ends: Iterable[Tokens] = ()) -> Tree:
    """What is to be cached for some token lists: where two of them part, and the `ends` given, so
    far as it is at least LEAST tokens longer than what is cached above it.
    """
    ordered = sorted({*lists, *ends})
    worth = {*ends, *(tuple(common_prefix(pair)) for pair in pairwise(ordered))}
    of: dict[Tokens, Tokens] = {}
    above: dict[Tokens, Tokens] = {}
    path: list[Tokens] = [()]
    for tokens in sorted({*ordered, *worth}):  # what a list begins with sorts before it
        while tokens[: len(path[-1])] != path[-1]:
            path.pop()
        if tokens in worth and len(tokens) - len(path[-1]) >= LEAST:
            above[tokens] = path[-1]
            path.append(tokens)
        of[tokens] = path[-1]
    return Tree(of, above)


def _chain(tokens: Tokens, tree: Tree) -> tuple[Tokens, ...]:
    """A beginning and all that it goes on from, the longest first."""
    return (tokens, *_chain(tree.above[tokens], tree)) if tokens else ()


class Prefixes:
    """Caches by the tokens they hold. Together they hold at most `limit` tokens, but the newest in
    any case.
    """

    def __init__(self, model: nn.Module, limit: int, count: TokenCount) -> None:
        self._net, self._limit, self._count = model, limit, count
        self._empty: Cache = list(make_prompt_cache(model))
        self._kept: dict[tuple[Tokens, ...], Cache] = {}  # by chain, the least recently used first

    @property
    def kept(self) -> list[Tokens]:
        """What is cached, the least recently used first."""
        return [chain[0] for chain in self._kept]

    def cache(self, tokens: Tokens, tree: Tree) -> Cache:
        """A cache that holds `tokens`, made from the one above it in the tree. It is not to be
        written to.

        What it is made from decides its last bits, so it is kept under all that stands above it:
        what was asked before must not tell in a result, or a resumed run would go on to other
        bytes.
        """
        if not tokens:
            return self._empty
        begun = self.cache(tree.above[tokens], tree)
        chain = _chain(tokens, tree)
        if (found := self._kept.pop(chain, None)) is None:
            found = copy.deepcopy(begun)
            self._run(found, tokens[len(tree.above[tokens]) :])
        self._kept[chain] = found
        while len(self._kept) > 1 and sum(map(len, self.kept)) > self._limit:
            del self._kept[next(iter(self._kept))]
        return found

    def _run(self, cache: Cache, tokens: Tokens) -> None:
        self._count.prefilled += len(tokens)
        for start in range(0, len(tokens), STEP):
            self._net(mx.array([tokens[start : start + STEP]]), cache=cache)
            mx.eval([layer.state for layer in cache])
