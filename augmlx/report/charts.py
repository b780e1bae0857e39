"""Charts as inline SVG, drawn by hand.

Colours are CSS classes, so that the page's light and dark palettes apply, and horizontal places are
percentages, so that text keeps its size at any width: a plotting library's picture would shrink as
a whole on a narrow screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from augmlx.core.arms import ARMS
from augmlx.evaluation.summary import Cell, Difference, SeededCell
from augmlx.report.findings import WITH, interval, percent, points
from augmlx.report.text import clip

# Of a panel of rows, in px: a row, its bar, the room above a group, and below for the ticks.
_ROW, _THICK, _GROUP, _FOOT = 30, 20, 12, 22
_TICKS = (0, 25, 50, 75, 100)
_MOST_SEEDS = 5
_MOST_POINTS = 240
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    style: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Plot:
    """The lines of a chart over steps, with its ticks: (place in %, label)."""

    svg: Markup
    rows: list[tuple[float, str]]
    columns: list[tuple[float, str]]
    averaged: int  # points of the file per point drawn, at most


def arm_class(arm: str) -> str:
    """The class that colours an arm; an arm of the user's own gets the neutral one."""
    return f"arm-{arm}" if arm in ARMS else "arm-other"


def kind_class(index: int) -> str:
    """The class that colours a kind of question where kinds are told apart; the sheet has four."""
    return f"kind-{index}" if index < 4 else "kind-other"


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a panel. `first` opens a group of rows, which gets some room above it."""

    label: str
    style: str
    cell: Cell
    first: bool = False


def bars(kind: str, rows: Sequence[Bar], chance: float | None) -> Markup:
    """One kind of question: a row for each arm, its 95 % interval as a whisker, seeds as dots,
    chance as a dashed line.

    Names and values stand beside the picture as text, so that they keep their size and are never
    cut off by it.
    """
    told = "; ".join(
        f"{row.label} {percent(row.cell.accuracy)} ({interval(row.cell)})" for row in rows
    )
    tops, height = _places([row.first for row in rows])
    parts = [
        _down(share, height, "axis" if share == 0 else "grid") for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    parts += [_bar(top, row) for top, row in zip(tops, rows, strict=True)]
    if chance is not None:
        parts.append(_down(chance, height, "chance"))
    parts += [
        _text(f"{share}%", height + 15, f"{share}\u00a0%" if share == 100 else f"{share}", "tick")
        for share in _TICKS
    ]
    return _beside(
        f"{kind}: {told}", parts, height, tops, [(r.label, percent(r.cell.accuracy)) for r in rows]
    )


def _bar(top: float, row: Bar) -> Markup:
    cell, middle = row.cell, top + _ROW / 2
    parts = [
        Markup("<g><title>{}: {} ({}), {} of {}</title>").format(
            row.label, percent(cell.accuracy), interval(cell), cell.right, cell.n
        ),
        Markup('<rect class="bar {}" x="0" width="{:.2f}%" y="{:.1f}" height="{}" rx="3"/>').format(
            row.style, max(0.4, 100 * cell.accuracy), top + (_ROW - _THICK) / 2, _THICK
        ),
        *_whisker(100 * cell.low, 100 * cell.high, middle),
    ]
    seeds = seed_accuracies(cell)[:_MOST_SEEDS]
    for index, seed in enumerate(seeds):
        y = middle + 4.5 * (index - (len(seeds) - 1) / 2)
        parts.append(
            Markup('<circle class="seed" cx="{:.2f}%" cy="{:.1f}" r="3"/>').format(100 * seed, y)
        )
    return Markup("").join([*parts, Markup("</g>")])


def seed_accuracies(cell: Cell) -> list[float]:
    """The accuracy of each seed that asked anything; none where there were no seeds."""
    if not isinstance(cell, SeededCell):
        return []
    return [accuracy for accuracy in cell.seeds if accuracy is not None]


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of a forest: a difference in accuracy with its interval, as numbers and as words."""

    label: str
    row: Difference
    told: str


def forest(kind: str, gaps: Sequence[Gap], left: float, right: float) -> Markup:
    """Differences about a line at 0, from -left to right; those that cannot be told from chance are
    hollow.
    """
    tops, height = _places([False] * len(gaps))

    def place(value: float) -> float:
        return (value + left) / (right + left)

    parts = [
        _down(place(value), height, "axis" if value == 0 else "grid") for value in (-left, 0, right)
    ]
    for top, gap in zip(tops, gaps, strict=True):
        row, y = gap.row, top + _ROW / 2
        sort = "even" if not row.differs else "gain" if row.difference > 0 else "loss"
        parts.append(Markup("<g><title>{}: {}</title>").format(gap.label, gap.told))
        parts += _whisker(100 * place(row.low), 100 * place(row.high), y)
        dot = Markup('<circle class="dot {}" cx="{:.2f}%" cy="{:.1f}" r="5"/></g>')
        parts.append(dot.format(sort, 100 * place(row.difference), y))
    parts += [
        _text(f"{100 * place(x):.2f}%", height + 15, points(x), "tick") for x in (-left, 0.0, right)
    ]
    told = "; ".join(f"{gap.label} {gap.told}" for gap in gaps)
    return _beside(
        f"{kind}: {told}",
        parts,
        height,
        tops,
        [(gap.label, points(gap.row.difference)) for gap in gaps],
    )


