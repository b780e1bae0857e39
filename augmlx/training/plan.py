"""What a training will do, resolved once from settings, model and rows: nothing of it is "auto", or
counted from the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import mlx.nn as nn

from augmlx.core.errors import BadSettings
from augmlx.core.records import fingerprint
from augmlx.core.settings import TrainSettings
from augmlx.models.heads import Head
from augmlx.models.loading import device
from augmlx.training import anchoring, optimizers, packing, shared_prefix
from augmlx.training.batches import Batch, Row, epoch_steps, taking_turns
from augmlx.training.layout import BatchLayout
from augmlx.training.optimizers import OptimizerName
from augmlx.training.trackers import Reporting

_HELD_OUT = 8  # anchors to one that is held out


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step: its number, from 1, its epoch, from 1, the batches whose gradients are
    summed, whether it is the `last` of its epoch, and the anchors that hold it, as indices of
    these.
    """

    number: int
    epoch: int
    batches: Sequence[Batch]
    last: bool
    anchors: Batch = ()


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training, with everything decided. Its parts take from it what they need.

    Args:
        rows: what is trained on, and behind it what is not known; the batches of the steps are
            indices of these.
        valid: what is validated on.
        anchors: where the model is held; none: nowhere.
        anchor: the weight of that.
        held_out: the anchors that no step has: behind each validation the model is compared with
            the base model at them. None where that is not asked for.
        batch_size: rows of a batch that is validated on.
        rates: the learning rate of each step.
        validated: the numbers of the steps behind which the model is validated.
        optimizer: with the highest of the rates (`peak`) and its weight decay.
        clip: the largest norm of a step's gradients; 0: no limit.
        layout: how batches lie in arrays.
        unpacked: why the model's rows cannot be packed, where they were to be.
        unanchored: why it cannot be held at anchors, where it was to be.
        compiled: whether steps are compiled.
        recomputes_layers: gradient checkpointing.
        checkpoint_every: steps between checkpoints, of which the newest `checkpoints` are kept.
        averaged: of so many of the last steps the mean of the weights is kept; 0: the last ones.
        best: what decides which validation is the best, whose weights are kept; "off": the last
            weights are.
        patience: validations without a better one after which it stops; 0: never.
        fingerprint: of data, settings and base: a checkpoint of another one is not resumed.
    """

    rows: Sequence[Row]
    valid: Sequence[Row]
    anchors: Sequence[Row]
    anchor: float
    held_out: Batch
    batch_size: int
    steps: Sequence[Step]
    rates: Sequence[float]
    validated: frozenset[int]
    optimizer: OptimizerName
    peak: float
    weight_decay: float
    clip: float
    seed: int
    layout: BatchLayout
    unpacked: str | None
    unanchored: str | None
    compiled: bool
    recomputes_layers: bool
    checkpoint_every: int
    checkpoints: int
    averaged: int
    best: Literal["off", "loss", "accuracy", "kept"]
    patience: int
    reporting: Reporting
    fingerprint: str

    @property
    def used(self) -> dict[int, Row]:
        """The rows that the steps have, by their indices."""
        indices = {index for step in self.steps for batch in step.batches for index in batch}
        return {index: self.rows[index] for index in sorted(indices)}

    def rows_in(self, batch: Batch) -> list[Row]:
        return [self.rows[index] for index in batch]

    def target_tokens(self, batches: Sequence[Batch]) -> int:
        """How many tokens of a step's batches carry loss."""
        return sum(row.targets for batch in batches for row in self.rows_in(batch))

    def weight(self, batches: Sequence[Batch]) -> float:
        """What these tokens count for together."""
        return sum(row.weight for batch in batches for row in self.rows_in(batch))


def make_plan(
    model: nn.Module,
    rows: Sequence[Row],
    settings: TrainSettings,
    *,
    peak: float,
    seed: int,
    valid: Sequence[Row] = (),
    anchors: Sequence[Row] = (),
    unknown: Sequence[Row] = (),
    questions: int = 0,
    identity: str = "",
) -> TrainingPlan:
    """The plan of a training of `model` on `rows`.

    Args:
        model: tried for whether its rows can be packed; nothing of it is changed.
        peak: the highest learning rate.
        valid: rows to validate on; none: no validation.
        anchors: where the model is held, with the weight of the settings.
        unknown: rows that say that something is not known; some of them are in each step, the more
            of the rows put `questions`.
        identity: what else the training depends on than settings and rows: above all, its base.

    Raises:
        BadSettings: packing that the model does not allow, or anchors held out where it cannot be
            held at any, or there are too few.
    """
    unanchored = _why_unanchored(model) if anchors else None
    if unanchored:
        anchors = ()
    held_out = _held_out(len(anchors), settings, unanchored)
    pulling = [index for index in range(len(anchors)) if index not in held_out]
    steps = planned_steps(
        rows, settings, seed, anchors=pulling, unknown=len(unknown), questions=questions
    )
    total = len(steps)
    parts = (rows, valid, anchors, unknown)
    tokens = [[[row.tokens, row.mask, row.first] for row in part] for part in parts]
    unpacked = _why_unpacked(model, settings)
    compiled = _compiles(settings)
    return TrainingPlan(
        rows=[*rows, *unknown],
        valid=valid,
        anchors=anchors,
        anchor=settings.anchor,
        held_out=held_out,
        batch_size=settings.batch_size,
        steps=steps,
        rates=[optimizers.rate(step.number, total, peak, settings) for step in steps],
        validated=_validated(steps, settings.validate_every) if valid else frozenset(),
        optimizer=settings.optimizer,
        peak=peak,
        weight_decay=settings.weight_decay,
        clip=settings.clip,
        seed=seed,
        layout=BatchLayout(
            packing="never" if unpacked else settings.packing,
            bucketed=compiled,
            longest=packing.longest(model),
            # A layer that is computed again has lost what its cache held.
            shares=not (unpacked or settings.packing == "never" or settings.checkpoint_layers)
            and shared_prefix.works(model),
        ),
        unpacked=unpacked,
        unanchored=unanchored,
        compiled=compiled,
        recomputes_layers=settings.checkpoint_layers,
        checkpoint_every=settings.checkpoint_every,
        checkpoints=settings.checkpoints,
        averaged=_averaged(total, settings),
        best=settings.best,
        patience=settings.patience,
        reporting=Reporting.of(settings),
        fingerprint=fingerprint([identity, settings.learnt, peak, seed, tokens]),
    )


