"""Where a model's body ends and its LM head begins, so that logits are made only for the positions that need them.

At a 150k vocabulary the logits of a whole batch are the peak of memory, and most of them are of no use.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn


class Head:
    """Logits of a model at chosen positions, through its body and head apart where that is exact.

    Whether it is exact is tried once, not assumed: some models scale or cap their logits.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.split = _splits(model)

    def logits(self, tokens: mx.array, rows: mx.array, columns: mx.array, cache: Any = None) -> mx.array:
        """tokens (B, T), and N positions as rows (N,) and columns (N,) -> logits (N, V) in float32."""
        model = self._model
        if not self.split:
            chosen: mx.array = model(tokens, cache=cache)[rows, columns]
        else:
            chosen = _head(model, model.model(tokens, cache=cache)[rows, columns])
        return chosen.astype(mx.float32)


def _head(model: nn.Module, hidden: mx.array) -> mx.array:
    """(..., D) -> (..., V), through the untied head or the embedding."""
    head = model.lm_head if "lm_head" in model else model.model.embed_tokens.as_linear
    logits: mx.array = head(hidden)
    return logits


def _splits(model: nn.Module) -> bool:
    """Whether head(body(x)) is model(x) on a short input, to the bit: where the model does no more than that, the same
    operations run. A tolerance would let a cap of the logits pass, which is next to nothing on small ones.

    Tried without dropout: it would make any two passes differ, and a resumed training must decide as the first did.
    """
    if "model" not in model:
        return False
    tokens = mx.array([[1, 2, 3, 4]])
    training = model.training
    model.eval()
    try:
        apart = _head(model, model.model(tokens, cache=None))
        return bool(mx.array_equal(apart, model(tokens)))
    except (AttributeError, TypeError, ValueError):  # another layout of the parts
        return False
    finally:
        model.train(training)
