"""The live view on a terminal: a bar with its times, and below it the course of the loss and a
note.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

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
        self._cells, self._each = max(2, cells // 2 * 2), 1
        self._means: list[float] = []
        self._sum, self._count = 0.0, 0  # of the points that fill no block yet

    def add(self, point: float) -> None:
        if not math.isfinite(point):
            return
        if len(self._means) == self._cells:
            self._means = [
                (a + b) / 2 for a, b in zip(self._means[::2], self._means[1::2], strict=True)
            ]
            self._each *= 2
        self._sum, self._count = self._sum + point, self._count + 1
        if self._count == self._each:
            self._means, self._sum, self._count = [*self._means, self._sum / self._each], 0.0, 0

    def values(self) -> list[float]:
        """The means, in order of time."""
        return [*self._means, self._sum / self._count] if self._count else self._means

    def __str__(self) -> str:
        values = self.values()
        low, span = (
            min(values, default=0.0),
            (max(values, default=0.0) - min(values, default=0.0)) or 1.0,
        )
        last = len(_BLOCKS) - 1
        return "".join(_BLOCKS[round((value - low) / span * last)] for value in values)


class _Bars(RichBars):
    """Bars with a second line where there is something to say."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            curve = "" if self.console.options.ascii_only else str(task.fields["curve"])
            if line := "  ".join(part for part in (curve, task.fields["note"]) if part):
                yield Text(f"  {line}", no_wrap=True, overflow="ellipsis")


class _Bar:
    def __init__(self, bars: _Bars, task: TaskID, curve: Curve) -> None:
        self._bars, self._task, self._curve = bars, task, curve

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
        columns = (
            TextColumn("{task.description}"),
            BarColumn(
                bar_width=max(10, min(40, self._console.width // 4))
            ),  # times are worth more than its length
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        curve = Curve(max(10, min(40, self._console.width // 4)))
        with _Bars(*columns, console=self._console) as bars:
            yield _Bar(
                bars, bars.add_task(label, total=total, completed=done, note="", curve=curve), curve
            )
