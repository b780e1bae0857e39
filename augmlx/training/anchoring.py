"""Anchors: texts on which the model is held where the base model was while it learns the facts.

The loss of a step is the cross-entropy of the facts and, with a weight, KL(base || model) on a few
anchors. What the base model's body gave at the places of an anchor is computed once, before
anything is attached, and kept: its head is the model's own, so its distributions are exact, no
second model is in memory, and no logits are kept. (Learning without forgetting: Li and Hoiem 2016,
arXiv 1606.09282.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from augmlx.core.files import make_folder
from augmlx.models.heads import Head
from augmlx.training import layout
from augmlx.training.adapter import save_arrays
from augmlx.training.batches import Batch, Row

ROWS_TO_ONE = 4  # rows of facts in a step to one anchor
_TOGETHER = 16  # anchors in one pass of the base model
_NAME = "hidden"


def drawn(anchors: int, steps: int, count: int, *, seed: int) -> list[Batch]:
    """The anchors of each step, `count` of them: all in turn, in an order drawn anew each time they
    are through.
    """
    order: list[int] = []
    rounds = 0
    while anchors and len(order) < steps * count:
        one_round = list(range(anchors))
        Random(f"{seed}:anchors:{rounds}").shuffle(one_round)
        order += one_round
        rounds += 1
    return [order[step * count : (step + 1) * count] for step in range(steps)]


class Anchors:
    """Anchors, and what the base model's body gave at each of their N places: (N, D), of the type
    that it computes in.
    """

    def __init__(self, rows: Sequence[Row], hidden: mx.array) -> None:
        self._rows = rows
        self._hidden = hidden
        self._starts = list(accumulate((row.targets for row in rows), initial=0))

    def arrays(self, batch: Batch, weight: float, lies: layout.BatchLayout) -> layout.Arrays:
        """Some of the anchors as `divergence_of` takes them: a batch as in layout.arrays, with the
        `base` (N, D) of its N targets. An anchor's places share 1 / len(batch) of the `weight`, so
        that a short answer counts as much as a long text.
        """
        rows = [self._rows[index] for index in batch]
        arrays = lies.arrays(rows)
        places: list[int] = []
        weights: list[float] = []
        for index, row in zip(batch, rows, strict=True):
            start = self._starts[index]
            places += range(start, start + row.targets)
            weights += [weight / (len(rows) * row.targets)] * row.targets
        filler = arrays["weight"].size - len(places)
        where = mx.array(np.array(places + [0] * filler, np.int32))
        arrays["base"] = self._hidden[where]
        arrays["weight"] = mx.array(np.array(weights + [0.0] * filler, np.float32))
        return arrays


def remembered(model: nn.Module, rows: Sequence[Row], path: Path | None, mark: str) -> Anchors:
    """The anchors with what the model gives at their places, as it stands: nothing is attached yet.

    Args:
        path: where that is kept, and read if it is of these anchors and this model already: a
            safetensors file of one array (N, D). None: not kept.
        mark: the fingerprint of anchors and model.
    """
    hidden = _kept(path, mark)
    if hidden is None:
        hidden = _computed(model, rows)
        if path is not None:
            make_folder(path.parent)
            save_arrays({_NAME: hidden}, path, {"fingerprint": mark})
    return Anchors(rows, hidden)


def _kept(path: Path | None, mark: str) -> mx.array | None:
    if path is None or not path.exists():
        return None
    try:
        loaded: Any = mx.load(str(path), return_metadata=True)
    except (RuntimeError, ValueError):  # torn: it is made again
        return None
    arrays, about = loaded
    hidden: mx.array | None = arrays.get(_NAME)
    return hidden if about.get("fingerprint") == mark else None


def _computed(model: nn.Module, rows: Sequence[Row]) -> mx.array:
    """(N, D), for the targets of all rows one behind the other."""
    head = Head(model)
    was_training = model.training
    model.eval()
    parts: list[mx.array] = []
    for start in range(0, len(rows), _TOGETHER):
        batch = layout.arrays(rows[start : start + _TOGETHER])
        parts.append(head.hidden(batch["inputs"], batch["row"], batch["column"]))
        mx.eval(parts[-1])
    model.train(was_training)
    return mx.concatenate(parts)
