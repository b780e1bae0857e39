"""Packing: the rows of a batch one behind the other in a single row, and none sees another.

All that a model does token by token is then done without padding; for attention alone the rows are
laid side by side again, so that it is exactly block-diagonal and costs no more than that of a
padded batch: no mask of the whole row is ever made. Positions run on from row to row, which rotary
embeddings do not notice: they are relative. Some are scaled behind a number of positions, though,
so a batch with more of them than the model was made for is not packed.
"""

from __future__ import annotations

import math
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models import base

from augmlx.models.attention_hook import teach
from augmlx.training.batches import Row
from augmlx.training.layout import Arrays, arrays


class Unpackable(Exception):
    """The model wants something of its attention that packed rows cannot have; the message says
    what.
    """


class PackedRows:
    """What a model takes for the cache of each of its layers: it stores nothing, and attends row by
    row.

    `grid` (R, T) and `flat` (L,) are those of layout.arrays.
    """

    offset = 0

    def __init__(self, grid: mx.array, flat: mx.array) -> None:
        self._grid, self._flat = grid, flat

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        return keys, values

    def make_mask(
        self, _length: int, return_array: bool = False, window_size: int | None = None
    ) -> str:
        """Raises Unpackable where a model wants more than plain causal attention."""
        if return_array or window_size is not None:
            raise Unpackable(
                "its attention has a window"
                if window_size is not None
                else "its attention is its own"
            )
        return "causal"

    def attend(
        self,
        queries: mx.array,
        keys: mx.array,
        values: mx.array,
        scale: float,
        mask: Any,
        sinks: mx.array | None,
    ) -> mx.array:
        """queries (1, H, L, D), keys and values (1, G, L, D) -> (1, H, L, D). What
        models/attention.py calls.
        """
        if mask is not None and not (isinstance(mask, str) and mask == "causal"):
            raise Unpackable("its attention has a mask of its own")
        beside = [self._spread(part) for part in (queries, keys, values)]
        seen = base.scaled_dot_product_attention(
            *beside, cache=None, scale=scale, mask="causal", sinks=sinks
        )
        return self._collect(seen)

    def _spread(self, packed: mx.array) -> mx.array:
        """(1, H, L, D) -> (R, H, T, D), zero where a row has ended."""
        spread = mx.custom_function(self._beside)
        spread.vjp(
            lambda _, cotangent, __: self._behind(cotangent)
        )  # as gathers: a scatter is slow
        return cast(mx.array, spread(packed))

    def _collect(self, beside: mx.array) -> mx.array:
        """(R, H, T, D) -> (1, H, L, D)"""
        collect = mx.custom_function(self._behind)
        collect.vjp(lambda _, cotangent, __: self._beside(cotangent))
        return cast(mx.array, collect(beside))

    def _beside(self, packed: mx.array) -> mx.array:
        rows, width = self._grid.shape
        taken = packed[0][:, mx.maximum(self._grid, 0).reshape(-1)]  # (H, R * T, D)
        laid = taken.reshape(taken.shape[0], rows, width, -1).swapaxes(0, 1)
        return mx.where((self._grid >= 0)[:, None, :, None], laid, mx.zeros((), laid.dtype))

    def _behind(self, beside: mx.array) -> mx.array:
        across = beside.swapaxes(0, 1)  # (H, R, T, D)
        return across.reshape(across.shape[0], -1, across.shape[-1])[:, self._flat][None]


def caches(model: nn.Module, batch: Arrays) -> list[PackedRows] | None:
    """What to give a model for its caches with this batch: None where it is padded."""
    if "grid" not in batch:
        return None
    return [PackedRows(batch["grid"], batch["flat"])] * len(model.layers)


def longest(model: nn.Module) -> float:
    """How many positions one packed row may have: those that the model was (at first) trained for,
    where its config tells. Behind them dynamic rotary embeddings, and the queries of Ministral, are
    scaled by the place in the row.
    """
    found = [math.inf]
    for part in (model, getattr(model, "language_model", None)):
        told = getattr(part, "args", None)
        values = vars(told) if hasattr(told, "__dict__") else {}
        scaling = [values.get(name) for name in ("rope_scaling", "rope_parameters")]
        inner = [
            s["original_max_position_embeddings"]
            for s in scaling
            if s and "original_max_position_embeddings" in s
        ]
        found += [
            size
            for size in (values.get("max_position_embeddings"), *inner)
            if isinstance(size, int | float)
        ]
    return min(found)


def why_not(model: nn.Module) -> str | None:
    """Why rows of this model cannot be packed; None where they can. Tried on the model and not read
    from a table.

    Call it before the first step: the model is run, without dropout.
    """
    lengths = (5, 3, 9)
    rows = [
        Row("", tuple((7 * n + 3 * k) % 29 + 1 for k in range(size + 1)), (False, *[True] * size))
        for n, size in enumerate(lengths)
    ]
    teach(model)
    training = model.training
    model.eval()
    try:
        packed = arrays(rows, packed=True)
        seen = model(packed["inputs"], cache=caches(model, packed))[0].astype(mx.float32)  # (L, V)
        padded = arrays(rows)
        alone = model(padded["inputs"])[padded["row"], padded["column"]].astype(mx.float32)
        error = float(np.array(mx.abs(seen - alone).mean() / mx.abs(alone).mean()))
    except Unpackable as reason:
        return str(reason)
    except (AttributeError, TypeError, ValueError, IndexError) as reason:
        return f"it takes no cache but its own ({type(reason).__name__})"
    finally:
        model.train(training)
    exact = 1e-4 if seen.dtype == mx.float32 and _full_precision(model) else 0.05
    return None if error <= exact else "its rows see each other, or their place in the row"


def _full_precision(model: nn.Module) -> bool:
    arrays: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    return all(array.dtype not in (mx.float16, mx.bfloat16) for array in arrays.values())
