"""Everything the report shows, read from the files of a run folder. A file that is not there yet is
left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from augmlx.core import settings_file
from augmlx.core.arms import AUGMENTED, CONTROLS
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.report.evaluated import Evaluation, in_order, read_evaluation
from augmlx.report.reading import rows_of, shape, share


@dataclass(frozen=True, slots=True)
class Gathered:
    """A run, as far as it got. None or empty: that stage has not run."""

    name: str
    manifest: Mapping[str, Json]
    settings: Settings | None
    facts: Mapping[str, Json]  # by id
    kept: list[Json]
    rejected: list[Json]
    loss: Mapping[str, list[tuple[float, float]]] = field(
        default_factory=dict
    )  # arm -> (step, nats per token)
    # Of the augmented arm's validations: (step, nats per token), and kind -> (step, share of right
    # answers).
    valid_loss: list[tuple[float, float]] = field(default_factory=list)
    valid_accuracy: Mapping[str, list[tuple[float, float]]] = field(default_factory=dict)
    speed: float | None = None  # tokens a second, the median of the augmented arm's steps
    evaluation: Evaluation | None = None


def gather(run: RunFolder) -> Gathered:
    """Read a run folder.

    Raises:
        RunError: there is no such folder, or a file of it holds something else than augmlx writes.
        BadInput, BadSettings, StorageError: a torn line, an unusable augmlx.toml, a file that
        cannot be read.
    """
    run.require()
    manifest = run.manifest()
    evaluation = read_evaluation(run)
    folders = {AUGMENTED.name: "."}
    folders |= {arm.name: arm.stage for arm in CONTROLS}
    metrics = {
        arm: run / folder / "metrics.jsonl"
        for arm, folder in (
            (AUGMENTED.name, "."),
            *((arm.name, arm.stage or ".") for arm in CONTROLS),
        )
    }
    rows = {arm: rows_of(path) for arm, path in metrics.items()}
    return Gathered(
        name=run.path.resolve().name,
        manifest=manifest,
        settings=settings_file.load(run.settings) if run.settings.exists() else None,
        facts={str(row.get("id")): row for row in rows_of(run.facts)},
        kept=_texts(run.augmented),
        rejected=_texts(run.rejected),
        loss={arm: points for arm, path in metrics.items() if (points := _loss(rows[arm], path))},
        valid_loss=_loss(
            [row for row in rows[AUGMENTED.name] if row.get("valid_loss") is not None],
            metrics[AUGMENTED.name],
            "valid_loss",
        ),
        valid_accuracy=_valid_accuracy(rows[AUGMENTED.name], metrics[AUGMENTED.name]),
        speed=_speed(rows[AUGMENTED.name], metrics[AUGMENTED.name]),
        evaluation=evaluation,
    )


def _loss(rows: list[Json], path: Path, key: str = "loss") -> list[tuple[float, float]]:
    with shape(path, "augmlx train RUN"):
        points = [(float(row["step"]), float(row[key])) for row in rows]
    return [(step, loss) for step, loss in points if math.isfinite(step) and math.isfinite(loss)]


def _valid_accuracy(rows: list[Json], path: Path) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    with shape(path, "augmlx train RUN"):
        for row in rows:
            for kind, accuracy in (row.get("valid_accuracy") or {}).items():
                lines.setdefault(str(kind), []).append((float(row["step"]), share(accuracy)))
    return {kind: lines[kind] for kind in in_order(lines)}


def _speed(rows: list[Json], path: Path) -> float | None:
    with shape(path, "augmlx train RUN"):
        values = sorted(
            float(row["tokens_per_second"]) for row in rows if row.get("tokens_per_second")
        )
    return values[len(values) // 2] if values else None


def _texts(path: Path) -> list[Json]:
    """Produced texts with their origin."""
    rows = rows_of(path)
    with shape(path, "augmlx augment FACTS -o RUN"):
        for row in rows:
            if not isinstance(row["origin"]["fact_ids"], list):
                raise TypeError(row["origin"])
    return rows
