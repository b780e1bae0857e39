"""Where a model's body ends and its LM head begins, so that logits are made only for the positions that need them.

At a 150k vocabulary the logits of a whole batch are the peak of memory, and most of them are of no use.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn

LOGITS_BYTES = 256 << 20  # of float32 logits that are to be in memory at a time


class Head:
    """Logits of a model at chosen positions, through its body and head apart where that is exact.

    Whether it is exact is tried once, not assumed: some models scale or cap their logits.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.split, self._vocabulary = _tried(model)

    @property
    def positions(self) -> int:
        """How many positions' float32 logits fit LOGITS_BYTES; at least 1."""
        return max(1, LOGITS_BYTES // (4 * self._vocabulary))

    def slices(self, count: int, *, copies: int = 1) -> list[slice]:
        """`count` positions cut into parts of about one size, so that `copies` of a part's logits fit LOGITS_BYTES."""
        parts = max(1, -(-count // max(1, self.positions // copies)))
        ends = [count * part // parts for part in range(parts + 1)]
        return [slice(start, end) for start, end in pairwise(ends)]

    def logits(self, tokens: mx.array, rows: mx.array, columns: mx.array, cache: Any = None) -> mx.array:
        """tokens (B, T), and N positions as rows (N,) and columns (N,) -> logits (N, V) in float32."""
        return self.project(self.hidden(tokens, rows, columns, cache))

    def hidden(self, tokens: mx.array, rows: mx.array, columns: mx.array, cache: Any = None) -> mx.array:
        """What `project` makes logits of at N positions: (N, D), or the logits themselves where the head is not split
        off."""
        body = self._model.model if self.split else self._model
        chosen: mx.array = body(tokens, cache=cache)[rows, columns]
        return chosen

    def project(self, hidden: mx.array) -> mx.array:
        """(N, D) of `hidden` -> logits (N, V) in float32."""
        return (_head(self._model, hidden) if self.split else hidden).astype(mx.float32)


def _head(model: nn.Module, hidden: mx.array) -> mx.array:
    """(..., D) -> (..., V), through the untied head or the embedding."""
    head = model.lm_head if "lm_head" in model else model.model.embed_tokens.as_linear
    logits: mx.array = head(hidden)
    return logits


def _tried(model: nn.Module) -> tuple[bool, int]:
    """Whether head(body(x)) is model(x) on a short input, to the bit: where the model does no more than that, the same
    operations run. A tolerance would let a cap of the logits pass, which is next to nothing on small ones. And the
    number of logits.

    Tried without dropout: it would make any two passes differ, and a resumed training must decide as the first did.
    """
    tokens = mx.array([[1, 2, 3, 4]])
    training = model.training
    model.eval()
    try:
        whole: mx.array = model(tokens)
        try:
            apart = _head(model, model.model(tokens, cache=None))
            return bool(mx.array_equal(apart, whole)), whole.shape[-1]
        except (AttributeError, TypeError, ValueError):  # another layout of the parts
            return False, whole.shape[-1]
    finally:
        model.train(training)
