"""Paired differences between arms: a picture for each kind of question, and all of them as a
table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from markupsafe import Markup

from augmlx.core.arms import ARMS, AUGMENTED
from augmlx.evaluation.summary import Difference
from augmlx.report import charts
from augmlx.report.colours import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import clip, label, points, span

_MOST_TABLE_ROWS = 200
_REACHES = (0.1, 0.25, 0.5, 0.75, 1.0)


class Panel(NamedTuple):
    """The picture of a kind, with the most questions that are behind one of its rows."""

    kind: str
    questions: int
    svg: Markup


def difference_panels(
    evaluation: Evaluation, kinds: Sequence[str], most_arms: int
) -> dict[str, Any] | None:
    """A forest for each kind of what the augmented arm is ahead of the others, and all differences
    as a table; None where there are none.
    """
    rows = [row for row in evaluation.summary.differences if row.kind in kinds]
    if not rows:
        return None
    of_augmented = [row for row in rows if row.arm == AUGMENTED.name]
    in_pictures = sorted(of_augmented or rows, key=_order)
    # The same scale everywhere, or panels could not be compared.
    left = _reach(max(-min(row.low, row.difference) for row in in_pictures))
    right = _reach(max(max(row.high, row.difference) for row in in_pictures))
    panels = []
    for kind in kinds:
        of_kind = [row for row in in_pictures if row.kind == kind]
        if of_kind:
            panel = _panel(kind, of_kind[:most_arms], left, right)
            panels.append(panel)
    return {
        "panels": panels,
        "table": [_table_row(row) for row in rows[:_MOST_TABLE_ROWS]],
    }


def _panel(kind: str, rows: Sequence[Difference], left: float, right: float) -> Panel:
    gaps = []
    for row in rows:
        gap = charts.Gap(_gap_label(row), row, _words(row))
        gaps.append(gap)
    return Panel(
        kind=label(kind),
        questions=max(row.n for row in rows),
        svg=charts.forest(label(kind), gaps, left, right),
    )


def _table_row(row: Difference) -> dict[str, Any]:
    return {
        **asdict(row),
        "kind": label(row.kind),
        "arm": label(row.arm),
        "against": label(row.against),
        "style": arm_class(row.arm),
        "points": points(row.difference),
        "span": span(row),
    }


def _reach(most: float) -> float:
    """The first round end of the scale that holds all."""
    return next((reach for reach in _REACHES if most <= reach), 1.0)


def _order(row: Difference) -> tuple[int, str, str]:
    """By what it is held against, in the order of the arms; arms of the user's own come last."""
    names = list(ARMS)
    place = len(names)
    if row.against in ARMS:
        place = names.index(row.against)
    return place, row.arm, row.against


def _gap_label(row: Difference) -> str:
    """Which arms are compared; of the augmented one, which is what a picture is about, the other
    only.
    """
    if row.arm == AUGMENTED.name:
        return f"over {clip(row.against, 30)}"
    return f"{clip(row.arm, 12)} over {clip(row.against, 12)}"


def _words(row: Difference) -> str:
    """ "+53 points (+35 to +71)"."""
    doubt = "" if row.differs else ", cannot be told from chance"
    gap = points(row.difference)
    return f"{gap} points ({span(row)}){doubt}"