def _beside(
    told: str,
    parts: Sequence[Markup],
    height: float,
    tops: Sequence[float],
    words: Sequence[tuple[str, str]],
) -> Markup:
    """A picture of rows between their names and their values."""
    room = [
        top - before
        for top, before in zip(tops, [0.0, *(top + _ROW for top in tops)], strict=False)
    ]
    line = Markup('<span style="margin-top:{:.0f}px">{}</span>')
    names = (line.format(gap, clip(name, 24)) for gap, (name, _) in zip(room, words, strict=True))
    values = (line.format(gap, value) for gap, (_, value) in zip(room, words, strict=True))
    return Markup(
        '<div class="rows"><div class="names" aria-hidden="true">{}</div>'
        '<svg height="{:.0f}" role="img" aria-label="{}">{}</svg>'
        '<div class="values" aria-hidden="true">{}</div></div>'
    ).format(
        Markup("").join(names),
        height + _FOOT,
        told,
        Markup("").join(parts),
        Markup("").join(values),
    )


def _places(firsts: Sequence[bool]) -> tuple[list[float], float]:
    """The tops of the rows, and the height of all; a row that opens a group stands somewhat
    apart.
    """
    tops, y = [], 0.0
    for index, first in enumerate(firsts):
        y += _GROUP if first and index else 0
        tops.append(y)
        y += _ROW
    return tops, y


def _whisker(low: float, high: float, y: float) -> list[Markup]:
    """An interval from low to high, in % of the width."""
    across = Markup('<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="{:.1f}" y2="{:.1f}"/>')
    # Under it a line in the colour of the card, or it would be lost on a bar.
    halo = Markup('<line class="halo" x1="{:.2f}%" x2="{:.2f}%" y1="{:.1f}" y2="{:.1f}"/>').format(
        low, high, y, y
    )
    return [
        halo,
        across.format(low, high, y, y),
        *(across.format(x, x, y - 4, y + 4) for x in (low, high)),
    ]


def _down(share: float, height: float, style: str) -> Markup:
    line = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="0" y2="{:.0f}"/>')
    return line.format(style, 100 * share, 100 * share, height)


def _text(x: str, y: float, text: str, style: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{:.1f}">{}</text>').format(style, x, y, text)


def loss_plot(lines: Mapping[str, Sequence[Point]], valid: Sequence[Point] = ()) -> Plot:
    """Loss (nats per token) over steps, one line for each arm. Every line must hold a point.

    `valid` is the validation loss of the augmented arm, dashed; it may be empty.
    """
    drawn = [_Line(f"{arm}: loss", arm_class(arm), line) for arm, line in lines.items()]
    if valid:
        drawn.append(_Line(f"{WITH}: validation loss", f"valid {arm_class(WITH)}", valid))
    highest = max(loss for line in drawn for _, loss in line.points)
    return _plot(drawn, _ticks(highest, 5), "{:g}".format, "{:.3g}".format)


def accuracy_plot(lines: Mapping[str, Sequence[Point]], last: float) -> Plot:
    """Share of right answers over steps up to the `last`, one line for each kind. Every line must
    hold a point.
    """
    drawn = [
        _Line(f"{kind}: accuracy", kind_class(n), line)
        for n, (kind, line) in enumerate(lines.items())
    ]
    return _plot(drawn, [0, 0.25, 0.5, 0.75, 1], percent, percent, last)


def _plot(
    lines: Sequence[_Line],
    rows: Sequence[float],
    label: Callable[[float], str],
    told: Callable[[float], str],
    last: float = 0.0,
) -> Plot:
    """The lines between 0 and the last of `rows`; `label` and `told` format values at the ticks and
    in words.
    """
    right = max(last, *(step for line in lines for step, _ in line.points))
    left = min(0.0, *(step for line in lines for step, _ in line.points))
    top, width = rows[-1] or 1.0, (right - left) or 1.0
    paths = []
    for line in lines:
        thin = _thinned(line.points)
        places = " ".join(
            f"{1000 * (x - left) / width:.1f},{1000 * (1 - max(0.0, y) / top):.1f}" for x, y in thin
        )
        if len(thin) == 1:  # a line of one point is invisible
            places += f" {places}"
        paths.append(Markup('<polyline class="line {}" points="{}"/>').format(line.style, places))
    # The picture is stretched to whatever room there is; strokes keep their width (vector-effect,
    # in the style sheet).
    words = (
        f"{line.label} {told(line.points[0][1])} to {told(line.points[-1][1])}" for line in lines
    )
    svg = Markup(
        '<svg class="lines" viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>'
    ).format("; ".join(words), Markup("").join(paths))
    return Plot(
        svg=svg,
        rows=[(100 * (1 - value / top), label(value)) for value in rows],
        columns=[
            (100 * (s - left) / width, f"{s:,.0f}")
            for s in _ticks(right, 6)
            if s <= right and s.is_integer()
        ],
        averaged=max(math.ceil(len(line.points) / _MOST_POINTS) for line in lines),
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most 240 points: means of equally many neighbours, in order of the steps."""
    ordered = sorted(points)
    size = math.ceil(len(ordered) / _MOST_POINTS)
    groups = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group))
        for group in groups
    ]


def _ticks(highest: float, most: int) -> list[float]:
    """0 and round numbers (1, 2 or 5 times a power of ten) up to the first at or above
    `highest`.
    """
    if highest < 1e-9:  # nothing to tell apart, and powers of ten end not far below
        return [0.0, 1.0]
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [round(step * index, 12) for index in range(math.ceil(highest / step - 1e-9) + 1)]
