"""Attention over a beginning that rows of a batch share: its keys and values are kept once and read
once.

mlx-lm's batch caches hold the shared beginning again for every row, and each row's query then reads
its own copy. Here the queries of all rows go through the one copy as one matrix product, the rest
of each row as usual, and the two are put together by their log-sum-exp (as in Hydragen, Juravsky et
al. 2024, arXiv 2402.05099). Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import BatchKVCache, KVCache


class _OwnKVCache(BatchKVCache):  # type: ignore[misc]
    step = 32  # most rows are short, and every copy of a cache copies its room, too


class SharedKVCache:
    """One layer's cache of a batch: of each row what stands behind its beginning, and the
    beginnings themselves.

    It has the interface of mlx-lm's batch caches. `beginnings`: one KVCache a row, the same object
    where rows share it; they are read and never written. Raises ValueError where a model asks for a
    window: that would hide parts of a beginning.
    """

    def __init__(self, beginnings: Sequence[KVCache]) -> None:
        no_padding = [0] * len(beginnings)
        self._own = _OwnKVCache(no_padding)
        self._place(list(beginnings))

    def _place(self, beginnings: list[KVCache]) -> None:
        """Set the beginning of each row, and the groups: (beginning, rows in a line that share
        it).
        """
        self._beginnings = beginnings
        self._starts = mx.array([cache.offset for cache in beginnings])  # (B,)
        self.groups: list[tuple[KVCache, int]] = []
        for _, same in groupby(beginnings, key=id):
            beginning, *others = same
            self.groups.append((beginning, 1 + len(others)))

    @property
    def offset(self) -> mx.array:
        """(B,) positions of the next token."""
        offset: mx.array = self._starts + self._own.offset
        return offset

    @property
    def state(self) -> Any:
        return self._own.state

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Add (B, G, L, D) keys and values of the rows' own; returns all of them: (B, G, T, D)."""
        own: tuple[mx.array, mx.array] = self._own.update_and_fetch(keys, values)
        return own

    def make_mask(
        self,
        N: int,  # noqa: N803
        return_array: bool = False,
        window_size: int | None = None,
    ) -> mx.array:
        """(B, 1, N, own tokens). The beginning is seen whole."""
        if window_size is not None:
            raise ValueError("a shared beginning cannot be seen through a window")
        mask: mx.array = self._own.make_mask(N, return_array)
        return mask

    def prepare(self, *, lengths: list[int], right_padding: list[int]) -> None:
        """Announce rows of so many tokens with so much padding behind them; see `finalize`."""
        self._own.prepare(lengths=lengths, right_padding=right_padding)

    def finalize(self) -> None:
        """Move the padding of the rows that were announced to their left, where it is masked."""
        self._own.finalize()

    def filter(self, rows: list[int]) -> None:
        """Keep these rows, in this order; a row may stand several times."""
        self._own.filter(rows)
        self._place([self._beginnings[row] for row in rows])

    def extend(self, other: SharedKVCache) -> None:
        """Add the rows of another batch."""
        self._own.extend(other._own)
        self._place(self._beginnings + other._beginnings)

    def attend(
        self,
        queries: mx.array,
        keys: mx.array,
        values: mx.array,
        scale: float,
        mask: mx.array | None,
        sinks: mx.array | None,
    ) -> mx.array:
        """queries (B, H, L, D) -> (B, H, L, D); `keys` and `values` (B, G, T, D) of G groups of
        heads are the rows' own. What models/attention_hook.py calls.
        """
        if sinks is not None:
            raise ValueError("a shared beginning cannot be attended to with sinks")
        batch, heads, length, width = queries.shape
        groups = keys.shape[1]
        scaled = queries * scale
        grouped = scaled.reshape(batch, groups, -1, width)  # (B, G, H/G * L, D)
        if mask is not None:  # (B, 1, L, T), the same for each head of a group
            mask = mx.tile(mask, (1, 1, heads // groups, 1))
        own, own_mass = _weighed(grouped, keys, values, mask)
        shared, shared_mass = self._attend_to_beginnings(grouped, values.shape[-1])
        share = mx.sigmoid(shared_mass - own_mass)  # (B, G, H/G * L, 1) of the whole softmax
        mixed = shared * share + own * (1 - share)
        return mixed.astype(queries.dtype).reshape(batch, heads, length, -1)

    def _attend_to_beginnings(self, queries: mx.array, width: int) -> tuple[mx.array, mx.array]:
        """queries (B, G, M, D) -> what they see of their beginnings (B, G, M, width), and its mass
        (B, G, M, 1).
        """
        values = []
        masses = []
        first = 0
        for beginning, rows in self.groups:
            part, mass = _behind(queries[first : first + rows], beginning, width)
            values.append(part)
            masses.append(mass)
            first += rows
        return mx.concatenate(values), mx.concatenate(masses)


def _behind(queries: mx.array, beginning: KVCache, width: int) -> tuple[mx.array, mx.array]:
    """queries (n, G, M, D) of rows that share a beginning -> what they see of it (n, G, M, width),
    and its mass (n, G, M, 1).
    """
    rows, groups, each, _ = queries.shape
    if beginning.offset == 0:
        nothing = mx.zeros((rows, groups, each, width))
        no_mass = mx.full((rows, groups, each, 1), -mx.inf)
        return nothing, no_mass
    keys, values = beginning.keys_and_values()  # (1, G, T, D)
    stacked = queries.swapaxes(0, 1).reshape(1, groups, rows * each, -1)
    seen, mass = _weighed(stacked, keys, values, None)  # (1, G, n * M, ...)

    def by_row(part: mx.array) -> mx.array:
        return part.reshape(groups, rows, each, -1).swapaxes(0, 1)

    return by_row(seen), by_row(mass)


def _weighed(
    queries: mx.array, keys: mx.array, values: mx.array, mask: mx.array | None
) -> tuple[mx.array, mx.array]:
    """queries (..., M, D), keys (..., T, D), values (..., T, D') -> the values weighed by softmax
    (..., M, D'), and the log of the sum that it divides by (..., M, 1), in float32.
    """
    products = queries @ keys.swapaxes(-1, -2)
    scores = products.astype(mx.float32)  # (..., M, T)
    if mask is not None and mask.dtype == mx.bool_:
        scores = mx.where(mask, scores, -mx.inf)
    elif mask is not None:
        scores = scores + mask
    mass = mx.logsumexp(scores, axis=-1, keepdims=True)
    weights = mx.softmax(scores, axis=-1).astype(values.dtype)
    return weights @ values, mass
