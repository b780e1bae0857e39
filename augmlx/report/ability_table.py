"""General ability of each arm beside the base model."""

from __future__ import annotations

from typing import Any

from augmlx.core.arms import BASE, in_table_order
from augmlx.evaluation.summary import Ability, PooledAbility
from augmlx.report.colours import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import MINUS, clip, label, percent, points


def ability_table(evaluation: Evaluation, most_arms: int) -> dict[str, Any] | None:
    """A row for each arm, with its change from the base model; what is called a loss is marked.
    None where general ability was not measured.
    """
    abilities = in_table_order(evaluation.summary.ability)
    if not abilities:
        return None
    base = abilities.get(BASE.name)
    regressions = evaluation.summary.regressions
    losses = {(row.arm, row.what) for row in regressions}
    rows = []
    for arm in list(abilities)[:most_arms]:
        # The base model is not held against itself.
        before = None if arm == BASE.name else base
        row = _row(arm, before, abilities[arm])
        row["text"] += ((arm, "perplexity") in losses,)
        row["questions"] += ((arm, "questions") in losses,)
        rows.append(row)
    return {
        "rows": rows,
        "regressions": [clip(row.text, 300) for row in regressions],
    }


def _row(
    arm: str, before: Ability | PooledAbility | None, now: Ability | PooledAbility
) -> dict[str, Any]:
    """An arm with (value, its change from the base model or "") of both measures."""
    rise = ""
    change = ""
    if before is not None:
        rise = _relative_change(before.perplexity, now.perplexity)
        change = f"{points(now.accuracy - before.accuracy)} points"
    return {
        "arm": label(arm),
        "style": arm_class(arm),
        "n": now.n,
        "text": (f"{now.perplexity:.2f}", rise),
        "questions": (percent(now.accuracy), change),
    }


def _relative_change(before: float, now: float) -> str:
    """ "+3.7 %"; "" where there is nothing to compare with."""
    if before <= 0:
        return ""
    change = 100 * (now / before - 1)
    text = f"{change:+.1f}\u00a0%"
    return text.replace("-", MINUS)
