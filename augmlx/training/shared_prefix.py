"""What the rows of a batch begin with, computed once for all of them: a chat template puts the same
system line before every chat, and it is half of the tokens of a short one.

The beginning is run as a row of its own. Its keys and values stand before those of each row behind
it, so that nothing is approximated and the gradients flow back through them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from augmlx.models.heads import Body
from augmlx.training.batches import Row

LEAST = 8  # tokens that are worth it


class _Beginning:
    """A layer's cache for the beginning, whose keys and values (1, G, P, D) it keeps."""

    offset = 0

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        self.keys, self.values = keys, values
        return keys, values

    def make_mask(self, _length: int, **_: Any) -> str:
        return "causal"


class _Behind:
    """A layer's cache for B rows behind a beginning."""

    def __init__(self, beginning: _Beginning, length: int) -> None:
        self._beginning = beginning
        self.offset = length

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """keys and values (B, G, T, D) -> those of the beginning before each: (B, G, P + T, D)."""
        return self._put(self._beginning.keys, keys), self._put(self._beginning.values, values)

    @staticmethod
    def _put(before: mx.array, own: mx.array) -> mx.array:
        rows, heads, _, width = own.shape
        shared = mx.broadcast_to(before, (rows, heads, before.shape[2], width))
        return mx.concatenate([shared, own], axis=2)

    def make_mask(self, _length: int, **_: Any) -> str:
        return "causal"  # MLX's causal mask has the last query see the last key


def caches(model: nn.Module, body: Body, prefix: mx.array) -> list[_Behind]:
    """What to give a model for its caches with rows that go on behind `prefix`, (1, P) or (1, P, D)
    as the body takes it.

    Args:
        body: the model, or its part without a head.
    """
    beginnings = [_Beginning() for _ in model.layers]
    body(prefix, cache=beginnings)
    return [_Behind(beginning, prefix.shape[1]) for beginning in beginnings]


def works(model: nn.Module) -> bool:
    """Whether a model gives the same behind a beginning that was run before. Tried, not read from a
    table: call it where its rows can be packed, before the first step.
    """
    tokens = mx.array([[3, 5, 7, 11, 13, 2, 6], [3, 5, 7, 11, 4, 9, 8]])
    was_training = model.training
    model.eval()
    try:
        whole = model(tokens)[:, 4:]
        behind = model(tokens[:, 4:], cache=caches(model, model, tokens[:1, :4]))
    except (AttributeError, TypeError, ValueError, IndexError):
        return False
    finally:
        model.train(was_training)
    error = mx.abs(behind.astype(mx.float32) - whole.astype(mx.float32)).mean()
    size = mx.abs(whole.astype(mx.float32)).mean()
    exact = 1e-4 if whole.dtype == mx.float32 else 0.05
    return bool((error <= exact * size).item())


def sharing(rows: Sequence[Row]) -> tuple[list[int], int]:
    """The places of the rows that begin alike, and how many tokens they share before anything is
    learnt: the most rows that share LEAST. ([], 0) where no two do.
    """
    openings = Counter(row.tokens[:LEAST] for row in rows if _first_learnt(row) > LEAST)
    ((opening, count),) = openings.most_common(1) or [((), 0)]
    if count < 2:
        return [], 0
    places = [place for place, row in enumerate(rows) if row.tokens[:LEAST] == opening]
    places = [place for place in places if _first_learnt(rows[place]) > LEAST]
    chosen = [rows[place] for place in places]
    columns = zip(*(row.tokens for row in chosen), strict=False)
    common = sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, columns))
    return places, min(common, *(_first_learnt(row) - 1 for row in chosen))


def _first_learnt(row: Row) -> int:
    return row.mask.index(True)
