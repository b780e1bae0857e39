"""Prefill: what stands behind the cached beginnings of some prompts, run into one batch cache."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Literal

import mlx.core as mx
import mlx.nn as nn

from augmlx.engines.mlx.prefixes import STEP, Cache
from augmlx.engines.mlx.shared_attention import SharedKVCache
from augmlx.models.heads import Head

# How rows come together in a batch: "shared" (beginnings kept once), "merged" (mlx-lm's batch
# caches, a copy of the beginning for each row), "alone" (mlx-lm batches this model wrongly).
Batching = Literal["shared", "merged", "alone"]


def together(beginnings: Sequence[Cache], batching: Batching) -> Cache:
    """A batch cache whose rows stand behind their beginnings, layer by layer."""
    layers = zip(*beginnings, strict=True)
    if batching == "shared":
        return [SharedKVCache(layer) for layer in layers]
    return [type(layer[0]).merge(layer) for layer in layers]


def extend(cache: Cache, other: Cache) -> Cache:
    """The rows of both, those of `other` last. Either may be empty."""
    for layer, more in zip(cache, other, strict=False):
        layer.extend(more)
    return cache or other


def padded(rows: Sequence[Sequence[int]]) -> mx.array:
    """B rows of up to T tokens -> (B, T), padded with zeros on the right."""
    longest = max(map(len, rows))
    return mx.array([[*row, *[0] * (longest - len(row))] for row in rows])


def prepare_padding(cache: Cache, lengths: list[int]) -> None:
    """Tell a batch cache how long its next rows are without their padding, in tokens."""
    longest = max(lengths)
    padding = [longest - length for length in lengths]
    for layer in cache:
        layer.prepare(lengths=lengths, right_padding=padding)


def finalize(cache: Cache) -> None:
    """Let a batch cache drop the padding of the rows that it was given."""
    for layer in cache:
        layer.finalize()


class Prefill:
    """Runs suffixes. Only "shared" takes suffixes of different lengths into one pass, padded on the
    right; other caches (rotating, recurrent) take them one by one, since padding would stay in
    them.
    """

    def __init__(self, model: nn.Module, head: Head, batching: Batching) -> None:
        self._net = model
        self._head = head
        self._batching = batching

    def run(
        self, beginnings: Sequence[Cache], suffixes: Sequence[Sequence[int]]
    ) -> tuple[Cache, mx.array]:
        """A batch cache with a row for each suffix behind its beginning, and the logits (B, V) of
        what comes next.
        """
        cache: Cache = []
        parts_of_logits = []
        order: list[int] = []
        for part in self._parts([len(suffix) for suffix in suffixes]):
            part_cache, part_logits = self._pass(
                [beginnings[index] for index in part], [suffixes[index] for index in part]
            )
            cache = extend(cache, part_cache)
            parts_of_logits.append(part_logits)
            order += part
        logits = mx.concatenate(parts_of_logits)
        if order != sorted(order):
            back = sorted(range(len(order)), key=order.__getitem__)
            for layer in cache:
                layer.filter(back)
            logits = logits[mx.array(back)]
        return cache, logits

    def _parts(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Indices of the rows of each pass: of about the same length, since padding costs as much
        as tokens do.
        """
        part: list[int] = []
        tokens = 0
        for index in sorted(range(len(lengths)), key=lambda row: (lengths[row], row)):
            length = lengths[index]
            if part and not self._fit(len(part) + 1, length, tokens + length):
                yield part
                part, tokens = [], 0
            part.append(index)
            tokens += length
        yield part

    def _fit(self, rows: int, longest: int, tokens: int) -> bool:
        """Whether rows of so many tokens in all may be one pass, padded to the longest."""
        if self._batching != "shared":
            return False
        most = STEP if self._head.split else min(STEP, self._head.positions)
        run = rows * longest
        return run <= most and 8 * run <= 9 * tokens

    def _pass(
        self, beginnings: Sequence[Cache], suffixes: Sequence[Sequence[int]]
    ) -> tuple[Cache, mx.array]:
        """One pass of the model: a batch cache, and the logits (B, V) behind each suffix."""
        lengths = [len(suffix) for suffix in suffixes]
        tokens = padded(suffixes)  # (B, T)
        rows = mx.arange(len(suffixes))  # (B,)
        ends = mx.array([length - 1 for length in lengths])  # (B,)
        if self._batching != "shared":
            alone = copy.deepcopy(beginnings[0])
            logits = self._head.logits(tokens, rows, ends, cache=alone)
            _evaluate(logits, alone)
            return together([alone], self._batching), logits
        cache = together(beginnings, self._batching)
        prepare_padding(cache, lengths)
        logits = self._head.logits(tokens, rows, ends, cache=cache)
        finalize(cache)
        _evaluate(logits, cache)
        return cache, logits


def _evaluate(logits: mx.array, cache: Cache) -> None:
    mx.eval(logits, [layer.state for layer in cache])
