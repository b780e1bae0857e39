"""A model sits the exam: trials one after the other, each choosing one thing, and then the report.

Everything that is written or scored goes through a journal beside the report, as in a run: a
calibration that was killed goes on with the batch it was in, and ends with the same report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from augmlx.augment.calibration import choosing
from augmlx.augment.calibration.report import CODE, Report, Tried, folder_of, write_report
from augmlx.augment.calibration.thresholds import Heard, hear
from augmlx.augment.calibration.trials import Trial, try_out
from augmlx.augment.exam.gold import Gold, golds
from augmlx.augment.journal import Journal, open_journal
from augmlx.core.progress import Progress
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import WAYS, Engine, Prompting
from augmlx.models.store.folder import StoredModel

_FIRST = 6  # facts that ways of asking are compared on
_ALL = 14  # facts that the report's marks are from, the first among them
_GREEDY = 2  # samples of a fact and operator that no chance is in
_FEWER = 3  # worked examples, where fewer may do
_TEMPERATURES = (0.8, 0.5)


def calibrate(model: StoredModel, engine: Engine, progress: Progress) -> Report:
    """Measure a model, write its report into the store, and return it.

    Args:
        model: which one; its calibration folder holds the journal and the report.
        engine: the model's own.
        progress: is told how far it is.

    Raises:
        StorageError: the store cannot be written.
        KeyboardInterrupt: goes through; what is finished stays.
    """
    with open_journal(RunFolder(folder_of(model)).journal) as journal:
        report = _Sitting(engine, journal, progress).report(model)
    write_report(report, model)
    return report


class _Sitting:
    """The trials of one model."""

    def __init__(self, engine: Engine, journal: Journal, progress: Progress) -> None:
        self._engine = engine
        self._journal = journal
        self._progress = progress
        self._tried: list[Tried] = []
        self._golds = spread([gold for gold in golds() if gold.lang == "en"], _ALL)

    def report(self, model: StoredModel) -> Report:
        chosen = self._chosen()
        last = self._try(chosen, _ALL, samples=AugmentSettings().samples)
        is_heard = self._engine.can_score and last.marks.all.kept > 0
        heard = hear(self._engine, self._journal, self._progress) if is_heard else {}
        return Report(
            model=model.name,
            fingerprint=model.fingerprint,
            code=CODE,
            chosen={**chosen, **_chosen_by(heard)},
            facts=_ALL,
            marks=choosing.marks_of(last),
            off=choosing.switched_off(choosing.marks_of(last), _ALL),
            notes=tuple(choosing.habits(last)),
            tried=tuple(self._tried),
            heard={name: each[:3] for name, each in heard.items()},
        )

    def _chosen(self) -> dict[str, Any]:
        """The way of asking, then the number of worked examples, then the temperature: each the
        best with what was chosen before it.
        """
        usual = AugmentSettings()
        best = self._best([{"prompting": way} for way in self._ways()], samples=_GREEDY)
        if not best.marks.all.kept:
            return dict(best.way)  # nothing else will help
        counts = [{**best.way, "exemplars": count} for count in (usual.exemplars, _FEWER)]
        best = self._best(counts, samples=_GREEDY)
        warmths = [{**best.way, "temperature": value} for value in _TEMPERATURES]
        return dict(self._best(warmths, samples=usual.samples).way)

    def _ways(self) -> Iterator[Prompting]:
        """Those that the model takes, what is known to suit it first."""
        for way in sorted(WAYS, key=lambda way: way != self._engine.prompting):
            fault = self._engine.fault_of(way)
            if fault is None:
                yield way
            else:
                self._tried.append(Tried({"prompting": way}, 0, 0, 0, fault))

    def _best(self, ways: Sequence[Mapping[str, Any]], *, samples: int) -> Trial:
        return choosing.best([self._try(way, _FIRST, samples=samples) for way in ways])

    def _try(self, way: Mapping[str, Any], facts: int, *, samples: int) -> Trial:
        said = ", ".join(f"{name} {value}" for name, value in way.items())
        self._progress.say(f"on {facts} facts: {said}")
        asked = {**way, "samples": samples}
        trial = try_out(asked, self._golds[:facts], self._engine, self._journal, self._progress)
        trial = replace(trial, way=way)
        kept = trial.marks.all
        self._tried.append(Tried(way, trial.produced, kept.kept, kept.right, trial.failed))
        return trial


def spread(facts: Sequence[Gold], count: int) -> list[Gold]:
    """Some of the facts, of as many kinds as there are, in an order that goes through the kinds."""
    step = len(facts) / count
    chosen = [facts[int(number * step)] for number in range(count)]
    # The first few are spread as widely as all: every second, then the others.
    return [*chosen[::2], *chosen[1::2]]


def _chosen_by(heard: Mapping[str, Heard]) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for each in heard.values():
        chosen |= each.values
    return chosen
