"""Packing: the rows of a batch one behind the other in a single row, and none sees another.

All that a model does token by token is then done without padding; for attention alone the rows are
laid side by side again, so that it is exactly block-diagonal and costs no more than that of a
padded batch: no mask of the whole row is ever made. Positions run on from row to row, which rotary
embeddings do not notice: they are relative. Some are scaled behind a number of positions, though,
so a batch with more of them than the model was made for is not packed.

Shapes: R rows of at most T tokens are L places of the one row; H heads of queries, G of keys and
values, D numbers a head.
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
from augmlx.models.heads import Body
from augmlx.training import shared_prefix
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
        self._grid = grid
        self._flat = flat

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """keys and values (1, G, L, D), as they came: nothing was there before."""
        return keys, values

    def make_mask(
        self, _length: int, return_array: bool = False, window_size: int | None = None
    ) -> str:
        """Raises Unpackable where a model wants more than plain causal attention."""
        if window_size is not None:
            raise Unpackable("its attention has a window")
        if return_array:
            raise Unpackable("its attention is its own")
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
        """Attention of each row to itself: what models/attention_hook.py calls.

        Args:
            queries: (1, H, L, D), the rows one behind the other.
            keys: (1, G, L, D), as the values.
            scale: of the products.
            mask: None or "causal".
            sinks: (H,), or none.

        Returns:
            (1, H, L, D)

        Raises:
            Unpackable: the model has a mask of its own.
        """
        if mask is not None and not (isinstance(mask, str) and mask == "causal"):
            raise Unpackable("its attention has a mask of its own")
        side_by_side = [self._spread(part) for part in (queries, keys, values)]
        attended = base.scaled_dot_product_attention(
            *side_by_side, cache=None, scale=scale, mask="causal", sinks=sinks
        )
        return self._collect(attended)

    def _spread(self, packed: mx.array) -> mx.array:
        """(1, H, L, D) -> (R, H, T, D), zero where a row has ended."""
        spread = mx.custom_function(self._side_by_side)
        # As gathers: a scatter is slow.
        spread.vjp(lambda _, cotangent, __: self._one_behind_the_other(cotangent))
        return cast(mx.array, spread(packed))

    def _collect(self, side_by_side: mx.array) -> mx.array:
        """(R, H, T, D) -> (1, H, L, D)"""
        collect = mx.custom_function(self._one_behind_the_other)
        collect.vjp(lambda _, cotangent, __: self._side_by_side(cotangent))
        return cast(mx.array, collect(side_by_side))

    def _side_by_side(self, packed: mx.array) -> mx.array:
        """(1, H, L, D) -> (R, H, T, D)"""
        rows, width = self._grid.shape
        places = mx.maximum(self._grid, 0).reshape(-1)  # (R * T,)
        gathered = packed[0][:, places]  # (H, R * T, D)
        heads = gathered.shape[0]
        spread = gathered.reshape(heads, rows, width, -1).swapaxes(0, 1)  # (R, H, T, D)
        inside = (self._grid >= 0)[:, None, :, None]  # (R, 1, T, 1)
        return mx.where(inside, spread, mx.zeros((), spread.dtype))

    def _one_behind_the_other(self, side_by_side: mx.array) -> mx.array:
        """(R, H, T, D) -> (1, H, L, D)"""
        across = side_by_side.swapaxes(0, 1)  # (H, R, T, D)
        heads, *_, width = across.shape
        collected = across.reshape(heads, -1, width)[:, self._flat]  # (H, L, D)
        return collected[None]


def caches(model: nn.Module, batch: Arrays, body: Body | None = None) -> list[Any] | None:
    """What to give a model for its caches with this batch: None where it is padded.

    Args:
        body: the model's part without a head, where that can be run by itself.
    """
    if "prefix" in batch:
        return list(shared_prefix.caches(model, body or model, batch["prefix"]))
    if "grid" not in batch:
        return None
    # It stores nothing, so all layers may have the same one.
    return [PackedRows(batch["grid"], batch["flat"])] * len(model.layers)


def longest(model: nn.Module) -> float:
    """How many positions one packed row may have: those that the model was (at first) trained for,
    where its config tells. Behind them dynamic rotary embeddings, and the queries of Ministral, are
    scaled by the place in the row.
    """
    sizes = [math.inf]
    for part in (model, getattr(model, "language_model", None)):
        args = getattr(part, "args", None)
        values = vars(args) if hasattr(args, "__dict__") else {}
        named = [values.get("max_position_embeddings")]
        for name in ("rope_scaling", "rope_parameters"):
            scaling = values.get(name) or {}
            named.append(scaling.get("original_max_position_embeddings"))
        sizes += [size for size in named if isinstance(size, int | float)]
    return min(sizes)


def why_not(model: nn.Module) -> str | None:
    """Why rows of this model cannot be packed; None where they can. Tried on the model and not read
    from a table.

    Call it before the first step: the model is run, without dropout.
    """
    teach(model)
    training = model.training
    model.eval()
    try:
        error = _trial_error(model)
    except Unpackable as reason:
        return str(reason)
    except (AttributeError, TypeError, ValueError, IndexError) as reason:
        return f"it takes no cache but its own ({type(reason).__name__})"
    finally:
        model.train(training)
    exact = 1e-4 if _full_precision(model) else 0.05
    return None if error <= exact else "its rows see each other, or their place in the row"


def _trial_error(model: nn.Module) -> float:
    """How far the logits of a few packed rows are from those of the same rows padded: the mean
    difference as a share of their mean size.
    """
    rows = [_trial_row(number, inputs) for number, inputs in enumerate((5, 3, 9))]
    batch = arrays(rows, packed=True)
    packed = model(batch["inputs"], cache=caches(model, batch))[0]  # (L, V)
    batch = arrays(rows)
    padded = model(batch["inputs"])[batch["row"], batch["column"]]  # (L, V)
    packed, padded = packed.astype(mx.float32), padded.astype(mx.float32)
    error = mx.abs(packed - padded).mean() / mx.abs(padded).mean()
    return float(np.array(error))


def _trial_row(number: int, inputs: int) -> Row:
    """A row with so many input tokens, unlike that of another number; all places are learnt."""
    tokens = tuple((7 * number + 3 * place) % 29 + 1 for place in range(inputs + 1))
    return Row("", tokens, (False, *[True] * inputs))


def _full_precision(model: nn.Module) -> bool:
    parameters: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    dtypes = {array.dtype for array in parameters.values()}
    return dtypes.isdisjoint({mx.float16, mx.bfloat16})
