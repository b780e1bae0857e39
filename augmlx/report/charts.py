"""Rows of bars and of differences as inline SVG, drawn by hand.

Colours are CSS classes, so that the page's light and dark palettes apply, and horizontal places are
percentages, so that text keeps its size at any width: a plotting library's picture would shrink as
a whole on a narrow screen. For the same reason names and values stand beside a picture as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from augmlx.evaluation.summary import Cell, Difference
from augmlx.report.evaluated import seed_accuracies
from augmlx.report.text import clip, interval, percent, points

# In px: a row, its bar, the room above a group of rows, the room for the ticks, their base line.
_ROW_HEIGHT = 30
_BAR_HEIGHT = 20
_GROUP_GAP = 12
_TICKS_HEIGHT = 22
_TICKS_BASE = 15
_TICKS = (0, 25, 50, 75, 100)  # %
_MOST_SEEDS = 5
_SEED_DISTANCE = 4.5  # px

_TITLED_GROUP = Markup("<g><title>{}: {}</title>{}</g>")
_BAR = Markup('<rect class="bar {}" x="0" width="{:.2f}%" y="{:.1f}" height="{}" rx="3"/>')
_SEED = Markup('<circle class="seed" cx="{:.2f}%" cy="{:.1f}" r="3"/>')
_DOT = Markup('<circle class="dot {}" cx="{:.2f}%" cy="{:.1f}" r="5"/>')
_STROKE = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{:.1f}" y2="{:.1f}"/>')
_UPRIGHT = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="0" y2="{:.0f}"/>')
_TICK = Markup('<text class="tick" x="{}" y="{:.1f}">{}</text>')
_WORD = Markup('<span style="margin-top:{:.0f}px">{}</span>')
_PICTURE = Markup(
    '<div class="rows"><div class="names" aria-hidden="true">{}</div>'
    '<svg height="{:.0f}" role="img" aria-label="{}">{}</svg>'
    '<div class="values" aria-hidden="true">{}</div></div>'
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a panel: an arm's accuracy on a kind. `opens_group`: it gets some room above it."""

    label: str
    style: str
    cell: Cell
    opens_group: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of a forest: a difference in accuracy with its interval, as numbers and as words."""

    label: str
    row: Difference
    words: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """The tops of the rows of a picture and the height of all of them, in px."""

    tops: list[float]
    height: float


def bars(kind: str, rows: Sequence[Bar], chance: float | None) -> Markup:
    """The picture of one kind of question: a bar for each arm, its 95 % interval as a whisker,
    seeds as dots, chance as a dashed line.

    Args:
        chance: the share of right answers of who guesses, 0 to 1; None where it is not known.
    """
    layout = _layout([row.opens_group for row in rows])
    grid = [_upright(x, layout, "axis" if x == 0 else "grid") for x in _TICKS]
    shapes = [_bar(row, top) for top, row in zip(layout.tops, rows, strict=True)]
    if chance is not None:
        shapes.append(_upright(100 * chance, layout, "chance"))
    ticks = [_tick(f"{x}%", layout, _tick_label(x)) for x in _TICKS]
    readings = [f"{row.label} {_reading(row.cell)}" for row in rows]
    return _picture(
        f"{kind}: {'; '.join(readings)}",
        layout,
        shapes=[*grid, *shapes, *ticks],
        names=[row.label for row in rows],
        values=[percent(row.cell.accuracy) for row in rows],
    )


def _tick_label(x: int) -> str:
    """The last one alone has the unit."""
    return f"{x}\u00a0%" if x == 100 else f"{x}"


def _reading(cell: Cell) -> str:
    """ "88 % (72 to 95 %)"."""
    accuracy = percent(cell.accuracy)
    return f"{accuracy} ({interval(cell)})"


def _bar(row: Bar, top: float) -> Markup:
    """A bar of at least a visible width, with its interval and its seeds."""
    cell = row.cell
    middle = top + _ROW_HEIGHT / 2
    width = max(0.4, 100 * cell.accuracy)
    bar_top = top + (_ROW_HEIGHT - _BAR_HEIGHT) / 2
    bar = _BAR.format(row.style, width, bar_top, _BAR_HEIGHT)
    whisker = _whisker(100 * cell.low, 100 * cell.high, middle)
    dots = _seed_dots(seed_accuracies(cell)[:_MOST_SEEDS], middle)
    title = f"{_reading(cell)}, {cell.right} of {cell.n}"
    return _TITLED_GROUP.format(row.label, title, _joined([bar, *whisker, *dots]))


def _seed_dots(shares: Sequence[float], middle: float) -> list[Markup]:
    """A dot for each seed, one below the other about the middle of the row."""
    centre = (len(shares) - 1) / 2
    dots = []
    for index, share in enumerate(shares):
        y = middle + _SEED_DISTANCE * (index - centre)
        dot = _SEED.format(100 * share, y)
        dots.append(dot)
    return dots


def forest(kind: str, gaps: Sequence[Gap], left: float, right: float) -> Markup:
    """The picture of differences about a line at 0, from -left to right; those that cannot be told
    from chance are hollow.
    """
    layout = _layout([False] * len(gaps))
    ends = (-left, 0.0, right)

    def place(value: float) -> float:
        """In % of the width."""
        return 100 * ((value + left) / (right + left))

    def gap_row(gap: Gap, top: float) -> Markup:
        """An interval with a dot at the difference."""
        row = gap.row
        middle = top + _ROW_HEIGHT / 2
        whisker = _whisker(place(row.low), place(row.high), middle)
        dot = _DOT.format(_dot_style(row), place(row.difference), middle)
        return _TITLED_GROUP.format(gap.label, gap.words, _joined([*whisker, dot]))

    grid = [_upright(place(end), layout, "axis" if end == 0 else "grid") for end in ends]
    shapes = [gap_row(gap, top) for top, gap in zip(layout.tops, gaps, strict=True)]
    ticks = [_tick(f"{place(end):.2f}%", layout, points(end)) for end in ends]
    readings = [f"{gap.label} {gap.words}" for gap in gaps]
    return _picture(
        f"{kind}: {'; '.join(readings)}",
        layout,
        shapes=[*grid, *shapes, *ticks],
        names=[gap.label for gap in gaps],
        values=[points(gap.row.difference) for gap in gaps],
    )


def _dot_style(row: Difference) -> str:
    """Of a difference that cannot be told from chance, neither gain nor loss."""
    if not row.differs:
        return "even"
    return "gain" if row.difference > 0 else "loss"


def _picture(
    description: str,
    layout: _Layout,
    *,
    shapes: Sequence[Markup],
    names: Sequence[str],
    values: Sequence[str],
) -> Markup:
    """The shapes of rows between the rows' names and their values."""
    short_names = [clip(name, 24) for name in names]
    return _PICTURE.format(
        _column(short_names, layout),
        layout.height + _TICKS_HEIGHT,
        description,
        _joined(shapes),
        _column(values, layout),
    )


