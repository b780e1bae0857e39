"""How long work tells its caller where it stands. The CLI draws it; a library user may pass
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One bar. `advance` moves it by `steps`; `note` is a short text beside it, such as "loss
    0.41", and `point` the next value of what a live view may draw as a curve.
    """

    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None: ...


class Progress(Protocol):
    def say(self, text: str) -> None:
        """One line for the user. Never holds text of the user's rows."""

    def task(self, label: str, total: int, *, done: int = 0) -> AbstractContextManager[Task]:
        """A bar of `total` steps, `done` of which were finished by an earlier run."""


class _NoTask:
    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None:
        """Nobody is watching."""


class Silent:
    """Progress for library use: says nothing."""

    def say(self, text: str) -> None:
        """Nobody is listening."""

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Task]:
        yield _NoTask()
