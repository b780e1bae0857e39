"""One optimizer step: the gradients of its batches, on this process's share of them, and the
update.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map

from augmlx.core.records import short_id
from augmlx.core.settings import TrainSettings
from augmlx.models.heads import Head
from augmlx.models.loading import device
from augmlx.training import layout, optimizers, packing
from augmlx.training.batches import Row
from augmlx.training.loss import loss_of
from augmlx.training.team import Team

Batch = Sequence[int]  # indices of rows


class Stepper:
    """Steps of one model's trainable parameters on `rows`.

    A step depends on the seed, its number and the state before it, and on nothing else; so a
    resumed training goes on to the same bits. `unpacked` says why rows are padded although packing
    was not ruled out, or is None; `whole_logits` is whether the model's head cannot be run apart
    from its body.
    """

    def __init__(
        self,
        model: nn.Module,
        rows: Sequence[Row],
        settings: TrainSettings,
        peak: float,
        *,
        seed: int,
        team: Team,
    ) -> None:
        self._model, self._rows, self._settings, self._seed, self._team = (
            model,
            rows,
            settings,
            seed,
            team,
        )
        self.optimizer = optimizers.make(settings, peak)
        self.optimizer.init(model.trainable_parameters())
        self._compiled = settings.compile == "always" or (
            settings.compile == "auto" and device() == "gpu"
        )
        self.unpacked = packing.why_not(model) if settings.packing != "never" else None
        self._packing = "never" if self.unpacked else settings.packing
        self._longest = packing.longest(model)
        head = Head(model)
        self.whole_logits = not head.split
        self._loss = lambda batch: loss_of(head, batch, packing.caches(model, batch))
        self._gradients = nn.value_and_grad(model, self._loss)
        self._update = self._updated
        if self._compiled:
            # The gradients change no weight, but while they are traced the model holds what they
            # are traced with.
            state = [model.state, mx.random.state]
            self._gradients = mx.compile(self._gradients, inputs=state, outputs=state)
            state = [model.state, self.optimizer.state]
            self._update = mx.compile(self._updated, inputs=state, outputs=state)

    def run(self, number: int, batches: Sequence[Batch], rate: float) -> tuple[float, float]:
        """Step `number`, whose rows are those of `batches`. Returns its loss (nats a token, the
        mean over all tokens of all its batches) and the norm of its gradients. Both are the same in
        each process of a team.
        """
        tokens = sum(self._rows[index].targets for batch in batches for index in batch)
        total: Any = None
        loss = mx.array(0.0)
        for place, batch in enumerate(batches):
            if not (mine := self._team.share(batch)):
                continue
            mx.random.seed(
                int(short_id(self._seed, number, place, self._team.rank), 16)
            )  # for dropout
            # Of the sum, not of the mean: a thousandth of a slope is none in float16.
            value, gradients = self._gradients(self.arrays(mine))
            loss = loss + value
            total = gradients if total is None else tree_map(mx.add, total, gradients)
            mx.eval(loss, total)
        if total is None:  # a last batch smaller than the team
            total = tree_map(mx.zeros_like, self._model.trainable_parameters())
        value = self._team.sum(float(np.array(loss)))[0]
        total = self._team.sum_gradients(total)
        self.optimizer.learning_rate = rate
        norm = self._update(total, mx.array(1 / tokens))
        mx.eval(self._model.trainable_parameters(), self.optimizer.state, norm)
        return value / tokens, float(np.array(norm))

    def _updated(self, gradients: Any, factor: mx.array) -> mx.array:
        """Update the model by `factor` times the gradients, whose norm is returned, before it is
        clipped.
        """
        leaves: dict[str, mx.array] = dict(tree_flatten(gradients))
        norm = factor * mx.sqrt(
            mx.stack([mx.square(leaf.astype(mx.float32)).sum() for leaf in leaves.values()]).sum()
        )
        if self._settings.clip:
            factor = factor * mx.minimum(1.0, self._settings.clip / mx.maximum(norm, 1e-12))
        gradients = tree_map(lambda gradient: gradient * factor.astype(gradient.dtype), gradients)
        self.optimizer.update(self._model, gradients)
        return norm

    def arrays(self, batch: Batch) -> layout.Arrays:
        rows = [self._rows[index] for index in batch]
        return layout.arrays(rows, packed=self._packs(batch), bucketed=self._compiled)

    def _packs(self, batch: Batch) -> bool:
        if (
            layout.positions(self._inputs(batch), packed=True, bucketed=self._compiled)
            > self._longest
        ):
            return False
        if self._packing != "auto":
            return self._packing == "always"
        return layout.worth_packing(self._inputs(batch), bucketed=self._compiled)

    def _inputs(self, batch: Batch) -> list[int]:
        return [len(self._rows[index].tokens) - 1 for index in batch]

    def padding(self, steps: Sequence[Sequence[Batch]]) -> float:
        """The share of the positions that the model computes in these steps which hold no token."""
        shares = [
            mine for batches in steps for batch in batches if (mine := self._team.share(batch))
        ]
        used = sum(sum(self._inputs(share)) for share in shares)
        made = [(self._inputs(share), self._packs(share)) for share in shares]
        computed = sum(
            layout.positions(sizes, packed=packed, bucketed=self._compiled)
            for sizes, packed in made
        )
        return (
            1 - used / computed if computed else 0.0
        )  # a team may have more processes than a batch has rows
