"""The school report of a model: how it is best asked, what it can do and cannot, with figures.

It lies in the store, in a folder of its own for each model's fingerprint, and is written last: a
calibration without one is not finished. Reports on models of the catalogue are shipped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from augmlx.augment.exam.marks import Tally
from augmlx.core.errors import storage_errors
from augmlx.core.files import write_json
from augmlx.core.records import Json
from augmlx.core.settings import AugmentSettings
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel

CODE = 1  # raised where the exam, or what is made of its marks, changes
_FILE = "report.json"
_SHIPPED = resources.files("augmlx.augment.calibration")


@dataclass(frozen=True, slots=True)
class Tried:
    """One way of asking, and what was kept of what it brought."""

    way: Mapping[str, Any]  # settings of augment
    produced: int
    kept: int
    right: int
    fault: str = ""  # why the model cannot be asked so


@dataclass(frozen=True, slots=True)
class Report:
    """What a calibration found.

    Attributes:
        model: its name, for people.
        fingerprint: of the model.
        code: of the exam and of calibration.
        chosen: settings of augment that suit the model best, by name.
        facts: how many facts of the exam it was marked on.
        marks: operator -> what it kept with them.
        off: operator -> why this model is not to be trusted with it.
        notes: what else was seen, each a sentence.
        tried: all ways, in the order in which they were tried.
        heard: measure, or "weights" -> the area under its ROC curve on labelled texts, and the
            shares of the right and of the wrong ones that pass what was chosen.
    """

    model: str
    fingerprint: str
    code: int
    chosen: Mapping[str, Any]
    facts: int
    marks: Mapping[str, Tally]
    off: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    heard: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def over(self, settings: AugmentSettings) -> AugmentSettings:
        """The settings with what was chosen, but for what the user wrote."""
        values: dict[str, Any] = dict(self.chosen)
        if self.off:
            values["operators"] = tuple(n for n in settings.operators if n not in self.off)
        written = settings.model_fields_set
        return settings.model_copy(
            update={name: value for name, value in values.items() if name not in written}
        )


def folder_of(model: StoredModel) -> Path:
    """Where a model's calibration lies, finished or not."""
    return store.home() / "calibrations" / f"{model.fingerprint[:16]}-{CODE}"


def find_report(model: StoredModel) -> Report | None:
    """The report on a model, if it was calibrated by this version's exam, here or by us."""
    path = folder_of(model) / _FILE
    if path.is_file():
        with storage_errors(path):
            report = _from_json(path.read_text("utf-8"))
        if report is not None and _is_of(report, model):
            return report
    return next((report for report in _shipped() if _is_of(report, model)), None)


def forget(model: StoredModel) -> None:
    """Delete what the store has of a model's calibration. Raises StorageError."""
    folder = folder_of(model)
    with storage_errors(folder):
        if folder.is_dir():
            shutil.rmtree(folder)


def write_report(report: Report, model: StoredModel) -> None:
    """Raises StorageError."""
    write_json(folder_of(model) / _FILE, to_json(report))


def to_json(report: Report) -> Json:
    return asdict(report)


def _is_of(report: Report, model: StoredModel) -> bool:
    return (report.fingerprint, report.code) == (model.fingerprint, CODE)


def _from_json(text: str) -> Report | None:
    """None for a file of another version, or one that is torn: the model is calibrated again."""
    try:
        values = json.loads(text)
        values["marks"] = {name: Tally(**mark) for name, mark in values["marks"].items()}
        values["tried"] = tuple(Tried(**tried) for tried in values["tried"])
        values["heard"] = {name: tuple(shares) for name, shares in values["heard"].items()}
        values["notes"] = tuple(values["notes"])
        return Report(**values)
    except (ValueError, TypeError, KeyError):
        return None


@cache
def _shipped() -> tuple[Report, ...]:
    texts = [file.read_text("utf-8") for file in _SHIPPED.iterdir() if file.name.endswith(".json")]
    return tuple(report for text in texts if (report := _from_json(text)) is not None)
