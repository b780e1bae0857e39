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
from augmlx.training.loss import loss_of
from augmlx.training.plan import TrainingPlan
from augmlx.training.team import Team

# The accuracy (0..1) of the model as it stands, by kind of question.
Judge = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Validation:
    """One validation: mean `loss` (nats a token), and the share of right answers by kind of
    question, if asked for.
    """

    step: int
    loss: float
    accuracy: Mapping[str, float] | None = None

    @property
    def mean_accuracy(self) -> float:
        """Over the kinds, so that each counts the same."""
        if not self.accuracy:
            return 0.0
        return sum(self.accuracy.values()) / len(self.accuracy)

    def better_than(self, other: Validation | None, by: str) -> bool:
        """By loss; or by accuracy, and where that is the same by loss."""
        if other is None:
            return True
        if by == "accuracy" and self.mean_accuracy != other.mean_accuracy:
            return self.mean_accuracy > other.mean_accuracy
        return self.loss < other.loss


class Validator:
    """Validates a model on the plan's rows for it, with dropout off. The rows are shared among a
    team; one of it has a judge.
    """

    def __init__(
        self, model: nn.Module, plan: TrainingPlan, judge: Judge | None, team: Team
    ) -> None:
        self._model, self._judge, self._team = model, judge, team
        self._rows = sorted(plan.valid, key=lambda row: len(row.tokens))
        self._batch_size = plan.batch_size
        self._head = Head(model)

    def run(self, step: int) -> Validation:
        """Validate the model as it stands behind a step; it is left in training mode."""
        self._model.eval()
        try:
            loss = self._loss()
            accuracy = self._judge() if self._judge else None
        finally:
            self._model.train()
        return Validation(step, loss, accuracy)

    def _loss(self) -> float:
        """The mean over all tokens that carry loss, in nats."""
        total = 0.0
        for start in range(0, len(self._rows), self._batch_size):
            share = self._team.share(self._rows[start : start + self._batch_size])
            if share:
                loss = loss_of(self._head, layout.arrays(share))
                total += float(np.array(loss))
        (summed,) = self._team.sum(total)
        return summed / sum(row.targets for row in self._rows)
