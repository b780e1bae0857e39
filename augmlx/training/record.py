"""What a training keeps on the disk while it goes on: metrics, checkpoints and the best weights.

Of a team only the first process touches the disk; the others are told what it read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mlx.nn as nn
import mlx.optimizers as optim

from augmlx.core.errors import AugmlxError
from augmlx.core.files import make_folder
from augmlx.core.progress import Progress
from augmlx.training import checkpoint, divergence, metrics
from augmlx.training.averaging import TailMean
from augmlx.training.checkpoint import Position
from augmlx.training.plan import TrainingPlan
from augmlx.training.team import Team

_TOKENS_UNIT = 2**20  # a float32 holds integers up to 2 ** 24, and a training has more tokens


class TrainingRecord:
    """`folder`/metrics.jsonl and `folder`/checkpoints of one training of a model."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer,
        plan: TrainingPlan,
        folder: Path,
        team: Team,
    ) -> None:
        self._model, self._optimizer, self._plan, self._team = model, optimizer, plan, team
        self._metrics = folder / "metrics.jsonl"
        self._checkpoints = folder / "checkpoints"
        self._mean = TailMean(model, len(plan.steps) - plan.averaged + 1)

    def resume(self, progress: Progress) -> Position:
        """Bring model, optimizer and metrics to the newest checkpoint of this very training.

        Returns:
            Where the training stands; at its beginning where there is no checkpoint.

        Raises:
            RunError: a damaged checkpoint, or metrics that lack steps.
        """
        position = Position()
        if self._team.first:
            position = self._read(progress)
        return self._shared(position)

    def _read(self, progress: Progress) -> Position:
        make_folder(self._checkpoints)
        any_checkpoint = any(self._checkpoints.glob("step-*"))
        position = checkpoint.load_latest(
            self._checkpoints, self._model, self._optimizer, self._plan.fingerprint, self._mean
        )
        if position is None and any_checkpoint:
            progress.say(
                "checkpoints of other data, settings or another model are discarded: it begins anew"
            )
        position = position or Position()
        metrics.keep(self._metrics, position.step)
        return position

    def _shared(self, position: Position) -> Position:
        """What the first process read, on all of them: the others need no checkpoints of their
        own.
        """
        if self._team.size == 1:
            return position
        self._model.update(self._team.from_first(self._model.trainable_parameters()))
        self._optimizer.state.update(self._team.from_first(self._optimizer.state))
        high, low = divmod(position.tokens, _TOKENS_UNIT)
        numbers = (position.step, low, high, position.ended)
        sums = self._team.sum(*(number * self._team.first for number in numbers))
        step, low, high, ended = (round(number) for number in sums)
        return replace(position, step=step, tokens=low + high * _TOKENS_UNIT, ended=bool(ended))

    def write_line(self, line: metrics.Line) -> None:
        if self._team.first:
            metrics.append(self._metrics, line)

    def save(self, position: Position) -> None:
        """Write a checkpoint, behind the metrics that it counts on."""
        if not self._team.first:
            return
        metrics.flush(self._metrics)
        checkpoint.save(
            self._checkpoints,
            position,
            self._model,
            self._optimizer,
            fingerprint=self._plan.fingerprint,
            kept=self._plan.checkpoints,
            mean=self._mean,
        )

    def require_learning(self, step: int, rate: float) -> None:
        """Raises AugmlxError where the training has come apart; what was kept before stays."""
        fault = divergence.fault(metrics.read(self._metrics)) if self._team.first else None
        if not self._team.any(fault is not None):
            return
        good = max(self._checkpoints.glob("step-*"), default=None)
        kept = f"; the weights before are in {good}" if good else ""
        raise AugmlxError(
            f"step {step}: {fault or 'the training has come apart'}: it has diverged{kept}",
            hint=f"lower train.learning_rate: try {rate / 10:.3g} (it was {rate:.3g})",
        )

    def average(self, step: int) -> None:
        """Take the weights as they stand behind a step into the mean, if it is one of the last."""
        if self._team.first:
            self._mean.add(step)

    def restore_mean(self) -> None:
        """Bring the model to the mean of its weights behind the last steps."""
        if self._team.first:
            self._mean.restore()

    def keep_as_best(self) -> None:
        """Keep the weights as they stand."""
        if self._team.first:
            checkpoint.save_best(self._checkpoints, self._model)

    def restore_best(self) -> None:
        """Bring the model to the weights that were kept as best."""
        if self._team.first:
            checkpoint.load_best(self._checkpoints, self._model)

    def mean_loss(self, epoch: int) -> float:
        """The mean of the losses (nats a token) of an epoch's steps."""
        lines = metrics.read(self._metrics)
        losses: list[float] = [line["loss"] for line in lines if line["epoch"] == epoch]
        return sum(losses) / max(1, len(losses))
