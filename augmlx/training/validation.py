"""How good the model is on examples that it is not trained on, and which validation was the best so
far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mlx.nn as nn
import numpy as np

from augmlx.models.heads import Head
from augmlx.training import layout
from augmlx.training.anchoring import Anchors
from augmlx.training.layout import BatchLayout
from augmlx.training.loss import losses_of
from augmlx.training.plan import TrainingPlan
from augmlx.training.team import Team

# The accuracy (0..1) of the model as it stands, by kind of question.
Judge = Callable[[], Mapping[str, float]]
# Nats a token: on texts of the base model's own, 5 % of perplexity. Nearer is not called better.
_KEPT = 0.05


@dataclass(frozen=True, slots=True)
class Validation:
    """One validation: mean `loss` (nats a token); and, if asked for, the share of right answers by
    kind of question, and the `divergence` from the base model (nats a token) at anchors that no
    step has.
    """

    step: int
    loss: float
    accuracy: Mapping[str, float] | None = None
    divergence: float | None = None

    @property
    def mean_accuracy(self) -> float:
        """Over the kinds, so that each counts the same."""
        if not self.accuracy:
            return 0.0
        return sum(self.accuracy.values()) / len(self.accuracy)

    def better_than(self, other: Validation | None, by: str) -> bool:
        """By loss; or by accuracy, and where that is the same by loss; or so ("kept") once both
        are near enough to the base model, and before that by how near.
        """
        return other is None or self._badness(by) < other._badness(by)

    def _badness(self, by: str) -> tuple[float, ...]:
        wrong = (1 - self.mean_accuracy, self.loss)
        if by == "kept":
            return (max(_KEPT, self.divergence or 0.0), *wrong)
        return wrong if by == "accuracy" else (self.loss,)


class Validator:
    """Validates a model on the plan's rows for it, and on the anchors held out, with dropout off.
    Both are shared among a team; one of it has a judge.
    """

    def __init__(
        self,
        model: nn.Module,
        plan: TrainingPlan,
        judge: Judge | None,
        team: Team,
        anchors: Anchors | None = None,
    ) -> None:
        self._model, self._judge, self._team = model, judge, team
        self._anchors, self._held_out = anchors, plan.held_out
        self._rows = sorted(plan.valid, key=lambda row: len(row.tokens))
        self._batch_size = plan.batch_size
        self._head = Head(model)

    def run(self, step: int) -> Validation:
        """Validate the model as it stands behind a step; it is left in training mode."""
        self._model.eval()
        try:
            loss = self._loss()
            accuracy = self._judge() if self._judge else None
            divergence = self._divergence()
        finally:
            self._model.train()
        return Validation(step, loss, accuracy, divergence)

    def _loss(self) -> float:
        """The mean over all tokens that carry loss, in nats."""
        total = 0.0
        for start in range(0, len(self._rows), self._batch_size):
            share = self._team.share(self._rows[start : start + self._batch_size])
            if share:
                loss, _ = losses_of(self._head, layout.arrays(share))
                total += float(np.array(loss))
        (summed,) = self._team.sum(total)
        return summed / sum(row.targets for row in self._rows)

    def _divergence(self) -> float | None:
        """The mean over the anchors held out, each of them the mean over its tokens, in nats."""
        if self._anchors is None or not self._held_out:
            return None
        weight = 1 / len(self._held_out)
        total = 0.0
        for start in range(0, len(self._held_out), self._batch_size):
            share = self._team.share(self._held_out[start : start + self._batch_size])
            for arrays in self._anchors.arrays(share, weight, BatchLayout()) if share else ():
                _, divergence = losses_of(self._head, arrays)
                total += float(np.array(divergence))
        (summed,) = self._team.sum(total)
        return summed