def _held_out(anchors: int, settings: TrainSettings, unanchored: str | None) -> Batch:
    """Every eighth of so many anchors, where they are to tell what is kept. Raises BadSettings
    where there are none to hold out.
    """
    if settings.best != "kept":
        return ()
    held_out = range(_HELD_OUT - 1, anchors, _HELD_OUT)
    if not held_out:
        reason = unanchored or f"of {anchors} anchors none can be held out"
        raise BadSettings(
            f'train.best = "kept": {reason}', hint="choose train.best = accuracy, or more anchors"
        )
    return held_out


def _averaged(steps: int, settings: TrainSettings) -> int:
    """Of how many of so many steps the mean is kept: not where the best is, nor of whole layers."""
    if settings.best != "off" or settings.method == "full":
        return 0
    return math.ceil(steps * settings.average)


def _why_unpacked(model: nn.Module, settings: TrainSettings) -> str | None:
    """Why rows are padded although packing was not ruled out; None where they are not. Raises
    BadSettings where it was ordered.
    """
    if settings.packing == "never":
        return None
    reason = packing.why_not(model)
    if reason and settings.packing == "always":
        raise BadSettings(
            f"train.packing: always, and this model's examples cannot be packed: {reason}",
            hint="leave it at auto",
        )
    return reason


def _why_unanchored(model: nn.Module) -> str | None:
    """Why a model cannot be held at anchors; None where it can."""
    if Head(model).split:
        return None
    return "its head cannot be run apart from its body, and all logits would have to be kept"


def _compiles(settings: TrainSettings) -> bool:
    if settings.compile == "auto":
        return device() == "gpu"
    return settings.compile == "always"


def planned_steps(
    rows: Sequence[Row],
    settings: TrainSettings,
    seed: int,
    *,
    anchors: Batch = (),
    unknown: int = 0,
    questions: int = 0,
) -> list[Step]:
    """Every step of a training on these rows. Each of them is in one batch of each epoch, or of
    several wordings one. Some of these `anchors` are in each step, and so are some of so many rows
    that say that something is `unknown`, which are numbered behind the others.

    Args:
        questions: how many of what an epoch meets put a question.
    """
    groups = taking_turns(rows)
    steps: list[Step] = []
    for epoch in range(1, settings.epochs + 1):
        chosen = [group[(epoch + place) % len(group)] for place, group in enumerate(groups)]
        batches_of_steps = epoch_steps(
            [len(rows[index].tokens) for index in chosen],
            settings.batch_size,
            settings.accumulate,
            seed=seed,
            epoch=epoch,
        )
        left = len(batches_of_steps)
        for batches in batches_of_steps:
            left -= 1
            own = [[chosen[place] for place in batch] for batch in batches]
            steps.append(Step(len(steps) + 1, epoch, own, last=left == 0))
    rows_of_step = settings.batch_size * settings.accumulate
    total = len(steps)
    count = rows_of_step / anchoring.ROWS_TO_ONE
    held = anchoring.drawn(len(anchors), total, count, seed=f"{seed}:anchors")
    count = rows_of_step * settings.unknown * questions / max(1, len(groups))
    not_known = anchoring.drawn(unknown, total, count, seed=f"{seed}:unknown")
    return [
        replace(
            step,
            anchors=[anchors[place] for place in own],
            batches=_with_more(step.batches, len(rows), more),
        )
        for step, own, more in zip(steps, held, not_known, strict=True)
    ]


def _with_more(batches: Sequence[Batch], rows: int, more: Batch) -> Sequence[Batch]:
    """The batches, and in the last of them some rows more, which are numbered behind the rows."""
    *before, last = batches
    return [*before, [*last, *(rows + index for index in more)]]


def _validated(steps: Sequence[Step], every: int) -> frozenset[int]:
    """The steps behind which it is time to validate: each `every`, or with 0 the last of each
    epoch. The last of all always is one: what is kept must have been compared with it.
    """
    if every:
        numbers = {step.number for step in steps if step.number % every == 0}
    else:
        numbers = {step.number for step in steps if step.last}
    return frozenset({*numbers, len(steps)})
