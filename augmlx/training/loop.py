"""The training loop: the steps of a plan, with validations, checkpoints, and a line of metrics a
step.
"""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn

from augmlx.core.errors import AugmlxError, ModelError, RunError
from augmlx.core.progress import Progress
from augmlx.core.records import fingerprint
from augmlx.training import metrics, trackers
from augmlx.training.anchoring import Anchors
from augmlx.training.checkpoint import Position
from augmlx.training.frozen_states import FrozenStates
from augmlx.training.gradient_checkpointing import layers_recomputed
from augmlx.training.plan import Step, TrainingPlan
from augmlx.training.record import TrainingRecord
from augmlx.training.steps import Stepper, Taken
from augmlx.training.stopping import stop_signals
from augmlx.training.team import Team
from augmlx.training.validation import Judge, Validation, Validator


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


class Training:
    """One training of a model's trainable parameters. It goes on from `folder`/checkpoints if they
    are its.

    Args:
        model: with adapters attached, or layers unfrozen; left in evaluation mode.
        folder: gets checkpoints/ and metrics.jsonl. Only the first process of a team touches it.
        judge: the accuracy of the model as it stands; asked at each validation.
        anchors: where it is held, if the plan has any.
    """

    def __init__(
        self,
        model: nn.Module,
        plan: TrainingPlan,
        folder: Path,
        *,
        judge: Judge | None = None,
        team: Team | None = None,
        anchors: Anchors | None = None,
        states: FrozenStates | None = None,
    ) -> None:
        self._model, self._plan, self._folder = model, plan, folder
        self._team = team or Team()
        self._stepper = Stepper(model, plan, self._team, anchors, states)
        self._validator = Validator(model, plan, judge, self._team, anchors)
        self._record = TrainingRecord(model, self._stepper.optimizer, plan, folder, self._team)

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
        self._require_the_same_plan_everywhere()
        self._say_what_costs_more(progress, label)
        steps = self._plan.steps
        position = self._record.resume(progress)
        self._model.train()
        with (
            layers_recomputed(self._model, self._plan.recomputes_layers),
            closing(self._open_trackers()) as tracked,
            stop_signals() as stop_signal,
            progress.task(label, len(steps), done=position.step) as task,
        ):
            for step in [] if position.ended else steps[position.step :]:
                position, line = self._taken(step, position)
                self._record.average(step.number)
                self._record.write_line(line)
                if self._team.first:
                    tracked.step(line)
                # All of a team must stop at the same step, whichever of them is told to.
                stops = self._team.any(stop_signal.is_set())
                ends = position.ended or step.number == len(steps)
                if stops or ends or step.number % self._plan.checkpoint_every == 0:
                    self._record.require_learning(step.number, max(self._plan.rates))
                    self._record.save(position)
                # Behind the checkpoint, for the terminal may be gone.
                task.advance(note=_note(line), point=line["loss"])
                if stops:  # in the last step, too: what would come next was not asked for any more
                    self._team.wait()  # mlx.launch ends the others as soon as one has ended
                    raise KeyboardInterrupt
                if ends:
                    break
        self._model.eval()
        return self._result(position)

    def _require_the_same_plan_everywhere(self) -> None:
        """When it is validated decides no weight, but what the processes say to one another, and
        when. Raises RunError.
        """
        mark = fingerprint([self._plan.fingerprint, sorted(self._plan.validated)])
        if not self._team.agree(int(mark[:6], 16)):
            raise RunError(
                "the machines hold different data, settings or models",
                hint="copy the run folder to each",
            )

    def _say_what_costs_more(self, progress: Progress, label: str) -> None:
        if self._plan.unpacked:
            reason = self._plan.unpacked
            progress.say(f"{label}: examples are padded and not packed: {reason}")
        if self._plan.unanchored:
            progress.say(f"{label}: the model is not held at anchors: {self._plan.unanchored}")
        if self._stepper.whole_logits:
            progress.say(
                f"{label}: this model's head cannot be run apart from its body, so all logits of "
                f"a batch are in memory at once; a smaller train.batch_size takes less"
            )

    def _open_trackers(self) -> trackers.Trackers:
        reporting = self._plan.reporting
        if not self._team.first:
            reporting = replace(reporting, trackers=())
        return trackers.open_trackers(reporting, self._folder)

    def _taken(self, step: Step, position: Position) -> tuple[Position, metrics.Line]:
        """Take a step, and validate if it is time to.

        Returns:
            Where the training stands behind it, and what the metrics say of it.
        """
        started = time.monotonic()
        taken = self._stepped(step)
        seconds = time.monotonic() - started
        targets = self._plan.target_tokens(step.batches)
        position = replace(position, step=step.number, tokens=position.tokens + targets)
        line: metrics.Line = {"step": step.number, "epoch": step.epoch, "loss": taken.loss}
        if taken.divergence is not None:
            line["divergence"] = taken.divergence
        if step.number in self._plan.validated:
            validation = self._validated(step)
            line |= _validation_line(validation)
            if self._plan.best != "off":
                position = self._compared(position, validation)
        line |= {
            "gradient_norm": taken.norm,
            "learning_rate": float(self._stepper.optimizer.learning_rate),
            "tokens": position.tokens,
            "tokens_per_second": round(targets / seconds, 1),
            "peak_memory": mx.get_peak_memory(),
        }
        return position, line

    def _stepped(self, step: Step) -> Taken:
        """Take a step, all of whose numbers are finite."""
        rate = self._plan.rates[step.number - 1]
        try:
            taken = self._stepper.run(step, rate)
        except (RuntimeError, ValueError) as error:  # as MLX raises them
            fault = _known(error)
            if fault is None:
                raise
            raise fault from error
        # A loss may still be finite where its gradients no longer are; the next weights would not
        # be.
        if not math.isfinite(taken.loss):
            raise self._diverged(step, f"the loss is {taken.loss}")
        if not math.isfinite(taken.norm):
            raise self._diverged(step, "the gradients are not finite")
        return taken

    def _diverged(self, step: Step, fault: str) -> AugmlxError:
        rows = [row for batch in step.batches for row in self._plan.rows_in(batch)]
        return AugmlxError(
            f"step {step.number}: {fault}; its examples: {', '.join(row.id for row in rows)}",
            hint="lower train.learning_rate, or look at those examples",
        )

    def _validated(self, step: Step) -> Validation:
        validation = self._validator.run(step.number)
        if not math.isfinite(validation.loss):
            raise AugmlxError(
                f"step {step.number}: the validation loss is {validation.loss}",
                hint="lower train.learning_rate, or look at data/valid.jsonl",
            )
        return validation

    def _compared(self, position: Position, validation: Validation) -> Position:
        """With what was best so far: whether this is, or how long none has been."""
        if validation.better_than(position.best, self._plan.best):
            self._record.keep_as_best()
            position = replace(position, best=validation, waited=0)
            ends = False
        else:
            position = replace(position, waited=position.waited + 1)
            ends = 0 < self._plan.patience <= position.waited
        # What was best before a resume, the first process alone knows.
        return replace(position, ended=self._team.any(ends and self._team.first))

    def _result(self, position: Position) -> TrainResult:
        steps = self._plan.steps[: position.step]
        if position.best is not None:
            self._record.restore_best()
        elif self._plan.averaged:
            self._record.restore_mean()
        return TrainResult(
            steps=position.step,
            tokens=position.tokens,
            loss=self._record.mean_loss(steps[-1].epoch),
            padding=self._stepper.padding(steps),
            best=position.best,
            stopped=position.ended and position.step < len(self._plan.steps),
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
            "lower train.batch_size (and raise train.accumulate), "
            "set train.checkpoint_layers = true, or quantise"
        )
        return AugmlxError("there is not enough memory for a training step", hint=hint)
    return None


def _validation_line(validation: Validation) -> metrics.Line:
    """What the metrics say of a validation."""
    line: metrics.Line = {"valid_loss": validation.loss}
    if validation.accuracy is not None:
        line["valid_accuracy"] = dict(validation.accuracy)
    if validation.divergence is not None:
        line["valid_divergence"] = validation.divergence
    return line


def _note(line: metrics.Line) -> str:
    """What the live view says beside the bar."""
    parts = [f"loss {line['loss']:.3f}"]
    if "valid_loss" in line:
        parts.append(f"valid {line['valid_loss']:.3f}")
    gigabytes = line["peak_memory"] / 1e9
    parts += [f"{line['tokens_per_second']:.0f} tokens/s", f"{gigabytes:.1f} GB"]
    return " · ".join(parts)
