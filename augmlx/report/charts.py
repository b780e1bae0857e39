"""Charts as inline SVG, drawn by hand.

Colours are CSS classes, so that the page's light and dark palettes apply, and horizontal places are percentages, so
that text keeps its size at any width: a plotting library's picture would shrink as a whole on a narrow screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from augmlx.report.findings import WITH, interval, percent
from augmlx.report.gather import Cell

# Of a panel of bars, in px: room above for a value label, below for the arms' names.
_TOP, _FLOOR, _HEIGHT, _AXIS = 30, 212, 238, 38
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
    return f"arm-{arm}" if arm in ("base", "icl", "finetuned", "augmented") else "arm-other"


def kind_class(index: int) -> str:
    """The class that colours a kind of question where kinds are told apart; the sheet has four."""
    return f"kind-{index}" if index < 4 else "kind-other"


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


def loss_plot(lines: Mapping[str, Sequence[Point]], valid: Sequence[Point] = ()) -> Plot:
    """Loss (nats per token) over steps, one line for each arm. Every line must hold a point.

    `valid` is the validation loss of the augmented arm, dashed; it may be empty.
    """
    drawn = [_Line(f"{arm}: loss", arm_class(arm), points) for arm, points in lines.items()]
    if valid:
        drawn.append(_Line(f"{WITH}: validation loss", f"valid {arm_class(WITH)}", valid))
    highest = max(loss for line in drawn for _, loss in line.points)
    return _plot(drawn, _ticks(highest, 5), "{:g}".format, "{:.3g}".format)


def accuracy_plot(lines: Mapping[str, Sequence[Point]], last: float) -> Plot:
    """Share of right answers over steps up to the `last`, one line for each kind. Every line must hold a point."""
    drawn = [_Line(f"{kind}: accuracy", kind_class(n), points) for n, (kind, points) in enumerate(lines.items())]
    return _plot(drawn, [0, 0.25, 0.5, 0.75, 1], percent, percent, last)


def _plot(
    lines: Sequence[_Line],
    rows: Sequence[float],
    label: Callable[[float], str],
    told: Callable[[float], str],
    last: float = 0.0,
) -> Plot:
    """The lines between 0 and the last of `rows`; `label` and `told` format values at the ticks and in words."""
    right = max(last, *(step for line in lines for step, _ in line.points))
    left = min(0.0, *(step for line in lines for step, _ in line.points))
    top, width = rows[-1] or 1.0, (right - left) or 1.0
    paths = []
    for line in lines:
        points = _thinned(line.points)
        places = " ".join(f"{1000 * (x - left) / width:.1f},{1000 * (1 - max(0.0, y) / top):.1f}" for x, y in points)
        if len(points) == 1:  # a line of one point is invisible
            places += f" {places}"
        paths.append(Markup('<polyline class="line {}" points="{}"/>').format(line.style, places))
    # The picture is stretched to whatever room there is; strokes keep their width (vector-effect, in the style sheet).
    words = (f"{line.label} {told(line.points[0][1])} to {told(line.points[-1][1])}" for line in lines)
    svg = Markup(
        '<svg class="lines" viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format("; ".join(words), Markup("").join(paths))
    return Plot(
        svg=svg,
        rows=[(100 * (1 - value / top), label(value)) for value in rows],
        columns=[(100 * (s - left) / width, f"{s:,.0f}") for s in _ticks(right, 6) if s <= right and s.is_integer()],
        averaged=max(math.ceil(len(line.points) / _MOST_POINTS) for line in lines),
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
