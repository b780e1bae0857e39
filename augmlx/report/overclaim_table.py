"""What the arms claim beyond what they were taught, as the pages show it."""

from __future__ import annotations

from typing import Any, NamedTuple

from augmlx.core.arms import in_table_order
from augmlx.evaluation.summary import Overclaims
from augmlx.report.colours import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import label


class OverclaimRow(NamedTuple):
    """An arm, and for each kind of question ("3 of 24", whether any reply claims something)."""

    arm: str
    style: str
    counts: list[tuple[str, bool]]


def overclaim_table(evaluation: Evaluation, most_arms: int) -> dict[str, Any] | None:
    """A row for each arm; None where nothing of the kind was asked."""
    by_arm = in_table_order(evaluation.summary.overclaims)
    kinds = list(dict.fromkeys(kind for counts in by_arm.values() for kind in counts))
    if not kinds:
        return None
    rows = []
    for arm, counts in list(by_arm.items())[:most_arms]:
        told = [_told(counts.get(kind)) for kind in kinds]
        rows.append(OverclaimRow(label(arm), arm_class(arm), told))
    return {"kinds": [label(kind) for kind in kinds], "rows": rows}


def _told(counts: Overclaims | None) -> tuple[str, bool]:
    return ("–", False) if counts is None else (f"{counts.named} of {counts.n}", counts.named > 0)
