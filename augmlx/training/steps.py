"""One optimizer step: the gradients of its batches, on this process's share of them, and the
update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map

from augmlx.core.records import short_id
from augmlx.models.heads import Head
from augmlx.training import layout, optimizers, packing
from augmlx.training.anchoring import Anchors
from augmlx.training.batches import Batch, Row
from augmlx.training.frozen_states import FrozenStates
from augmlx.training.loss import divergence_of, loss_of
from augmlx.training.plan import Step, TrainingPlan
from augmlx.training.team import Team

Gradients = Callable[[layout.Arrays], tuple[mx.array, Any]]
_Loss = Callable[[Head, layout.Arrays, object], mx.array]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step came to, the same in each process of a team.

    Args:
        loss: nats a token, the weighted mean over all tokens of all its batches.
        norm: of its gradients.
        divergence: from the base model at the step's anchors, nats a token; None where it has none.
    """

    loss: float
    norm: float
    divergence: float | None = None


class Stepper:
    """Steps of one model's trainable parameters, as a plan has them.

    A step depends on the seed, its number and the state before it, and on nothing else; so a
    resumed training goes on to the same bits. `whole_logits` is whether the model's head cannot be
    run apart from its body.

    Args:
        states: what the frozen layers give for the plan's rows and anchors, which no step changes;
            None: they are computed anew in each step.
    """

    def __init__(
        self,
        model: nn.Module,
        plan: TrainingPlan,
        team: Team,
        anchors: Anchors | None = None,
        states: FrozenStates | None = None,
    ) -> None:
        self._model, self._plan, self._team, self._states = model, plan, team, states
        self.optimizer = optimizers.make(plan.optimizer, plan.peak, weight_decay=plan.weight_decay)
        self.optimizer.init(model.trainable_parameters())
        head = Head(model)
        self.whole_logits = not head.split
        self._head = head.on(states.body) if states else head
        self._rows: Mapping[int, Row] = plan.used
        if states:
            placed = states.placed(list(self._rows.values()))
            self._rows = dict(zip(self._rows, placed, strict=True))
        self._anchors = anchors.placed(states) if anchors and states else anchors
        self._gradients = self._gradients_of(loss_of)
        self._pull = self._gradients_of(divergence_of)
        self._update = self._updated
        if plan.compiled:
            state = [model.state, self.optimizer.state]
            self._update = mx.compile(self._updated, inputs=state, outputs=state)

    def _gradients_of(self, loss: _Loss) -> Gradients:
        """A batch -> its loss () and the gradients of that, compiled where the plan has it so."""

        def loss_of_batch(batch: layout.Arrays) -> mx.array:
            caches = packing.caches(self._model, batch, self._head.body)
            return loss(self._head, batch, caches)

        gradients: Gradients = nn.value_and_grad(self._model, loss_of_batch)
        if not self._plan.compiled:
            return gradients
        # The gradients change no weight, but while they are traced the model holds what they are
        # traced with.
        state = [self._model.state, mx.random.state]
        compiled: Gradients = mx.compile(gradients, inputs=state, outputs=state)
        return compiled

    def run(self, step: Step, rate: float) -> Taken:
        """Take a step at a learning rate."""
        weight = self._plan.weight(step.batches)
        loss, gradients = self._summed(step.number, step.batches)
        divergence = 0.0
        if step.anchors and self._anchors is not None and self._plan.anchor:
            divergence, gradients = self._held(step, weight, gradients)
        loss, divergence = self._team.sum(loss, divergence)
        gradients = self._team.sum_gradients(gradients)
        self.optimizer.learning_rate = rate
        norm = self._update(gradients, mx.array(1 / weight))
        mx.eval(self._model.trainable_parameters(), self.optimizer.state, norm)
        return Taken(
            loss=loss / weight,
            norm=float(np.array(norm)),
            divergence=divergence / weight / self._plan.anchor if step.anchors else None,
        )

    def _held(self, step: Step, total: float, gradients: Any) -> tuple[float, Any]:
        """This process's share of the divergence at a step's anchors, and its gradients besides.

        Both are `total` times what they are to be: they are summed with those of the tokens, which
        count for so much together.
        """
        share = self._team.share(step.anchors)
        if not share or self._anchors is None:
            return 0.0, gradients
        weight = self._plan.anchor * total / len(step.anchors)  # of one anchor
        divergence = mx.array(0.0)
        for place, arrays in enumerate(self._anchors.arrays(share, weight, self._plan.layout)):
            self._seed_dropout(step.number, -1 - place)
            part_divergence, pull = self._pull(self._given(arrays))
            divergence = divergence + part_divergence
            gradients = tree_map(mx.add, gradients, pull)
            mx.eval(divergence, gradients)
        return float(np.array(divergence)), gradients

    def _summed(self, number: int, batches: Sequence[Batch]) -> tuple[float, Any]:
        """The sums over this process's share of a step: its loss (nats), and its gradients."""
        loss = mx.array(0.0)
        gradients: Any = None
        shares = [share for share in map(self._team.share, batches) if share]
        for place, arrays in enumerate(chain.from_iterable(map(self.arrays, shares))):
            self._seed_dropout(number, place)
            # Of the sum, not of the mean: a thousandth of a slope is none in float16.
            batch_loss, batch_gradients = self._gradients(self._given(arrays))
            loss = loss + batch_loss
            if gradients is None:
                gradients = batch_gradients
            else:
                gradients = tree_map(mx.add, gradients, batch_gradients)
            mx.eval(loss, gradients)
        if gradients is None:  # a last batch smaller than the team
            gradients = tree_map(mx.zeros_like, self._model.trainable_parameters())
        return float(np.array(loss)), gradients

    def _seed_dropout(self, number: int, place: int) -> None:
        """For the batch at a place in a step, of its own in each process."""
        mx.random.seed(int(short_id(self._plan.seed, number, place, self._team.rank), 16))

    def _updated(self, gradients: Any, factor: mx.array) -> mx.array:
        """Update the model by `factor` times the gradients, whose norm is returned, before it is
        clipped.

        Args:
            gradients: a tree of the shapes of the trainable parameters.
            factor: () that makes the mean of a sum.
        """
        leaves: dict[str, mx.array] = dict(tree_flatten(gradients))
        squares = [mx.square(leaf.astype(mx.float32)).sum() for leaf in leaves.values()]
        norm = factor * mx.sqrt(mx.stack(squares).sum())
        if self._plan.clip:
            shortening = self._plan.clip / mx.maximum(norm, 1e-12)
            factor = factor * mx.minimum(1.0, shortening)
        gradients = tree_map(lambda gradient: gradient * factor.astype(gradient.dtype), gradients)
        self.optimizer.update(self._model, gradients)
        return norm

    def _given(self, arrays: layout.Arrays) -> layout.Arrays:
        """The arrays as the head's body takes them."""
        return self._states.put(arrays) if self._states else arrays

    def arrays(self, batch: Batch) -> list[layout.Arrays]:
        """A batch as it is computed, in one part or two."""
        rows, lies = [self._rows[index] for index in batch], self._plan.layout
        return [
            lies.arrays([rows[place] for place in part.places], part.shared)
            for part in lies.parts(rows)
        ]

    def padding(self, steps: Sequence[Sequence[Batch]]) -> float:
        """The share of the positions that the model computes in these steps which hold no token."""
        used = computed = 0
        for batches in steps:
            for batch in batches:
                rows = self._plan.rows_in(self._team.share(batch))
                if rows:
                    used += self._plan.layout.tokens(rows)
                    computed += self._plan.layout.positions(rows)
        # None is computed where a team has more processes than each batch has rows.
        return 1 - used / computed if computed else 0.0
