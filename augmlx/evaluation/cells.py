"""The table of a summary: each arm's results on each kind of question, as one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from augmlx.core.records import EvalItem, EvalResult
from augmlx.evaluation.asking import likeliest
from augmlx.evaluation.statistics import wilson
from augmlx.evaluation.summary import Cell


def cells_by_arm(
    results: Sequence[EvalResult], items: Sequence[EvalItem]
) -> dict[str, dict[str, Cell]]:
    """arm -> kind -> cell, arms and kinds in the order that the results come in.

    The accuracy is by the rule that the results were chosen by; by_sum and by_token are by either.
    """
    item_of = {item.id: item for item in items}
    groups: dict[str, dict[str, list[EvalResult]]] = {}
    for result in results:
        groups.setdefault(result.arm, {}).setdefault(result.kind, []).append(result)
    table: dict[str, dict[str, Cell]] = {}
    for arm, by_kind in groups.items():
        table[arm] = {kind: _cell(of_kind, item_of) for kind, of_kind in by_kind.items()}
    return table


def _cell(results: Sequence[EvalResult], item_of: Mapping[str, EvalItem]) -> Cell:
    correct = sum(result.correct for result in results)
    low, high = wilson(correct, len(results))
    by_sum: list[bool] = []
    by_token: list[bool] = []
    for result in results:
        if not result.scores:  # a reply in a chat
            by_sum.append(result.correct)
            by_token.append(result.correct)
            continue
        item = item_of[result.item_id]
        per_token = [
            score / tokens for score, tokens in zip(result.scores, result.tokens, strict=True)
        ]
        by_sum.append(item.choices[likeliest(result.scores)] == item.answer)
        by_token.append(item.choices[likeliest(per_token)] == item.answer)
    return Cell(
        n=len(results),
        accuracy=correct / len(results),
        low=low,
        high=high,
        by_sum=fmean(by_sum),
        by_token=fmean(by_token),
        exact=fmean(result.exact for result in results),
        f1=fmean(result.f1 for result in results),
        runs_on=fmean(result.runs_on for result in results),
    )
