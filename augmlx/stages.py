"""Stages: what is finished is skipped, what has changed is done again, and what follows it is forgotten.

A stage has a fingerprint of its inputs, its settings and its code's version. The manifest is written last.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from augmlx import __version__
from augmlx.errors import RunError
from augmlx.progress import Progress
from augmlx.records import Json, fingerprint
from augmlx.rundir import RunDir

# Raised when a stage's code changes what it writes, so that older results are not taken for its own.
CODE = {"augment": 1, "split": 1, "train": 1, "baseline": 1, "eval": 1, "export": 1}
FOLLOWING = {
    "augment": ("split", "train", "baseline", "eval", "export"),
    "split": ("train", "baseline", "eval", "export"),
    "train": ("eval", "export"),
    "baseline": ("eval",),
    "eval": (),
    "export": (),
}


class Stages:
    """The stages of one run folder."""

    def __init__(self, run: RunDir, progress: Progress) -> None:
        self._run, self._progress = run, progress

    def do(self, name: str, inputs: Sequence[object], outputs: Sequence[Path], work: Callable[[], Json]) -> Json:
        """Run one stage, unless it is finished and nothing it depends on has changed. `work` returns its counts."""
        mark = fingerprint([name, CODE[name], *inputs])
        manifest = self._run.manifest()
        entry = manifest.get(name)
        if entry is not None and entry["fingerprint"] == mark and all(path.exists() for path in outputs):
            self._progress.say(f"{name}: up to date")
            return dict(entry["counts"])
        if entry is not None:
            again = [stage for stage in FOLLOWING[name] if stage in manifest]
            follows = f" (and then {', '.join(again)})" if again else ""
            self._progress.say(f"{name}: its inputs or settings changed, so it is done again{follows}")
        self._run.forget([name, *FOLLOWING[name]])
        started = time.monotonic()
        counts = work()
        seconds = round(time.monotonic() - started, 3)
        self._run.record(name, {"fingerprint": mark, "counts": counts, "seconds": seconds, "versions": versions()})
        return counts

    def require(self, stage: str, command: str) -> Json:
        """The manifest's entry of a finished stage. Raises RunError that names the command to run."""
        entry = self._run.manifest().get(stage)
        if entry is None:
            raise RunError(f"{self._run.path}: {stage} is not finished", hint=f"run: augmlx {command}")
        return entry


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    return {"augmlx": __version__, "python": platform.python_version()} | {
        name: metadata.version(name) for name in ("mlx", "mlx-lm")
    }
