"""The live view on a terminal: a bar with its times, and below it the course of the loss and a
note.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from statistics import fmean

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichBars
from rich.text import Text

from augmlx.core.progress import Task

_BLOCKS = "▁▂▃▄▅▆▇█"


class Curve:
    """The course of a number over any length of time, in at most `cells` blocks from the lowest to
    the highest.

    Each block is the mean of equally many neighbours (the last, of those so far): where the room
    ends, neighbours are put together, so that neither memory nor drawing grows.
    """

    def __init__(self, cells: int = 40) -> None:
        self._cells = max(2, cells // 2 * 2)
        self._points_each = 1
        self._means: list[float] = []
        self._open: list[float] = []  # the points that fill no block yet

    def add(self, point: float) -> None:
        """The next value; one that is not finite is left out."""
        if not math.isfinite(point):
            return
        if len(self._means) == self._cells:
            pairs = zip(self._means[::2], self._means[1::2], strict=True)
            self._means = [(left + right) / 2 for left, right in pairs]
            self._points_each *= 2
        self._open.append(point)
        if len(self._open) == self._points_each:
            self._means.append(fmean(self._open))
            self._open = []

    def values(self) -> list[float]:
        """The means, in order of time."""
        if not self._open:
            return list(self._means)
        return [*self._means, fmean(self._open)]

    def __str__(self) -> str:
        values = self.values()
        if not values:
            return ""
        low = min(values)
        span = (max(values) - low) or 1.0
        heights = [(value - low) / span for value in values]
        return "".join(_BLOCKS[round(height * (len(_BLOCKS) - 1))] for height in heights)


class _Bars(RichBars):
    """Bars with a second line where there is something to say."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            curve = "" if self.console.options.ascii_only else str(task.fields["curve"])
            parts = [part for part in (curve, task.fields["note"]) if part]
            if parts:
                yield Text("  " + "  ".join(parts), no_wrap=True, overflow="ellipsis")


class _Bar:
    def __init__(self, bars: _Bars, task: TaskID, curve: Curve) -> None:
        self._bars = bars
        self._task = task
        self._curve = curve

    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None:
        if point is not None:
            self._curve.add(point)
        self._bars.update(self._task, advance=steps, note=note)


class RichProgress:
    """Progress bars on a terminal, on stderr."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Task]:
        cells = max(10, min(40, self._console.width // 4))  # times are worth more than a long bar
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=cells),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        curve = Curve(cells)
        with _Bars(*columns, console=self._console) as bars:
            bar = bars.add_task(label, total=total, completed=done, note="", curve=curve)
            yield _Bar(bars, bar, curve)
