"""How good the model is on examples that it is not trained on, and which validation was the best so
far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import mlx.nn as nn
import numpy as np

from augmlx.core.settings import TrainSettings
from augmlx.models.heads import Head
from augmlx.training import layout
from augmlx.training.batches import Row
from augmlx.training.loss import loss_of
from augmlx.training.team import Team

Judge = Callable[
    [], Mapping[str, float]
]  # the accuracy of the model as it stands, by kind of question


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
        return sum(self.accuracy.values()) / len(self.accuracy) if self.accuracy else 0.0

    def better_than(self, other: Validation | None, by: str) -> bool:
        """By loss; or by accuracy, and where that is the same by loss."""
        if other is None:
            return True
        if by == "accuracy" and self.mean_accuracy != other.mean_accuracy:
            return self.mean_accuracy > other.mean_accuracy
        return self.loss < other.loss


class Validator:
    """Validates a model on `rows`, with dropout off. The rows are shared among a team; one of it
    has a judge.
    """

    def __init__(
        self,
        model: nn.Module,
        rows: Sequence[Row],
        settings: TrainSettings,
        judge: Judge | None,
        team: Team,
    ) -> None:
        self._model, self._settings, self._judge, self._team = model, settings, judge, team
        self._rows = sorted(rows, key=lambda row: len(row.tokens))
        self._head = Head(model)

    def due(self, step: int, *, ends_epoch: bool, ends: bool) -> bool:
        """Whether it is time to. At the end it always is: what is kept must have been compared with
        the last.
        """
        every = self._settings.validate_every
        return bool(self._rows) and (ends or (step % every == 0 if every else ends_epoch))

    def run(self, step: int) -> Validation:
        self._model.eval()
        try:
            return Validation(step, self._loss(), self._judge() if self._judge else None)
        finally:
            self._model.train()

    def _loss(self) -> float:
        total, size = 0.0, self._settings.batch_size
        for start in range(0, len(self._rows), size):
            if mine := self._team.share(self._rows[start : start + size]):
                batch = layout.arrays(mine)
                total += float(np.array(loss_of(self._head, batch)))
        summed = self._team.sum(total)[0]
        return summed / sum(row.targets for row in self._rows)
