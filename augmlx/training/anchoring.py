"""Anchors: texts on which the model is held where the base model was while it learns the facts.

The loss of a step is the cross-entropy of the facts and, with a weight, KL(base || model) on a few
anchors. What the base model's body gave at the places of an anchor is computed once, before
anything is attached, and kept: its head is the model's own, so its distributions are exact, no
second model is in memory, and no logits are kept. (Learning without forgetting: Li and Hoiem 2016,
arXiv 1606.09282.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from augmlx.core.files import make_folder
from augmlx.models.heads import Head
from augmlx.training import layout, packing
from augmlx.training.adapter import save_arrays
from augmlx.training.batches import Batch, Row
from augmlx.training.frozen_states import FrozenStates

ROWS_TO_ONE = 8  # rows of facts in a step to one anchor
_TOGETHER = 16  # anchors in one pass of the base model
_NAME = "hidden"


def drawn(rows: int, steps: int, count: float, *, seed: str) -> list[Batch]:
    """Rows for each step, `count` of them on an average: all in turn, in an order drawn anew each
    time they are through.
    """
    ends = [int(count * step + 0.5) for step in range(steps + 1)]
    order: list[int] = []
    rounds = 0
    while rows and len(order) < ends[-1]:
        one_round = list(range(rows))
        Random(f"{seed}:{rounds}").shuffle(one_round)
        order += one_round
        rounds += 1
    return [order[start:end] for start, end in pairwise(ends)]


class Anchors:
    """Anchors, and what the base model's body gave at each of their N places: (N, D), of the type
    that it computes in.
    """

    def __init__(self, rows: Sequence[Row], hidden: mx.array) -> None:
        self._rows = rows
        self._hidden = hidden
        self._starts = list(accumulate((row.targets for row in rows), initial=0))

    @property
    def rows(self) -> Sequence[Row]:
        """The anchors as rows."""
        return self._rows

    def placed(self, states: FrozenStates) -> Anchors:
        """The same ones, that give places of a table of states."""
        return Anchors(states.placed(self._rows), self._hidden)

    def arrays(
        self, batch: Batch, weight: float, lies: layout.BatchLayout
    ) -> Iterator[layout.Arrays]:
        """Some of the anchors by themselves, as `losses_of` takes them, in one part or two."""
        for part in lies.parts([self._rows[index] for index in batch]):
            own = [batch[place] for place in part.places]
            rows = [self._rows[index] for index in own]
            yield self.held(lies.arrays(rows, part.shared, held=len(own)), own, weight)

    def held(self, arrays: layout.Arrays, batch: Batch, weight: float) -> layout.Arrays:
        """A batch with some of the anchors as its last rows, and what the base model gave there:
        `teacher` (M, D) at their M places, and how much each pulls, `pull` (M,). The places of each
        anchor share the `weight`, so that a short answer counts as much as a long text.
        """
        places: list[int] = []
        pulls: list[float] = []
        for index in batch:
            start, targets = self._starts[index], self._rows[index].targets
            places += range(start, start + targets)
            pulls += [weight / targets] * targets
        size = arrays["row"].size - arrays["target"].size
        where = mx.array(layout.filled(places, size, np.int32))
        pull = mx.array(layout.filled(pulls, size, np.float32))
        return arrays | {"teacher": self._hidden[where], "pull": pull}


def remembered(
    model: nn.Module,
    rows: Sequence[Row],
    path: Path | None,
    mark: str,
    lies: layout.BatchLayout | None = None,
    states: FrozenStates | None = None,
) -> Anchors:
    """The anchors with what the model gives at their places, as it stands: what is attached has
    changed nothing yet.

    Args:
        path: where that is kept, and read if it is of these anchors and this model already: a
            safetensors file of one array (N, D). None: not kept.
        mark: the fingerprint of anchors and model.
        lies: how the batches lie; None: padded.
        states: what the frozen layers give for these rows, if that is known.
    """
    hidden = _kept(path, mark)
    if hidden is None:
        hidden = _computed(model, rows, lies or layout.BatchLayout(), states)
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


def _computed(
    model: nn.Module, rows: Sequence[Row], lies: layout.BatchLayout, states: FrozenStates | None
) -> mx.array:
    """(N, D), for the targets of all rows one behind the other. They are computed by length, so
    that there is little padding.
    """
    head = Head(model)
    if states is not None:
        head, rows = head.on(states.body), states.placed(rows)
    was_training = model.training
    model.eval()
    hidden: dict[int, mx.array] = {}
    order = sorted(range(len(rows)), key=lambda index: rows[index].inputs)
    for start in range(0, len(order), _TOGETHER):
        batch = order[start : start + _TOGETHER]
        for part in lies.parts([rows[index] for index in batch]):
            own = [batch[place] for place in part.places]
            arrays = lies.arrays([rows[index] for index in own], part.shared)
            if states is not None:
                arrays = states.put(arrays)
            caches = packing.caches(model, arrays, head.body)
            found = head.hidden(arrays["inputs"], arrays["row"], arrays["column"], caches)
            ends = list(accumulate(rows[index].targets for index in own))
            hidden |= dict(zip(own, mx.split(found, ends), strict=False))
        mx.eval(list(hidden.values()))
    model.train(was_training)
    return mx.concatenate([hidden[index] for index in range(len(rows))])
