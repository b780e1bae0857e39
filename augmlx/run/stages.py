"""Stages: what is finished is skipped, what has changed is done again, and what follows it is
forgotten.

A stage has a fingerprint of its inputs, its settings and its code's version. The manifest is
written last.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from augmlx import __version__
from augmlx.core.arms import CONTROLS, FINETUNED, ORACLE, REPHRASED
from augmlx.core.errors import RunError
from augmlx.core.progress import Progress
from augmlx.core.records import Json, fingerprint
from augmlx.core.run_folder import EXPORT_STAGES, STAGES, RunFolder


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the line.

    Args:
        name: as in manifest.json.
        code: raised when the stage's code changes what it writes, so that older results are not
            taken for its own.
        followers: the stages whose results are out of date when this one is done again.
    """

    name: str
    code: int
    followers: tuple[str, ...] = ()

    def foundation(self, basis: object) -> str:
        """The fingerprint of what any later command knows the stage to depend on."""
        return self._made_by(self.code, basis)

    def was_founded(self, foundation: str, basis: object) -> bool:
        """Whether a foundation is this one, by the code of now or of earlier: what was trained
        before an update of augmlx can still be asked, compared and exported.
        """
        earlier = range(1, self.code + 1)
        return any(foundation == self._made_by(code, basis) for code in earlier)

    def _made_by(self, code: int, basis: object) -> str:
        return fingerprint([self.name, code, basis])


AUGMENT = Stage("augment", 12, STAGES[STAGES.index("split") :])
SPLIT = Stage("split", 7, STAGES[STAGES.index("anchor") :])
ANCHOR = Stage("anchor", 3, STAGES[STAGES.index("train") :])
TRAIN = Stage("train", 5, STAGES[STAGES.index("eval") :])
_CONTROL_CODE = {FINETUNED: 4, REPHRASED: 3, ORACLE: 3}
TRAIN_CONTROL: Mapping[str, Stage] = {
    arm.stage: Stage(arm.stage, _CONTROL_CODE[arm], ("eval",)) for arm in CONTROLS
}
EVAL = Stage("eval", 5)
EXPORTS: Mapping[str, Stage] = {
    form: Stage(stage, 2 if form == "peft" else 1) for form, stage in EXPORT_STAGES.items()
}

# Opened around a stage's work, told whether that surely computes with MLX; gives what tells its
# peak memory in bytes.
Meter = Callable[[bool], AbstractContextManager[Callable[[], int | None]]]


@dataclass(frozen=True)
class StageTask:
    """A stage as it is to be done for one run.

    Args:
        stage: which one.
        basis: what it depends on that any later command knows too: facts, settings, model. See
            `Stages.require`.
        inputs: what else it depends on.
        outputs: files that must exist for it to count as finished.
        prepare: checks what can be checked, and returns the work, which returns the counts. Where
            it raises, nothing is forgotten yet: a refused setting costs no finished stage.
        computes: whether the work loads MLX where `prepare` has not.
    """

    stage: Stage
    basis: object
    inputs: Sequence[object]
    outputs: Sequence[Path]
    prepare: Callable[[], Callable[[], Json]]
    computes: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """Of everything that the stage's results depend on."""
        return fingerprint([self.stage.foundation(self.basis), *self.inputs])


class Stages:
    """The stages of one run folder, and what its manifest knows of them."""

    def __init__(self, run: RunFolder, progress: Progress, meter: Meter) -> None:
        self._run = run
        self._progress = progress
        self._meter = meter

    def do(self, task: StageTask) -> Json:
        """Do one stage, unless it is finished and nothing it depends on has changed. Returns its
        counts.
        """
        name = task.stage.name
        entry = self._run.manifest().get(name)
        if entry is not None and self._is_finished(task, entry):
            self._progress.say(f"{name}: up to date")
            return dict(entry["counts"])
        work = task.prepare()
        with self._meter(task.computes) as peak_memory:  # it may refuse as well
            if entry is not None:
                self._say_again(task.stage)
            self._run.forget([name, *task.stage.followers])
            started = time.monotonic()
            counts = work()
            seconds = time.monotonic() - started
            peak_bytes = peak_memory()
        self._record(task, counts, seconds, peak_bytes)
        return counts

    def adopt(self, task: StageTask, counts: Json) -> None:
        """Take for finished a stage whose outputs were made elsewhere; what follows it is
        forgotten.
        """
        self._run.forget(task.stage.followers)
        self._record(task, counts, seconds=0.0, peak_bytes=None)

    def require(self, stage: Stage, basis: object, command: str) -> Json:
        """The manifest's entry of a finished stage that is of the present facts, settings and
        model, by whatever version of augmlx.

        Raises RunError that names the command to run: comparing arms of different facts or settings
        would look like a result and be none.
        """
        entry = self._run.manifest().get(stage.name)
        if entry is None:
            raise RunError(
                f"{self._run.path}: {stage.name} is not finished", hint=f"run: augmlx {command}"
            )
        if not stage.was_founded(entry["basis"], basis):
            raise RunError(
                f"{self._run.path}: {stage.name} was done with other facts, settings or model "
                "than those of this command",
                hint=f"leave out the settings that differ, or run first: augmlx {command}",
            )
        return entry

    @staticmethod
    def _is_finished(task: StageTask, entry: Json) -> bool:
        if entry["fingerprint"] != task.fingerprint:
            return False
        return all(path.exists() for path in task.outputs)

    def _say_again(self, stage: Stage) -> None:
        manifest = self._run.manifest()
        again = [name for name in stage.followers if name in manifest]
        follows = f" (and then {', '.join(again)})" if again else ""
        self._progress.say(
            f"{stage.name}: its inputs or settings changed, so it is done again{follows}"
        )

    def _record(
        self, task: StageTask, counts: Json, seconds: float, peak_bytes: int | None
    ) -> None:
        entry: Json = {
            "fingerprint": task.fingerprint,
            "basis": task.stage.foundation(task.basis),
            "counts": counts,
            "seconds": round(seconds, 3),
        }
        if peak_bytes is not None:
            entry["peak_memory"] = peak_bytes
        entry["versions"] = versions()
        self._run.record(task.stage.name, entry)


def versions() -> dict[str, str]:
    """Name -> version of what a result depends on: augmlx, Python, and MLX's packages."""
    own = {"augmlx": __version__, "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in ("mlx", "mlx-lm")}
