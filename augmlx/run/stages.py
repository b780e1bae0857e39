"""Stages: what is finished is skipped, what has changed is done again, and what follows it is
forgotten.

A stage has a fingerprint of its inputs, its settings and its code's version. The manifest is
written last.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import metadata
from pathlib import Path

from augmlx import __version__
from augmlx.core.arms import CONTROLS, FINETUNED, ORACLE, REPHRASED
from augmlx.core.errors import RunError
from augmlx.core.progress import Progress
from augmlx.core.records import Json, fingerprint
from augmlx.core.run_folder import RunFolder

# Raised when a stage's code changes what it writes, so that older results are not taken for its
# own.
CODE = {"augment": 2, "split": 3, "train": 2, "eval": 4, "export": 1}
CODE |= {FINETUNED.stage: 2, REPHRASED.stage: 1, ORACLE.stage: 1}
_CONTROLS = tuple(arm.stage for arm in CONTROLS)
FOLLOWING = {
    "augment": ("split", "train", *_CONTROLS, "eval", "export"),
    "split": ("train", *_CONTROLS, "eval", "export"),
    "train": ("eval", "export"),
    **dict.fromkeys(_CONTROLS, ("eval",)),
    "eval": (),
    "export": (),
}
# Opened around a stage's work, told whether that surely computes with MLX; gives what tells its
# peak memory in bytes.
Meter = Callable[[bool], AbstractContextManager[Callable[[], int | None]]]


class Stages:
    """The stages of one run folder."""

    def __init__(self, run: RunFolder, progress: Progress, meter: Meter) -> None:
        self._run, self._progress, self._meter = run, progress, meter

    def do(
        self,
        name: str,
        *,
        basis: object,
        inputs: Sequence[object] = (),
        outputs: Sequence[Path],
        prepare: Callable[[], Callable[[], Json]],
        computes: bool = False,
    ) -> Json:
        """Run one stage, unless it is finished and nothing it depends on has changed. Returns its
        counts.

        Args:
            basis: what it depends on that any later command knows too: facts, settings, model. See
                `require`.
            inputs: what else it depends on.
            outputs: files that must exist for it to count as finished.
            prepare: checks what can be checked, and returns the work, which returns the counts.
                Where it raises, nothing is forgotten yet: a refused setting costs no finished
                stage.
            computes: whether the work loads MLX where `prepare` has not.
        """
        foundation = fingerprint([name, CODE[name], basis])
        mark = fingerprint([foundation, *inputs])
        manifest = self._run.manifest()
        entry = manifest.get(name)
        if (
            entry is not None
            and entry["fingerprint"] == mark
            and all(path.exists() for path in outputs)
        ):
            self._progress.say(f"{name}: up to date")
            return dict(entry["counts"])
        work = prepare()
        with self._meter(computes) as peak:  # it may refuse as well
            if entry is not None:
                again = [stage for stage in FOLLOWING[name] if stage in manifest]
                follows = f" (and then {', '.join(again)})" if again else ""
                self._progress.say(
                    f"{name}: its inputs or settings changed, so it is done again{follows}"
                )
            self._run.forget([name, *FOLLOWING[name]])
            started = time.monotonic()
            counts = work()
            seconds, most = round(time.monotonic() - started, 3), peak()
        entry = {"fingerprint": mark, "basis": foundation, "counts": counts, "seconds": seconds}
        memory = {} if most is None else {"peak_memory": most}
        self._run.record(name, {**entry, **memory, "versions": versions()})
        return counts

    def adopt(self, name: str, *, basis: object, inputs: Sequence[object], counts: Json) -> None:
        """Take for finished a stage whose outputs were made elsewhere; what follows it is
        forgotten.
        """
        foundation = fingerprint([name, CODE[name], basis])
        self._run.forget(FOLLOWING[name])
        entry = {
            "fingerprint": fingerprint([foundation, *inputs]),
            "basis": foundation,
            "counts": counts,
        }
        self._run.record(name, {**entry, "seconds": 0.0, "versions": versions()})

    def require(self, name: str, basis: object, command: str) -> Json:
        """The manifest's entry of a finished stage that is of the present facts, settings and
        model.

        Raises RunError that names the command to run: comparing arms of different facts or settings
        would look like a result and be none.
        """
        entry = self._run.manifest().get(name)
        if entry is None:
            raise RunError(
                f"{self._run.path}: {name} is not finished", hint=f"run: augmlx {command}"
            )
        if entry["basis"] != fingerprint([name, CODE[name], basis]):
            raise RunError(
                f"{self._run.path}: {name} was done with other facts, settings or model than "
                f"those of this command",
                hint=f"leave out the settings that differ, or run first: augmlx {command}",
            )
        return entry


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    return {"augmlx": __version__, "python": platform.python_version()} | {
        name: metadata.version(name) for name in ("mlx", "mlx-lm")
    }
