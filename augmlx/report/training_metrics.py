"""What the trainings of a run left in their metrics.jsonl, as curves over steps."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from augmlx.core.arms import AUGMENTED, CONTROLS
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.report.evaluated import in_order
from augmlx.report.reading import rows_of, shape, share

_REMEDY = "augmlx train RUN"
Curve = list[tuple[float, float]]  # (step, value)


@dataclass(frozen=True, slots=True)
class TrainingMetrics:
    """Curves of the trainings of a run; the validations are the augmented arm's.

    `speed` is in tokens a second: the median of the augmented arm's steps.
    """

    loss: Mapping[str, Curve] = field(default_factory=dict)  # by arm, in nats per token
    valid_loss: Curve = field(default_factory=list)  # in nats per token
    valid_accuracy: Mapping[str, Curve] = field(default_factory=dict)  # by kind, from 0 to 1
    speed: float | None = None

    @property
    def last_step(self) -> float:
        """The greatest step of any loss, 0 where there is none."""
        steps = [step for curve in self.loss.values() for step, _ in curve]
        return max(steps, default=0.0)


def read_training_metrics(run: RunFolder) -> TrainingMetrics:
    """Raises RunError where a file is not as augmlx writes it, BadInput for a torn line."""
    rows = rows_of(run.metrics)
    loss = {AUGMENTED.name: _loss(run.metrics, rows, "loss")}
    for arm in CONTROLS:
        folder = RunFolder(run / arm.stage)  # laid out like the run's own
        loss[arm.name] = _loss(folder.metrics, rows_of(folder.metrics), "loss")
    validations = [row for row in rows if row.get("valid_loss") is not None]
    return TrainingMetrics(
        loss={arm: curve for arm, curve in loss.items() if curve},
        valid_loss=_loss(run.metrics, validations, "valid_loss"),
        valid_accuracy=_valid_accuracy(run.metrics, rows),
        speed=_median_speed(run.metrics, rows),
    )


def _loss(path: Path, rows: list[Json], key: str) -> Curve:
    """The rows of a file as a curve, but for what is no number."""
    curve = []
    with shape(path, _REMEDY):
        for row in rows:
            step = float(row["step"])
            loss = float(row[key])
            if math.isfinite(step) and math.isfinite(loss):
                curve.append((step, loss))
    return curve


def _valid_accuracy(path: Path, rows: list[Json]) -> dict[str, Curve]:
    """Kind of question -> its curve."""
    curves: dict[str, Curve] = defaultdict(list)
    with shape(path, _REMEDY):
        for row in rows:
            accuracies = row.get("valid_accuracy") or {}
            for kind, accuracy in accuracies.items():
                step = float(row["step"])
                curves[str(kind)].append((step, share(accuracy)))
    return {kind: curves[kind] for kind in in_order(curves)}


def _median_speed(path: Path, rows: list[Json]) -> float | None:
    """In tokens a second; None where no row tells it."""
    with shape(path, _REMEDY):
        speeds = [row.get("tokens_per_second") for row in rows]
        ordered = sorted(float(speed) for speed in speeds if speed)
    if not ordered:
        return None
    return ordered[len(ordered) // 2]
