"""Lines over the steps of a training, as inline SVG.

The picture is stretched to whatever room there is, and strokes keep their width (vector-effect, in
the style sheet); the labels of the ticks are text beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from augmlx.core.arms import AUGMENTED
from augmlx.report.colours import arm_class, kind_class
from augmlx.report.text import percent

_MOST_POINTS = 240
_SIDE = 1000  # units of the picture, across and down
_POLYLINE = Markup('<polyline class="line {}" points="{}"/>')
_PICTURE = Markup(
    f'<svg class="lines" viewBox="0 0 {_SIDE} {_SIDE}" preserveAspectRatio="none" role="img" '
    'aria-label="{}">{}</svg>'
)
Point = tuple[float, float]  # (step, value)


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    style: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The steps and the values, from 0, between which a picture lies."""

    left: float
    right: float
    top: float

    def across(self, step: float, side: float) -> float:
        """Where a step is, of a picture of that width."""
        width = (self.right - self.left) or 1.0
        return side * (step - self.left) / width

    def down(self, value: float) -> float:
        """Where a value is, as a share of the height from the top."""
        return 1 - value / self.top


@dataclass(frozen=True, slots=True)
class Plot:
    """The lines of a chart over steps, with its ticks: (place in %, label)."""

    svg: Markup
    rows: list[tuple[float, str]]
    columns: list[tuple[float, str]]
    averaged: int  # points of the file per point of the picture, at most


def loss_plot(curves: Mapping[str, Sequence[Point]], valid: Sequence[Point] = ()) -> Plot:
    """The chart of the loss (nats per token) over steps, one line for each arm.

    Args:
        curves: arm -> its points, at least one.
        valid: the validation loss of the augmented arm, drawn dashed; it may be empty.
    """
    lines = [_Line(f"{arm}: loss", arm_class(arm), curves[arm]) for arm in curves]
    if valid:
        style = f"valid {arm_class(AUGMENTED.name)}"
        lines.append(_Line(f"{AUGMENTED.name}: validation loss", style, valid))
    highest = max(_highest(line) for line in lines)
    return _plot(lines, _ticks(highest, 5), "{:g}".format, "{:.3g}".format)


def _highest(line: _Line) -> float:
    """The greatest value of a line."""
    return max(value for _, value in line.points)


def accuracy_plot(curves: Mapping[str, Sequence[Point]], last: float) -> Plot:
    """The chart of the share of right answers over steps up to the `last`, one line for each kind.

    Args:
        curves: kind of question -> its points, at least one.
    """
    lines = []
    for index, kind in enumerate(curves):
        line = _Line(f"{kind}: accuracy", kind_class(index), curves[kind])
        lines.append(line)
    return _plot(lines, [0, 0.25, 0.5, 0.75, 1], percent, percent, last)


def _plot(
    lines: Sequence[_Line],
    ticks: Sequence[float],
    tick_label: Callable[[float], str],
    in_words: Callable[[float], str],
    last: float = 0.0,
) -> Plot:
    """The lines between 0 and the last of `ticks`, over steps up to `last` or their own last."""
    frame = _frame(lines, ticks[-1], last)
    paths = [_polyline(line, frame) for line in lines]
    descriptions = []
    for line in lines:
        first_value, last_value = in_words(line.points[0][1]), in_words(line.points[-1][1])
        descriptions.append(f"{line.label} {first_value} to {last_value}")
    steps = _ticks(frame.right, 6)
    whole_steps = [step for step in steps if step <= frame.right and step.is_integer()]
    return Plot(
        svg=_PICTURE.format("; ".join(descriptions), Markup("").join(paths)),
        rows=[(100 * frame.down(value), tick_label(value)) for value in ticks],
        columns=[(frame.across(step, 100), f"{step:,.0f}") for step in whole_steps],
        averaged=max(_group_size(line.points) for line in lines),
    )


def _frame(lines: Sequence[_Line], top: float, last: float) -> _Frame:
    """That holds all lines."""
    steps = [step for line in lines for step, _ in line.points]
    return _Frame(
        left=min(0.0, *steps),
        right=max(last, *steps),
        top=top or 1.0,
    )


def _polyline(line: _Line, frame: _Frame) -> Markup:
    corners = []
    for step, value in _thinned(line.points):
        x = frame.across(step, _SIDE)
        y = _SIDE * frame.down(max(0.0, value))
        corners.append(f"{x:.1f},{y:.1f}")
    if len(corners) == 1:  # a line of one point is invisible
        corners *= 2
    return _POLYLINE.format(line.style, " ".join(corners))


def _group_size(points: Sequence[Point]) -> int:
    """Points of the file per point of the picture."""
    return math.ceil(len(points) / _MOST_POINTS)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most 240 points: means of equally many neighbours, in order of the steps."""
    ordered = sorted(points)
    size = _group_size(points)
    means = []
    for start in range(0, len(ordered), size):
        group = ordered[start : start + size]
        steps, values = zip(*group, strict=True)
        mean_step = sum(steps) / len(group)
        mean_value = sum(values) / len(group)
        means.append((mean_step, mean_value))
    return means


def _ticks(highest: float, most: int) -> list[float]:
    """0 and round numbers (1, 2 or 5 times a power of ten) up to the first at or above
    `highest`.
    """
    if highest < 1e-9:  # nothing to tell apart, and powers of ten end not far below
        return [0.0, 1.0]
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    round_steps = [power * factor for factor in (1, 2, 5, 10)]
    step = next(size for size in round_steps if size >= rough * (1 - 1e-9))
    count = math.ceil(highest / step - 1e-9) + 1
    return [round(step * index, 12) for index in range(count)]
