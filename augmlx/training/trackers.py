"""wandb and swanlab, through mlx-lm's own callbacks, and TensorBoard: only where asked for and
installed, and offline unless told else.

Trackers get numbers and the training settings; no text, no path, no name of a model or a run.
(swanlab notes by itself the folder that it writes to.)
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import Any, Protocol, TextIO

from augmlx.core.errors import BadSettings
from augmlx.core.files import make_folder
from augmlx.core.records import Json, short_id
from augmlx.core.settings import TrainSettings

# mlx-lm's callbacks pass on neither a mode nor what is collected besides, so this is said in the
# environment, where a variable of the user's own goes first. Left alone, both record the command
# line, the host, its folders and git.
_QUIET = {
    "wandb": {
        "WANDB_MODE": "offline",
        "WANDB_HOST": "local",  # the machine's name is often its owner's
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_DISABLE_CODE": "true",
        "WANDB_X_DISABLE_META": "true",
        "WANDB_X_DISABLE_MACHINE_INFO": "true",
        "WANDB_X_SAVE_REQUIREMENTS": "false",
    },
    "swanlab": {
        "SWANLAB_MODE": "offline",
        "SWANLAB_TERMINAL_PROXY_TYPE": "none",
        "SWANLAB_PROBE_HARDWARE": "false",
        "SWANLAB_PROBE_RUNTIME": "false",
        "SWANLAB_PROBE_REQUIREMENTS": "false",
        "SWANLAB_PROBE_GIT": "false",
        "SWANLAB_PROBE_SWANLAB": "false",
    },
}
# As mlx-lm's own trainer calls them, so that curves of both lie in one chart.
_NAMES = {
    "step": "iteration",
    "loss": "train_loss",
    "valid_loss": "val_loss",
    "tokens": "trained_tokens",
}


@dataclass(frozen=True, slots=True)
class Reporting:
    """Which trackers hear of a training, and what is told to them of its settings.

    Args:
        trackers: by name; none: nothing is told to anyone.
        settings: as JSON, without the trackers themselves.
        experiment: tells settings apart, and says nothing of the run.
    """

    trackers: Sequence[str]
    settings: Json
    experiment: str

    @classmethod
    def of(cls, settings: TrainSettings) -> Reporting:
        return cls(
            settings.report_to,
            settings.model_dump(mode="json", exclude={"report_to"}),
            f"{settings.method}-{short_id(settings.learnt)}",
        )


class _Tracker(Protocol):
    def on_train_loss_report(self, values: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


class Trackers:
    """Where a training's metrics also go. Made by `open_trackers`; to be closed, whatever
    happens.
    """

    def __init__(self, trackers: Sequence[_Tracker], closing: ExitStack) -> None:
        self._trackers = trackers
        self._closing = closing

    def step(self, values: Mapping[str, Any]) -> None:
        """One line of metrics.jsonl. A mapping in it, such as the accuracy by kind, becomes one
        value for each.
        """
        for tracker in self._trackers:
            with _stdout_kept():
                tracker.on_train_loss_report(_flat(values))

    def close(self) -> None:
        """Write out what they hold, and end them. May be called twice."""
        self._closing.close()


class MlxLmTracker:
    """wandb or swanlab, by mlx-lm's callback for it."""

    def __init__(self, name: str, place: Path, settings: Json) -> None:
        from mlx_lm.tuner.callbacks import get_reporting_callbacks

        self._name = name
        try:
            with _stdout_kept():
                self._callback = get_reporting_callbacks(name, "augmlx", str(place), settings)
        except ImportError as error:
            # mlx-lm takes a package that fails to import for one that is not there
            raise _not_loaded(name) from error

    def on_train_loss_report(self, values: Mapping[str, Any]) -> None:
        self._callback.on_train_loss_report(values)

    def close(self) -> None:
        """mlx-lm leaves that to the end of the process, by when another training may have begun."""
        with _stdout_kept():
            import_module(self._name).finish()


class TensorBoard:
    """What mlx-lm has no callback for: its event files, by the writer of the package tensorboard.
    That one names a file after the machine, which is often named after its owner, so the name is
    taken out at the end.
    """

    def __init__(self, place: Path) -> None:
        try:
            summary = import_module("tensorboard.summary")
        except ImportError as error:
            raise _not_loaded("tensorboard") from error
        self._place = place
        self._writer = summary.Writer(str(place))

    def on_train_loss_report(self, values: Mapping[str, Any]) -> None:
        numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
        step = numbers.pop("iteration")
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, step)

    def close(self) -> None:
        self._writer.close()
        for path in self._place.glob("events.out.tfevents.*"):
            path.rename(path.with_name(path.name.replace(f".{platform.node()}.", ".local.")))


def require_installed(names: Iterable[str]) -> None:
    """Raises BadSettings, before any work, where a tracker that was asked for is missing."""
    for name in names:
        spec = util.find_spec(name)
        # A mere folder, such as wandb itself leaves behind, has no origin.
        if spec is None or spec.origin is None:
            raise BadSettings(
                f"train.report_to: {name} is not installed",
                hint=f"pip install {name}, or leave it out",
            )


def open_trackers(reporting: Reporting, folder: Path) -> Trackers:
    """The trackers that were asked for, writing below `folder`/trackers; with none of them, one
    that does nothing.

    Raises:
        BadSettings: one is not installed, or cannot be loaded.
        StorageError: the folder cannot be made.
    """
    require_installed(reporting.trackers)
    trackers: list[_Tracker] = []
    with ExitStack() as closing:
        for name in reporting.trackers:
            # The last part is shown as the experiment's name.
            place = folder / "trackers" / reporting.experiment
            make_folder(place)  # private, whatever the modes of the files in it
            closing.enter_context(_environment(_QUIET.get(name, {}) | _caches(name, place)))
            tracker = _opened(name, place, reporting.settings)
            closing.callback(tracker.close)
            trackers.append(tracker)
        return Trackers(trackers, closing.pop_all())


def _opened(name: str, place: Path, settings: Json) -> _Tracker:
    if name == "tensorboard":
        return TensorBoard(place)
    return MlxLmTracker(name, place, settings)


def _not_loaded(name: str) -> BadSettings:
    return BadSettings(
        f"train.report_to: {name} is installed, but cannot be loaded",
        hint=f'see what python -c "import {name}" says, or leave it out',
    )


def _caches(name: str, place: Path) -> dict[str, str]:
    """wandb's logs would go into the home folder."""
    return {"WANDB_CACHE_DIR": str(place)} if name == "wandb" else {}


def _flat(values: Mapping[str, Any]) -> Json:
    """The values under mlx-lm's names, those of an inner mapping as `outer/inner`."""
    flat: Json = {}
    for key, value in values.items():
        name = _NAMES.get(key, key)
        if isinstance(value, Mapping):
            flat |= {f"{name}/{kind}": number for kind, number in value.items()}
        else:
            flat[name] = value
    return flat


def _stdout_kept() -> redirect_stdout[TextIO]:
    """stdout is for data, and swanlab greets there."""
    return redirect_stdout(sys.stderr)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that the user has not set, for the length of the block."""
    ours = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
