"""One optimizer step: the gradients of its batches, on this process's share of them, and the
update.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from augmlx.training.loss import losses_of
from augmlx.training.plan import Step, TrainingPlan
from augmlx.training.team import Team

# A batch -> its losses, which are their sum, that of its targets and that of its anchors, each ();
# and the gradients of the sum.
Gradients = Callable[[layout.Arrays], tuple[Sequence[mx.array], Any]]


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
        self._anchor_rows = self._anchors.rows if self._anchors else ()
        self._gradients = self._losses_and_gradients()
        self._update = self._updated
        if plan.compiled:
            state = [model.state, self.optimizer.state]
            self._update = mx.compile(self._updated, inputs=state, outputs=state)

    def _losses_and_gradients(self) -> Gradients:
        """What gives them, compiled where the plan has it so."""

        def losses_of_batch(batch: layout.Arrays) -> tuple[mx.array, mx.array, mx.array]:
            caches = packing.caches(self._model, batch, self._head.body)
            loss, divergence = losses_of(self._head, batch, caches)
            return loss + divergence, loss, divergence

        gradients: Gradients = nn.value_and_grad(self._model, losses_of_batch)
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
        loss, divergence, gradients = self._summed(step, weight)
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

    def _summed(self, step: Step, total: float) -> tuple[float, float, Any]:
        """The sums over this process's share of a step: its loss (nats), its divergence at the
        anchors, and the gradients of both.

        The divergence is `total` times what it is to be: it is summed with the loss of the tokens,
        which count for so much together.
        """
        loss = divergence = mx.array(0.0)
        gradients: Any = None
        pull = self._plan.anchor * total / max(1, len(step.anchors))  # of one anchor
        for place, arrays in enumerate(self._parts(step, pull)):
            mx.random.seed(int(short_id(self._plan.seed, step.number, place, self._team.rank), 16))
            # Of the sum, not of the mean: a thousandth of a slope is none in float16.
            (_, own_loss, own_divergence), own_gradients = self._gradients(self._given(arrays))
            loss, divergence = loss + own_loss, divergence + own_divergence
            if gradients is None:
                gradients = own_gradients
            else:
                gradients = tree_map(mx.add, gradients, own_gradients)
            mx.eval(loss, divergence, gradients)
        if gradients is None:  # a last batch smaller than the team
            gradients = tree_map(mx.zeros_like, self._model.trainable_parameters())
        return float(np.array(loss)), float(np.array(divergence)), gradients

    def _parts(self, step: Step, pull: float) -> Iterator[layout.Arrays]:
        """This process's share of a step, part by part."""
        for batch, anchors in self._shares(step):
            yield from self.arrays(batch, anchors, pull)

    def _shares(self, step: Step) -> list[tuple[Batch, Batch]]:
        """This process's share of each batch of a step, and of its anchors, dealt out to them."""
        batches = [share for share in map(self._team.share, step.batches) if share]
        anchors = self._team.share(step.anchors) if self._anchors and self._plan.anchor else []
        if anchors and not batches:
            return [([], anchors)]
        return [(batch, anchors[n :: len(batches)]) for n, batch in enumerate(batches)]

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

    def arrays(
        self, batch: Batch, anchors: Batch = (), pull: float = 0.0
    ) -> Iterator[layout.Arrays]:
        """A batch and the anchors that hold it, each of which pulls so much, as they are computed:
        part by part.
        """
        rows, lies = self._rows_of(batch, anchors), self._plan.layout
        for part in lies.parts(rows, len(anchors)):
            own = [rows[place] for place in part.places]
            held = [anchors[place - len(batch)] for place in part.places if place >= len(batch)]
            arrays = lies.arrays(own, part.shared, len(held))
            yield self._anchors.held(arrays, held, pull) if held and self._anchors else arrays

    def _rows_of(self, batch: Batch, anchors: Batch) -> list[Row]:
        rows = [self._rows[index] for index in batch]
        return rows + [self._anchor_rows[index] for index in anchors]

    def padding(self, steps: Sequence[Step]) -> float:
        """The share of the positions that the model computes in these steps which hold no token."""
        used = computed = 0
        for step in steps:
            for batch, anchors in self._shares(step):
                rows = self._rows_of(batch, anchors)
                used += self._plan.layout.tokens(rows, len(anchors))
                computed += self._plan.layout.positions(rows, len(anchors))
        # None is computed where a team has more processes than each batch has rows.
        return 1 - used / computed if computed else 0.0
