"""Leak accounting as the pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from augmlx.evaluation.summary import Leak, LeakShares
from augmlx.report.colours import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import label, percent_or_dash

_MOST_IDS = 30
_NOT_MEASURED = LeakShares(None, None)


class LeakRow(NamedTuple):
    """Items of a kind whose conclusion was generated, or was not, and each arm's accuracy on
    them.
    """

    kind: str
    which: str
    items: int
    accuracy: list[str]


def leak_table(
    evaluation: Evaluation, arms: Sequence[str], most_kinds: int
) -> dict[str, Any] | None:
    """Items by whether their conclusion was generated, with the arms' accuracy on either, and those
    that stand word for word; None where nothing was accounted for.
    """
    leaks = evaluation.summary.leaks
    if not leaks:
        return None
    measured_arms = {arm for leak in leaks.values() for arm in leak.accuracy}
    shown_arms = [arm for arm in arms if arm in measured_arms]
    rows = []
    for kind in list(leaks)[:most_kinds]:
        rows += _rows(label(kind), leaks[kind], shown_arms)
    verbatim = []
    for kind, leak in leaks.items():
        verbatim += [(label(kind), label(item_id)) for item_id in leak.verbatim]
    return {
        "arms": [(label(arm), arm_class(arm)) for arm in shown_arms],
        "rows": rows,
        "verbatim": len(verbatim),
        "ids": verbatim[:_MOST_IDS],
    }


def _rows(kind: str, leak: Leak, arms: Sequence[str]) -> list[LeakRow]:
    """Two rows; the kind stands in the first alone."""
    shares = [leak.accuracy.get(arm, _NOT_MEASURED) for arm in arms]
    generated = LeakRow(
        kind=kind,
        which="generated",
        items=leak.generated,
        accuracy=[percent_or_dash(share.generated) for share in shares],
    )
    not_generated = LeakRow(
        kind="",
        which="not generated",
        items=leak.not_generated,
        accuracy=[percent_or_dash(share.not_generated) for share in shares],
    )
    return [generated, not_generated]