def _column(words: Sequence[str], layout: _Layout) -> Markup:
    """A word beside each row."""
    lines = []
    bottom = 0.0
    for top, word in zip(layout.tops, words, strict=True):
        line = _WORD.format(top - bottom, word)
        lines.append(line)
        bottom = top + _ROW_HEIGHT
    return _joined(lines)


def _layout(opens_group: Sequence[bool]) -> _Layout:
    """One row below the other; one that opens a group stands somewhat apart."""
    tops: list[float] = []
    height = 0.0
    for opens in opens_group:
        if opens and tops:
            height += _GROUP_GAP
        tops.append(height)
        height += _ROW_HEIGHT
    return _Layout(tops, height)


def _whisker(low: float, high: float, y: float) -> list[Markup]:
    """An interval from low to high, in % of the width."""
    return [
        # Under it a line in the colour of the card, or it would be lost on a bar.
        _STROKE.format("halo", low, high, y, y),
        _STROKE.format("whisker", low, high, y, y),
        _STROKE.format("whisker", low, low, y - 4, y + 4),
        _STROKE.format("whisker", high, high, y - 4, y + 4),
    ]


def _upright(x: float, layout: _Layout, style: str) -> Markup:
    """A line from the top to the bottom of all rows; x in % of the width."""
    return _UPRIGHT.format(style, x, x, layout.height)


def _tick(x: str, layout: _Layout, label: str) -> Markup:
    """A label below the rows."""
    y = layout.height + _TICKS_BASE
    return _TICK.format(x, y, label)


def _joined(shapes: Sequence[Markup]) -> Markup:
    """One behind the other."""
    return Markup("").join(shapes)
