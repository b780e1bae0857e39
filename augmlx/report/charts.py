"""Charts as inline SVG, drawn by hand.

Colours are CSS classes, so that the page's light and dark palettes apply, and horizontal places are percentages, so
that text keeps its size at any width: a plotting library's picture would shrink as a whole on a narrow screen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from augmlx.report.findings import interval, percent
from augmlx.report.gather import Cell

# Of a panel of bars, in px: room above for a value label, below for the arms' names.
_TOP, _FLOOR, _HEIGHT, _AXIS = 30, 212, 238, 38
_MOST_POINTS = 240
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class LossPlot:
    """The lines of a loss chart, with its ticks: (place in %, label)."""

    svg: Markup
    rows: list[tuple[float, str]]
    columns: list[tuple[float, str]]
    averaged: int  # points of the file per point drawn, at most


def arm_class(arm: str) -> str:
    """The class that colours an arm; an arm of the user's own gets the neutral one."""
    return f"arm-{arm}" if arm in ("base", "icl", "finetuned", "augmented") else "arm-other"


def bars(kind: str, cells: Mapping[str, Cell], chance: float | None) -> Markup:
    """One kind of question: a bar for each arm, its 95 % interval as a whisker, chance as a dashed line."""
    told = "; ".join(f"{arm} {percent(cell.accuracy)} ({interval(cell)})" for arm, cell in cells.items())
    parts = [Markup('<svg class="bars" height="{}" role="img" aria-label="{}: {}">').format(_HEIGHT, kind, told)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(_rule(share, "axis" if share == 0 else "grid"))
        parts.append(_text("0", _y(share) + 4, f"{100 * share:.0f}\u00a0%", "tick"))
    slot = 86 / max(1, len(cells))
    parts += [_bar(14 + slot * (index + 0.5), slot, arm, cell) for index, (arm, cell) in enumerate(cells.items())]
    if chance is not None:
        parts.append(_rule(chance, "chance"))
    return Markup("").join([*parts, Markup("</svg>")])


def _bar(centre: float, slot: float, arm: str, cell: Cell) -> Markup:
    """A bar about `centre`; `slot` is its room, both in % of the width."""
    half, cap = slot * 0.33, slot * 0.09
    top = _y(cell.accuracy)
    line = Markup('<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="{:.1f}" y2="{:.1f}"/>')
    low, high = _y(cell.low), _y(cell.high)
    return Markup("").join(
        [
            Markup("<g><title>{}: {} ({}), {} of {}</title>").format(
                arm, percent(cell.accuracy), interval(cell), cell.right, cell.n
            ),
            Markup('<rect class="bar {}" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}" rx="3"/>').format(
                arm_class(arm), centre - half, 2 * half, top, max(1.5, _FLOOR - top)
            ),
            line.format(centre, centre, low, high),
            line.format(centre - cap, centre + cap, low, low),
            line.format(centre - cap, centre + cap, high, high),
            _text(f"{centre:.2f}%", min(high, top) - 8, percent(cell.accuracy), "value"),
            _text(f"{centre:.2f}%", _FLOOR + 18, arm if len(arm) <= 11 else f"{arm[:10]}…", "name"),
            Markup("</g>"),
        ]
    )


def _y(share: float) -> float:
    return _FLOOR - share * (_FLOOR - _TOP)


def _rule(share: float, style: str) -> Markup:
    y = round(_y(share)) + 0.5  # on the pixel grid, or a thin line blurs
    return Markup('<line class="{}" x1="{}" x2="100%" y1="{}" y2="{}"/>').format(style, _AXIS, y, y)


def _text(x: str, y: float, text: str, style: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{:.1f}">{}</text>').format(style, x, y, text)


def loss_plot(lines: Mapping[str, Sequence[Point]]) -> LossPlot:
    """Loss (nats per token) over steps, one line for each arm. Every line must hold a point."""
    drawn = {arm: _thinned(points) for arm, points in lines.items()}
    right = max(step for points in drawn.values() for step, _ in points)
    left = min(0.0, *(step for points in drawn.values() for step, _ in points))
    rows = _ticks(max(loss for points in drawn.values() for _, loss in points), 5)
    top, width = rows[-1] or 1.0, (right - left) or 1.0
    paths = []
    for arm, points in drawn.items():
        places = " ".join(f"{1000 * (x - left) / width:.1f},{1000 * (1 - max(0.0, y) / top):.1f}" for x, y in points)
        if len(points) == 1:  # a line of one point is invisible
            places += f" {places}"
        paths.append(Markup('<polyline class="line {}" points="{}"/>').format(arm_class(arm), places))
    # The picture is stretched to whatever room there is; strokes keep their width (vector-effect, in the style sheet).
    svg = Markup(
        '<svg class="lines" viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(
        "; ".join(f"{arm}: loss {p[0][1]:.3g} to {p[-1][1]:.3g}" for arm, p in drawn.items()), Markup("").join(paths)
    )
    return LossPlot(
        svg=svg,
        rows=[(100 * (1 - value / top), f"{value:g}") for value in rows],
        columns=[(100 * (s - left) / width, f"{s:,.0f}") for s in _ticks(right, 6) if s <= right and s.is_integer()],
        averaged=max(math.ceil(len(points) / _MOST_POINTS) for points in lines.values()),
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most 240 points: means of equally many neighbours, in order of the steps."""
    ordered = sorted(points)
    size = math.ceil(len(ordered) / _MOST_POINTS)
    groups = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _ticks(highest: float, most: int) -> list[float]:
    """0 and round numbers (1, 2 or 5 times a power of ten) up to the first at or above `highest`."""
    if highest < 1e-9:  # nothing to tell apart, and powers of ten end not far below
        return [0.0, 1.0]
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [round(step * index, 12) for index in range(math.ceil(highest / step - 1e-9) + 1)]
