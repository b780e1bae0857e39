"""What the pages show of an evaluation: a panel of bars for each kind of question, and beside them
differences, leaks, general ability and precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from augmlx.core.arms import ARMS, in_table_order
from augmlx.core.records import CHAT
from augmlx.evaluation import overclaims, statistics
from augmlx.evaluation.ability import loss_notes
from augmlx.evaluation.leaks import leak_notes
from augmlx.evaluation.summary import AnySummary, Cell, Precision, Summary
from augmlx.report import charts, findings
from augmlx.report.ability_table import ability_table
from augmlx.report.colours import arm_class
from augmlx.report.difference_panels import difference_panels
from augmlx.report.evaluated import Evaluation, seed_accuracies
from augmlx.report.leak_table import leak_table
from augmlx.report.overclaim_table import overclaim_table
from augmlx.report.text import clip, interval, interval_of, label, model_name, percent

MOST_KINDS = 12
MOST_ARMS = 10
_MOST_NOTES = 20
_RULES = {
    "token": "the choice with the greatest log-probability per token counts as the answer",
    "sum": "the choice with the greatest summed log-probability counts as the answer",
}
# Columns of the table of numbers, beside the accuracy.
_MORE = {"by_sum": "Summed", "by_token": "Per token", "exact": "Exact answer", "f1": "Token F1"}


class LegendRow(NamedTuple):
    """An arm, the class that colours it, and what it is."""

    arm: str
    style: str
    about: str


class NumberRow(NamedTuple):
    """An arm's numbers on a kind of question, those of the columns _MORE last."""

    arm: str
    style: str
    cell: Cell
    interval: str
    further: list[str]


def evaluation_panels(evaluation: Evaluation, chance: float | None) -> dict[str, Any]:
    """What the templates show of one evaluation or one study.

    Args:
        chance: the share of right answers of who guesses, used where the results do not tell it.
    """
    kinds = evaluation.kinds[:MOST_KINDS]
    arms = list(evaluation.arms)[:MOST_ARMS]
    cells = [cell for by_kind in evaluation.arms.values() for cell in by_kind.values()]
    summary = evaluation.summary
    chances: dict[str, float | None] = {**evaluation.chance()}
    for kind in kinds:  # a reply in a chat is free: there is nothing to guess from
        chances.setdefault(kind, None if kind.startswith(CHAT) else chance)
    panels = [_panel(evaluation, kind, arms, chances[kind]) for kind in kinds]
    return {
        "panels": panels,
        "more": list(_MORE.values()),
        "left_out": len(evaluation.kinds) - len(kinds),
        "legend": legend(arms),
        "chance": any(panel["chance"] is not None for panel in panels),
        "seeds": any(seed_accuracies(cell) for cell in cells),
        "paired": [] if summary.differences else findings.paired(evaluation, kinds),
        "derived": isinstance(summary, Summary) and summary.derived,
        "notes": _notes(summary),
        "model": clip(model_name(summary.model), 80),
        "rule": _RULES[summary.score],
        "differences": difference_panels(evaluation, kinds, MOST_ARMS),
        "leaks": leak_table(evaluation, arms, MOST_KINDS),
        "ability": ability_table(evaluation, MOST_ARMS),
        "overclaims": overclaim_table(evaluation, MOST_ARMS),
    }


def _notes(summary: AnySummary) -> list[str]:
    """Without those that a section of their own tells."""
    of_sections = {
        *loss_notes(summary.regressions),
        *leak_notes(summary.leaks),
        *overclaims.notes(summary.overclaims),
    }
    own_notes = [note for note in summary.notes if note not in of_sections]
    return [clip(note, 500) for note in own_notes[:_MOST_NOTES]]


def legend(arms: Sequence[str]) -> list[LegendRow]:
    """A row for each arm, in their order."""
    rows = []
    for arm in arms:
        about = ARMS[arm].about if arm in ARMS else "an adapter of yours"
        row = LegendRow(label(arm), arm_class(arm), about)
        rows.append(row)
    return rows


def _panel(
    evaluation: Evaluation, kind: str, arms: Sequence[str], chance: float | None
) -> dict[str, Any]:
    """One kind of question: its picture and its numbers."""
    bars = []
    for arm in arms:
        cell = evaluation.cell(arm, kind)
        if cell is not None:
            bar = charts.Bar(label(arm), arm_class(arm), cell)
            bars.append(bar)
    return {
        "kind": label(kind),
        "questions": max((bar.cell.n for bar in bars), default=0),
        "chance": chance,
        "svg": charts.bars(label(kind), bars, chance),
        "rows": [_number_row(bar) for bar in bars],
    }


def _number_row(bar: charts.Bar) -> NumberRow:
    """The numbers behind a bar."""
    return NumberRow(
        arm=bar.label,
        style=bar.style,
        cell=bar.cell,
        interval=interval(bar.cell),
        further=[percent(getattr(bar.cell, key)) for key in _MORE],
    )


def precision(counts: Precision) -> dict[str, Any] | None:
    """The share of kept augmentations that are true; None where none can be judged."""
    if not counts.judged:
        return None
    low, high = statistics.wilson(counts.right, counts.judged)
    return {
        "share": counts.right / counts.judged,
        "interval": interval_of(low, high),
        "kept": counts.judged,
        "right": counts.right,
    }


def chosen_arms(evaluations: Sequence[Evaluation]) -> list[str]:
    """All arms of several evaluations, in the order of the legend."""
    by_arm: dict[str, object] = {}
    for evaluation in evaluations:
        by_arm |= evaluation.arms
    return list(in_table_order(by_arm))[:MOST_ARMS]
