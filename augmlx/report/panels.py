"""What the pages show of an evaluation: arms by kind, differences, leaks, general ability,
precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from augmlx.core.arms import ARMS, BASE, in_table_order
from augmlx.evaluation import leaks as accounts
from augmlx.evaluation import statistics
from augmlx.evaluation.ability import loss_notes
from augmlx.evaluation.summary import Cell, Difference, LeakShares, Precision, Summary
from augmlx.report import charts, findings
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import clip, model_name

MOST_KINDS = 12
MOST_ARMS = 10
_MOST_IDS = 30
_RULES = {
    "token": "the choice with the greatest log-probability per token counts as the answer",
    "sum": "the choice with the greatest summed log-probability counts as the answer",
}
# Columns of the table of numbers.
_MORE = {"by_sum": "Summed", "by_token": "Per token", "exact": "Exact answer", "f1": "Token F1"}


def evaluation_panels(found: Evaluation, chance: float | None) -> dict[str, Any]:
    """Of one evaluation or one study. `chance` is used where the results do not tell it."""
    kinds, arms = found.kinds[:MOST_KINDS], list(found.arms)[:MOST_ARMS]
    chance_of = found.chance()
    panels = [_panel(found, kind, arms, chance_of.get(kind, chance)) for kind in kinds]
    derived = isinstance(found.summary, Summary) and found.summary.derived
    return {
        "panels": panels,
        "more": list(_MORE.values()),
        "left_out": len(found.kinds) - len(kinds),
        "legend": legend(arms),
        "chance": any(panel["chance"] is not None for panel in panels),
        "seeds": any(
            charts.seed_accuracies(cell) for cells in found.arms.values() for cell in cells.values()
        ),
        "paired": [] if found.summary.differences else findings.paired(found, kinds),
        "derived": derived,
        "notes": _notes(found),
        "model": clip(model_name(found.summary.model), 80),
        "rule": _RULES[found.summary.score],
        "differences": differences(found, kinds),
        "leaks": leaks(found, arms),
        "ability": ability(found),
    }


def _notes(found: Evaluation) -> list[str]:
    """Without those that a section of their own tells."""
    summary = found.summary
    told = {*loss_notes(summary.regressions), *accounts.leak_notes(summary.leaks)}
    return [clip(note, 500) for note in summary.notes if note not in told][:20]


def legend(arms: Sequence[str]) -> list[tuple[str, str, str]]:
    """(arm, its class, what it is)."""
    return [
        (
            clip(arm, 40),
            charts.arm_class(arm),
            ARMS[arm].about if arm in ARMS else "an adapter of yours",
        )
        for arm in arms
    ]


def _panel(
    found: Evaluation, kind: str, arms: Sequence[str], chance: float | None
) -> dict[str, Any]:
    cells = {arm: found.arms[arm][kind] for arm in arms if kind in found.arms[arm]}
    label = clip(kind, 40)
    rows = [charts.Bar(clip(arm, 40), charts.arm_class(arm), cell) for arm, cell in cells.items()]
    return {
        "kind": label,
        "questions": max((cell.n for cell in cells.values()), default=0),
        "chance": chance,
        "svg": charts.bars(label, rows, chance),
        "rows": [
            (row.label, row.style, row.cell, findings.interval(row.cell), _numbers(row.cell))
            for row in rows
        ],
    }


def _numbers(cell: Cell) -> list[str]:
    return [findings.percent(getattr(cell, key)) for key in _MORE]


def differences(found: Evaluation, kinds: Sequence[str]) -> dict[str, Any] | None:
    """A forest for each kind of what the augmented arm is ahead of the others, and all differences
    as a table.
    """
    rows = [row for row in found.summary.differences if row.kind in kinds]
    if not rows:
        return None
    drawn = [row for row in rows if row.arm == findings.WITH] or rows
    # The same scale everywhere, or panels could not be compared.
    left = _reach(max(-min(row.low, row.difference) for row in drawn))
    right = _reach(max(max(row.high, row.difference) for row in drawn))
    panels = []
    for kind in kinds:
        own = sorted((row for row in drawn if row.kind == kind), key=_order)[:MOST_ARMS]
        gaps = [charts.Gap(_against(row.arm, row.against), row, _told(row)) for row in own]
        if gaps:
            panels.append(
                (
                    clip(kind, 40),
                    max(row.n for row in own),
                    charts.forest(clip(kind, 40), gaps, left, right),
                )
            )
    table = [
        {
            **asdict(row),
            "kind": clip(row.kind, 40),
            "arm": clip(row.arm, 40),
            "against": clip(row.against, 40),
            "style": charts.arm_class(row.arm),
            "points": findings.points(row.difference),
            "span": findings.span(row),
        }
        for row in rows[:200]
    ]
    return {"panels": panels, "table": table}


def _reach(most: float) -> float:
    return next((step for step in (0.1, 0.25, 0.5, 0.75) if most <= step), 1.0)


def _place(arm: str) -> int:
    return list(ARMS).index(arm) if arm in ARMS else len(ARMS)


def _order(row: Difference) -> tuple[int, str, str]:
    return (_place(row.against), row.arm, row.against)


def _against(arm: str, against: str) -> str:
    return (
        f"over {clip(against, 30)}"
        if arm == findings.WITH
        else f"{clip(arm, 12)} over {clip(against, 12)}"
    )


def _told(row: Difference) -> str:
    judged = "" if row.differs else ", cannot be told from chance"
    return f"{findings.points(row.difference)} points ({findings.span(row)}){judged}"


def leaks(found: Evaluation, arms: Sequence[str]) -> dict[str, Any] | None:
    """Leak accounting: items by whether their conclusion was generated, and those that stand word
    for word.
    """
    of_kinds = found.summary.leaks
    if not of_kinds:
        return None
    shown = [arm for arm in arms if any(arm in leak.accuracy for leak in of_kinds.values())]
    rows = []
    for kind, leak in list(of_kinds.items())[:MOST_KINDS]:
        shares = [leak.accuracy.get(arm, LeakShares(None, None)) for arm in shown]
        generated = [_or_dash(share.generated) for share in shares]
        not_generated = [_or_dash(share.not_generated) for share in shares]
        rows.append((clip(kind, 40), "generated", leak.generated, generated))
        rows.append(("", "not generated", leak.not_generated, not_generated))
    ids = [
        (clip(kind, 40), clip(item, 40))
        for kind, leak in of_kinds.items()
        for item in leak.verbatim
    ]
    return {
        "arms": [(clip(arm, 40), charts.arm_class(arm)) for arm in shown],
        "rows": rows,
        "verbatim": len(ids),
        "ids": ids[:_MOST_IDS],
    }


def _or_dash(share: float | None) -> str:
    return "–" if share is None else findings.percent(share)


def ability(found: Evaluation) -> dict[str, Any] | None:
    """General ability of each arm, with its change from the base model; what is called a loss is
    marked.
    """
    of_arms = in_table_order(found.summary.ability)
    if not of_arms:
        return None
    before = of_arms.get(BASE.name)
    lost = {(row.arm, row.what) for row in found.summary.regressions}
    rows = []
    for arm, now in list(of_arms.items())[:MOST_ARMS]:
        rise = _times(before.perplexity, now.perplexity) if before else ""
        change = f"{findings.points(now.accuracy - before.accuracy)} points" if before else ""
        text = (f"{now.perplexity:.2f}", rise)
        questions = (findings.percent(now.accuracy), change)
        rows.append(
            {
                "arm": clip(arm, 40),
                "style": charts.arm_class(arm),
                "n": now.n,
                "text": (
                    *(text if arm != BASE.name else (text[0], "")),
                    (arm, "perplexity") in lost,
                ),
                "questions": (
                    *(questions if arm != BASE.name else (questions[0], "")),
                    (arm, "questions") in lost,
                ),
            }
        )
    others = [clip(row.text, 300) for row in found.summary.regressions]
    return {"rows": rows, "regressions": others}


def _times(before: float, now: float) -> str:
    if before <= 0:
        return ""
    change = 100 * (now / before - 1)
    return f"{change:+.1f}\u00a0%".replace("-", "\u2212")


def precision(counts: Precision) -> dict[str, Any] | None:
    """The share of kept augmentations that are true; None where none can be judged."""
    if not counts.judged:
        return None
    return {
        "share": counts.right / counts.judged,
        "interval": findings.span_of(*statistics.wilson(counts.right, counts.judged)),
        "kept": counts.judged,
        "right": counts.right,
    }


def chosen_arms(evaluations: Sequence[Evaluation]) -> list[str]:
    """All arms of several evaluations, in the order of the legend."""
    found = {arm for evaluation in evaluations for arm in evaluation.arms}
    return list(in_table_order(dict.fromkeys(found)))[:MOST_ARMS]
