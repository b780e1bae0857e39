"""How `augmlx ask` shows answers: as they are written, and given back whole, by arm."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Streams = Mapping[str, Iterator[str]]  # by arm, the pieces of its answer
View = Callable[[Streams], dict[str, str]]
_NOTHING = "(nothing)"
_LABEL = 10  # cells
_WIDE = 100  # cells of a terminal that shows two answers beside each other
# What a model writes is shown, and must not move the cursor or set the terminal's title.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def for_stdout() -> View:
    """The view that suits stdout: a pipe, a narrow terminal, or a wide one."""
    if not sys.stdout.isatty():
        return lambda streams: _stacked(streams, live=False)
    from rich.console import Console

    console = Console(highlight=False)

    def view(streams: Streams) -> dict[str, str]:
        wide = console.width >= _WIDE and not console.is_dumb_terminal
        if wide and len(streams) > 1:
            return _columns(streams, console)
        return _stacked(streams, live=True)

    return view


def collected(streams: Streams) -> dict[str, str]:
    """Shows nothing."""
    return {arm: "".join(pieces) for arm, pieces in streams.items()}


def _stacked(streams: Streams, *, live: bool) -> dict[str, str]:
    """One answer below the other, each on lines of its own behind its label; `live`: as it is
    written.
    """
    answers = {}
    for arm, pieces in streams.items():
        answer = ""
        label = f"{arm:<{_LABEL}}"
        for piece in pieces if live else filter(None, ["".join(pieces)]):
            visible = _CONTROL.sub("", piece).replace("\n", "\n" + " " * _LABEL)
            click.echo(visible if answer else label + visible, nl=False)
            answer += piece
        click.echo("" if answer else label + _NOTHING)
        answers[arm] = answer
    return answers


def _columns(streams: Streams, console: Console) -> dict[str, str]:
    """The answers beside each other, written in turns."""
    from rich.live import Live

    answers = dict.fromkeys(streams, "")
    unfinished = dict(streams)
    with Live(console=console, refresh_per_second=12) as live:
        while unfinished:
            for arm in list(unfinished):
                piece = next(unfinished[arm], None)
                if piece is None:
                    del unfinished[arm]
                else:
                    answers[arm] += piece
            live.update(_table(answers, unfinished))
    return answers


def _table(answers: Mapping[str, str], unfinished: Mapping[str, object]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    cells = []
    for arm, answer in answers.items():
        table.add_column(arm, ratio=1)
        placeholder = "" if arm in unfinished else _NOTHING
        cells.append(Text(_CONTROL.sub("", answer) or placeholder))
    table.add_row(*cells)
    return table
