"""Progress on stderr: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import rich_click as click

from augmlx.core.progress import Progress, Task

_SECONDS_BETWEEN_LINES = 10


class _Line:
    """A bar where nobody watches."""

    def __init__(self, label: str, total: int, done: int) -> None:
        self._label = label
        self._total = total
        self._done = done
        self._told_at = time.monotonic()

    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None:
        self._done += steps
        silent_for = time.monotonic() - self._told_at
        if self._done < self._total and silent_for <= _SECONDS_BETWEEN_LINES:
            return
        self._told_at = time.monotonic()
        behind = f", {note}" if note else ""
        click.echo(f"{self._label}: {self._done}/{self._total}{behind}", err=True)


class PlainProgress:
    """Progress for pipes and logs."""

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Task]:
        resumed = f", {done} done before" if done else ""
        click.echo(f"{label}: {total} to do{resumed}", err=True)
        yield _Line(label, total, done)


def progress_here() -> Progress:
    """Bars where stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        return PlainProgress()
    from augmlx.cli.live import RichProgress

    return RichProgress()
