"""The stages that train: the run's own adapter, and those of the control arms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from augmlx.core.arms import Arm
from augmlx.core.records import Json
from augmlx.core.settings import Settings
from augmlx.data import stage as split_stage
from augmlx.evaluation import run_items
from augmlx.models.formats import adapter_folder
from augmlx.run import anchoring, control_arms
from augmlx.run.line import Line
from augmlx.run.stages import TRAIN, TRAIN_CONTROL, Stage, Stages, StageTask

if TYPE_CHECKING:
    from augmlx.training.team import Team

# A control takes as many steps as it is told, and keeps its last adapter.
_PLAIN = {"best": "off", "patience": 0, "validate_every": 0, "report_to": ()}


@dataclass(frozen=True, slots=True)
class ArmTraining:
    """What one arm is trained on, and where.

    Args:
        stage: under which it stands in the manifest.
        rows: as data/train.jsonl holds them.
        valid: as data/valid.jsonl holds them.
        anchors: as data/anchors.jsonl holds them.
        unknown: as data/unknown.jsonl holds them.
        remembered: the file that keeps what the base model gives there.
        folder: gets adapter/, checkpoints/ and metrics.jsonl.
        label: what the progress bar says.
        steps: about so many optimizer steps, in whole epochs; None: the epochs of the settings.
    """

    stage: Stage
    rows: Sequence[Json]
    valid: Sequence[Json]
    anchors: Sequence[Json]
    unknown: Sequence[Json]
    remembered: Path
    folder: Path
    label: str
    steps: int | None = None


def own_training(line: Line) -> ArmTraining:
    """The run's own adapter: data/train.jsonl -> adapter/."""
    run = line.run
    rows, valid = split_stage.dealt(run)
    return ArmTraining(
        stage=TRAIN,
        rows=rows,
        valid=valid,
        anchors=anchoring.anchor_rows(line),
        unknown=anchoring.unknown_rows(line),
        remembered=run.remembered,
        folder=run.path,
        label="Training",
    )


def control_training(line: Line, arm: Arm, rows: Sequence[Json], steps: int) -> ArmTraining:
    """An arm for comparison: as many whole epochs as come nearest to the steps of the augmented
    training, held at the same anchors.
    """
    return ArmTraining(
        stage=TRAIN_CONTROL[arm.stage],
        rows=rows,
        valid=(),
        anchors=anchoring.anchor_rows(line),
        unknown=(),
        remembered=line.run.remembered,
        folder=control_arms.folder_of(line.run, arm.name),
        label=f"Training the arm {arm.name}",
        steps=steps,
    )


def plainly(line: Line) -> Line:
    """The line under whose settings the controls are trained."""
    train = line.settings.train.model_copy(update=_PLAIN)
    return replace(line, settings=line.settings.model_copy(update={"train": train}))


def train_task(
    line: Line, training: ArmTraining, basis: object, team: Team | None = None
) -> StageTask:
    """What trains one arm. The other processes of a `team` follow (run/follow.py)."""
    steps = [] if training.steps is None else [training.steps]
    return StageTask(
        training.stage,
        basis=basis,
        inputs=[*_inputs(training, line.settings), *steps],
        outputs=[training.folder / "adapter" / name for name in adapter_folder.FILES],
        prepare=lambda: _prepare(line, training, team),
    )


def train(stages: Stages, task: StageTask, folder: Path) -> Json:
    """Do the stage; returns its counts. Once it is on record, nothing is left to resume."""
    counts = stages.do(task)
    checkpoints = folder / "checkpoints"
    if checkpoints.exists():
        from augmlx.training import checkpoint

        checkpoint.clear(checkpoints)
    return counts


def _inputs(training: ArmTraining, settings: Settings) -> list[object]:
    judged = []
    if settings.train.asks_questions:
        judged = [settings.eval.choices, settings.eval.score]
    rows = [training.rows, training.valid, training.anchors, training.unknown]
    return [*rows, settings.train.learnt, *judged]


def _prepare(line: Line, training: ArmTraining, team: Team | None) -> Callable[[], Json]:
    from augmlx.training import fit

    settings = line.settings
    ready = fit.prepare(
        line.model,
        training.rows,
        settings,
        training.valid,
        training.anchors,
        training.unknown,
        steps=training.steps,
    )
    judge = None
    if settings.train.asks_questions:
        judge = run_items.judge(line.run, line.facts, training.valid, settings)
    work = partial(
        fit.fit,
        ready,
        training.folder,
        progress=line.progress,
        label=training.label,
        judge=judge,
        team=team,
        remembered=training.remembered,
    )
    if team is not None:
        team.begin(True)
        team.text_from_first(json.dumps([training.anchors, training.unknown]))
    return work
