"""Everything the report shows, read from the files of a run folder. A file that is not there yet is
left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from augmlx.augment import coverage
from augmlx.augment.coverage import Gap
from augmlx.core import settings_file
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.report.evaluated import Evaluation, read_evaluation
from augmlx.report.reading import rows_of, shape
from augmlx.report.training_metrics import TrainingMetrics, read_training_metrics

_REMEDY = "augmlx augment FACTS -o RUN"


@dataclass(frozen=True, slots=True)
class Gathered:
    """A run, as far as it got. None or empty: that stage has not run."""

    name: str
    manifest: Mapping[str, Json]
    settings: Settings | None
    facts: Mapping[str, Json]  # by id
    kept: list[Json]
    rejected: list[Json]
    uncovered: list[Gap] = field(default_factory=list)
    training: TrainingMetrics = field(default_factory=TrainingMetrics)
    evaluation: Evaluation | None = None

    @property
    def settings_as_json(self) -> Json:
        """Empty where there are none."""
        return {} if self.settings is None else self.settings.model_dump(mode="json")


def gather(run: RunFolder) -> Gathered:
    """Read a run folder.

    Raises:
        RunError: there is no such folder, or a file of it holds something else than augmlx writes.
        BadInput, BadSettings, StorageError: a torn line, an unusable augmlx.toml, a file that
            cannot be read.
    """
    run.require()
    return Gathered(
        name=run.path.resolve().name,
        manifest=run.manifest(),
        settings=settings_file.load(run.settings) if run.settings.exists() else None,
        facts={str(row.get("id")): row for row in rows_of(run.facts)},
        kept=_texts(run.augmented),
        rejected=_texts(run.rejected),
        uncovered=_uncovered(run),
        training=read_training_metrics(run),
        evaluation=read_evaluation(run),
    )


def _uncovered(run: RunFolder) -> list[Gap]:
    with shape(run.uncovered, _REMEDY):
        return coverage.read(run)


def _texts(path: Path) -> list[Json]:
    """Produced texts with their origin."""
    rows = rows_of(path)
    with shape(path, _REMEDY):
        for row in rows:
            if not isinstance(row["origin"]["fact_ids"], list):
                raise TypeError(row["origin"])
    return rows
