"""The training loop: steps that are fixed by the seed, validations, checkpoints, and a line of
metrics a step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn

from augmlx.core.errors import AugmlxError, ModelError, RunError
from augmlx.core.files import make_folder
from augmlx.core.progress import Progress
from augmlx.core.records import fingerprint
from augmlx.core.settings import TrainSettings
from augmlx.training import checkpoint, metrics, optimizers, trackers
from augmlx.training.batches import Row, epoch_steps
from augmlx.training.checkpoint import Position
from augmlx.training.gradient_checkpointing import layers_recomputed
from augmlx.training.steps import Batch, Stepper
from augmlx.training.stopping import stop_signals
from augmlx.training.team import Team
from augmlx.training.validation import Judge, Validation, Validator


@dataclass(frozen=True, slots=True)
class Step:
    """`last`: of its epoch."""

    number: int
    epoch: int
    batches: Sequence[Batch]
    last: bool


@dataclass(frozen=True, slots=True)
class TrainResult:
    """`tokens` that carried loss, the mean `loss` (nats) of the last epoch, the share of `padding`
    (0..1) in what was computed, the best validation if it was asked for, and whether the training
    was `stopped` early.
    """

    steps: int
    tokens: int
    loss: float
    padding: float
    best: Validation | None
    stopped: bool


def plan(lengths: Sequence[int], settings: TrainSettings, seed: int) -> list[Step]:
    """Every step of a training on rows of these lengths. Each row is in one batch of each epoch."""
    steps: list[Step] = []
    for epoch in range(1, settings.epochs + 1):
        found = epoch_steps(
            lengths, settings.batch_size, settings.accumulate, seed=seed, epoch=epoch
        )
        steps += [
            Step(len(steps) + n, epoch, batches, n == len(found))
            for n, batches in enumerate(found, start=1)
        ]
    return steps


class Training:
    """One training of a model's trainable parameters on `rows`. It goes on from
    `folder`/checkpoints if they are its.

    Args:
        model: with adapters attached, or layers unfrozen; left in evaluation mode.
        valid: rows to validate on; none: no validation.
        folder: gets checkpoints/ and metrics.jsonl. Only the first process of a team touches it.
        peak: the highest learning rate.
        identity: fingerprint of data, settings and base; a checkpoint of another one is not
            resumed.
        judge: the accuracy of the model as it stands; asked at each validation.
    """

    def __init__(
        self,
        model: nn.Module,
        rows: Sequence[Row],
        folder: Path,
        settings: TrainSettings,
        *,
        peak: float,
        seed: int,
        identity: str,
        valid: Sequence[Row] = (),
        judge: Judge | None = None,
        team: Team | None = None,
    ) -> None:
        self._model, self._rows, self._settings, self._peak = model, rows, settings, peak
        self._team = team or Team()
        self._folder, self._metrics = folder, folder / "metrics.jsonl"
        self._checkpoints = folder / "checkpoints"
        told = [[[row.tokens, row.mask] for row in part] for part in (rows, valid)]
        self._identity = fingerprint([identity, settings.learnt, seed, told])
        self._steps = plan([len(row.tokens) for row in rows], settings, seed)
        self._stepper = Stepper(model, rows, settings, peak, seed=seed, team=self._team)
        self._validator = Validator(model, valid, settings, judge, self._team)

    def run(self, progress: Progress, label: str) -> TrainResult:
        """Train to the end.

        Raises:
            AugmlxError: the loss or its gradients are not finite; with the step and the ids of its
                examples. Nothing of that step is written.
            RunError: a damaged checkpoint, metrics that lack steps, or a team that holds different
                data or has lost one of its processes.
            KeyboardInterrupt: after SIGINT, SIGTERM or SIGHUP, when the step is finished and a
                checkpoint written.
        """
        # When it is validated decides no weight, but what the processes say to one another, and
        # when.
        if not self._team.agree(
            int(fingerprint([self._identity, self._settings.validate_every])[:6], 16)
        ):
            raise RunError(
                "the machines hold different data, settings or models",
                hint="copy the run folder to each",
            )
        if self._stepper.unpacked:
            progress.say(f"{label}: examples are padded and not packed: {self._stepper.unpacked}")
        if self._stepper.whole_logits:
            fault = (
                "this model's head cannot be run apart from its body, so all logits of a "
                "batch are in memory at once"
            )
            progress.say(f"{label}: {fault}; a smaller train.batch_size takes less")
        position = self._resumed(progress)
        self._model.train()
        with (
            layers_recomputed(self._model, self._settings.checkpoint_layers),
            closing(self._trackers()) as tracked,
            stop_signals() as stopped,
            progress.task(label, len(self._steps), done=position.step) as task,
        ):
            for step in [] if position.ended else self._steps[position.step :]:
                started = time.monotonic()
                loss, norm = self._taken(step)
                seconds = time.monotonic() - started
                position, line = self._after(step, position, loss)
                line |= {"gradient_norm": norm, **self._cost(position, step, seconds)}
                if self._team.first:
                    metrics.append(self._metrics, line)
                    tracked.step(line)
                # All of a team must stop at the same step, whichever of them is told to.
                stop = self._team.sum(float(stopped.is_set()))[0] > 0
                ended = position.ended or step.number == len(self._steps)
                if stop or ended or step.number % self._settings.checkpoint_every == 0:
                    self._saved(position)
                task.advance(
                    note=_note(line), point=loss
                )  # behind it, for the terminal may be gone
                if stop:  # in the last step, too: what would come next was not asked for any more
                    self._team.wait()  # mlx.launch ends the others as soon as one has ended
                    raise KeyboardInterrupt
                if ended:
                    break
        self._model.eval()
        return self._result(position)

    def _trackers(self) -> trackers.Trackers:
        told = (
            self._settings
            if self._team.first
            else self._settings.model_copy(update={"report_to": ()})
        )
        return trackers.open_trackers(told, self._folder)

    def _resumed(self, progress: Progress) -> Position:
        position = Position()
        if self._team.first:
            make_folder(self._checkpoints)
            optimizer, stale = self._stepper.optimizer, any(self._checkpoints.glob("step-*"))
            found = checkpoint.load_latest(
                self._checkpoints, self._model, optimizer, self._identity
            )
            if found is None and stale:
                progress.say(
                    "checkpoints of other data, settings or another model are discarded: it "
                    "begins anew"
                )
            position = found or position
            metrics.keep(self._metrics, position.step)
        return self._shared(position)

    def _shared(self, position: Position) -> Position:
        """What the first process found, on all of them: the others need no checkpoints of their
        own.
        """
        if self._team.size == 1:
            return position
        self._model.update(self._team.given(self._model.trainable_parameters()))
        self._stepper.optimizer.state.update(self._team.given(self._stepper.optimizer.state))
        here = self._team.first
        told = (position.step, position.tokens % 2**20, position.tokens >> 20, position.ended)
        step, low, high, ended = (
            round(value) for value in self._team.sum(*(value * here for value in told))
        )
        return replace(position, step=step, tokens=low + (high << 20), ended=bool(ended))

    def _taken(self, step: Step) -> tuple[float, float]:
        rate = optimizers.rate(step.number, len(self._steps), self._peak, self._settings)
        try:
            loss, norm = self._stepper.run(step.number, step.batches, rate)
        except (RuntimeError, ValueError) as error:  # as MLX raises them
            if (told := _known(error)) is None:
                raise
            raise told from error
        # A loss may still be finite where its gradients no longer are; the next weights would not
        # be.
        if not math.isfinite(loss) or not math.isfinite(norm):
            what = (
                f"the loss is {loss}" if not math.isfinite(loss) else "the gradients are not finite"
            )
            names = ", ".join(self._rows[index].id for batch in step.batches for index in batch)
            raise AugmlxError(
                f"step {step.number}: {what}; its examples: {names}",
                hint="lower train.learning_rate, or look at those examples",
            )
        return loss, norm

    def _after(self, step: Step, position: Position, loss: float) -> tuple[Position, metrics.Line]:
        """Where the training stands behind a step, validated if it is time to, and what the metrics
        say of it.
        """
        position = replace(position, step=step.number, tokens=position.tokens + self._tokens(step))
        line: metrics.Line = {"step": step.number, "epoch": step.epoch, "loss": loss}
        if self._validator.due(
            step.number, ends_epoch=step.last, ends=step.number == len(self._steps)
        ):
            found = self._validator.run(step.number)
            if not math.isfinite(found.loss):
                hint = "lower train.learning_rate, or look at data/valid.jsonl"
                raise AugmlxError(
                    f"step {step.number}: the validation loss is {found.loss}", hint=hint
                )
            line["valid_loss"] = found.loss
            if found.accuracy is not None:
                line["valid_accuracy"] = dict(found.accuracy)
            if self._settings.best != "off":
                position = self._compared(position, found)
                # What was best before a resume, the first process alone knows.
                position = replace(
                    position,
                    ended=self._team.sum(float(position.ended and self._team.first))[0] > 0,
                )
        return position, line

    def _compared(self, position: Position, found: Validation) -> Position:
        if found.better_than(position.best, self._settings.best):
            if self._team.first:
                checkpoint.save_best(self._checkpoints, self._model)
            return replace(position, best=found, waited=0)
        waited = position.waited + 1
        return replace(position, waited=waited, ended=0 < self._settings.patience <= waited)

    def _cost(self, position: Position, step: Step, seconds: float) -> metrics.Line:
        return {
            "learning_rate": float(self._stepper.optimizer.learning_rate),
            "tokens": position.tokens,
            "tokens_per_second": round(self._tokens(step) / seconds, 1),
            "peak_memory": mx.get_peak_memory(),
        }

    def _tokens(self, step: Step) -> int:
        """How many of a step's tokens carry loss."""
        return sum(self._rows[index].targets for batch in step.batches for index in batch)

    def _saved(self, position: Position) -> None:
        if self._team.first:
            metrics.flush(self._metrics)
            checkpoint.save(
                self._checkpoints,
                position,
                self._model,
                self._stepper.optimizer,
                fingerprint=self._identity,
                kept=self._settings.checkpoints,
            )

    def _result(self, position: Position) -> TrainResult:
        done = self._steps[: position.step]
        last = [
            line["loss"] for line in metrics.read(self._metrics) if line["epoch"] == done[-1].epoch
        ]
        if position.best is not None and self._team.first:
            checkpoint.load_best(self._checkpoints, self._model)
        return TrainResult(
            position.step,
            position.tokens,
            sum(last) / max(1, len(last)),
            self._stepper.padding([step.batches for step in done]),
            position.best,
            position.ended and position.step < len(self._steps),
        )


def _known(error: Exception) -> AugmlxError | None:
    """What a fault of MLX's amid a step means to the user; None where it is not known."""
    text = str(error).lower()
    if "vjp" in text:
        return ModelError(
            "MLX has no gradient of something in this model", hint="train another model"
        )
    if "allocate" in text or "memory" in text:
        hint = (
            "lower train.batch_size (and raise train.accumulate), set train.checkpoint_layers "
            "= true, or quantise"
        )
        return AugmlxError("there is not enough memory for a training step", hint=hint)
    return None


def _note(line: metrics.Line) -> str:
    """What the live view says beside the bar."""
    parts = [f"loss {line['loss']:.3f}"]
    if "valid_loss" in line:
        parts.append(f"valid {line['valid_loss']:.3f}")
    parts += [f"{line['tokens_per_second']:.0f} tokens/s", f"{line['peak_memory'] / 1e9:.1f} GB"]
    return " · ".join(parts)
