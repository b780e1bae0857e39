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


class Prefill:
    """Runs suffixes. Only "shared" takes suffixes of different lengths into one pass, padded on the
    right; other caches (rotating, recurrent) take them one by one, since padding would stay in
    them.
    """

    def __init__(self, model: nn.Module, head: Head, batching: Batching) -> None:
        self._net, self._head, self._batching = model, head, batching

    def run(
        self, beginnings: Sequence[Cache], suffixes: Sequence[Sequence[int]]
    ) -> tuple[Cache, mx.array]:
        """A batch cache with a row for each suffix behind its beginning, and the logits (B, V) of
        what comes next.
        """
        cache: Cache = []
        logits, order = [], list[int]()
        for part in self._parts([len(suffix) for suffix in suffixes]):
            begun = [beginnings[index] for index in part]
            made, following = self._pass(begun, [list(suffixes[index]) for index in part])
            cache = extend(cache, made)
            logits.append(following)
            order += part
        if order != sorted(order):
            back = sorted(range(len(order)), key=order.__getitem__)
            for layer in cache:
                layer.filter(back)
            logits = [mx.concatenate(logits)[mx.array(back)]]
        return cache, mx.concatenate(logits)

    def _parts(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Indices of the rows of each pass: of about the same length, since padding costs as much
        as tokens do.
        """
        most = STEP if self._head.split else min(STEP, self._head.positions)
        part: list[int] = []
        tokens = 0
        for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
            run = (len(part) + 1) * lengths[index]
            tokens += lengths[index]
            if part and (self._batching != "shared" or run > most or 8 * run > 9 * tokens):
                yield part
                part, tokens = [], lengths[index]
            part.append(index)
        yield part

    def _pass(
        self, beginnings: Sequence[Cache], suffixes: list[list[int]]
    ) -> tuple[Cache, mx.array]:
        lengths = [len(suffix) for suffix in suffixes]
        longest = max(lengths)
        padded = mx.array([suffix + [0] * (longest - len(suffix)) for suffix in suffixes])  # (B, T)
        rows, ends = mx.arange(len(suffixes)), mx.array([length - 1 for length in lengths])
        if self._batching != "shared":
            alone = copy.deepcopy(beginnings[0])
            logits = self._head.logits(padded, rows, ends, cache=alone)
            mx.eval(logits, [layer.state for layer in alone])
            return together([alone], self._batching), logits
        cache = together(beginnings, self._batching)
        padding = [longest - length for length in lengths]
        for layer in cache:
            layer.prepare(lengths=lengths, right_padding=padding)
        logits = self._head.logits(padded, rows, ends, cache=cache)
        for layer in cache:
            layer.finalize()
        mx.eval(logits, [layer.state for layer in cache])
        return cache, logits
