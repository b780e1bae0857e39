"""Single questions worth reading: those that the augmented arm got wrong, and those that only it
got right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from augmlx.core.arms import ARMS, AUGMENTED, ORACLE
from augmlx.core.records import EvalItem, EvalResult
from augmlx.report.charts import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.findings import WITH
from augmlx.report.text import clip

MOST = 12
_RIVALS = tuple(arm.name for arm in ARMS.values() if arm not in (AUGMENTED, ORACLE))
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Case:
    """One question under the augmented arm.

    `margin` is the log-probability per token (nats) of the right choice less that of the best other
    one.
    """

    kind: str
    prompt: str
    answer: str
    chosen: str
    generated: str
    margin: float | None
    others: list[tuple[str, str, bool]]  # (arm, its class, answered right)


@dataclass(frozen=True, slots=True)
class Cases:
    worst: list[Case]
    wrong: int  # how many there are in all
    best: list[Case]
    only: int


def build_cases(evaluation: Evaluation) -> Cases | None:
    """None where the questions are not at hand, or the augmented arm did not answer."""
    answers: dict[str, dict[str, EvalResult]] = {}
    for row in evaluation.results:
        answers.setdefault(row.item_id, {})[row.arm] = row
    told = [
        (_case(evaluation.items[name], arms), arms[WITH].correct)
        for name, arms in answers.items()
        if WITH in arms and name in evaluation.items
    ]
    if not told:
        return None
    wrong = [case for case, right in told if not right]
    only = [
        case
        for case, right in told
        if right and case.others and not any(right for _, _, right in case.others)
    ]
    wrong.sort(key=lambda case: 0.0 if case.margin is None else case.margin)
    only.sort(key=lambda case: 0.0 if case.margin is None else -case.margin)
    return Cases(wrong[:MOST], len(wrong), only[:MOST], len(only))


def _case(item: EvalItem, arms: Mapping[str, EvalResult]) -> Case:
    row = arms[WITH]
    known = row.chosen < len(item.choices)
    return Case(
        kind=clip(item.kind, 40),
        prompt=clip(item.prompt, _MOST_CHARACTERS),
        answer=clip(item.answer, _MOST_CHARACTERS),
        chosen=clip(item.choices[row.chosen], _MOST_CHARACTERS) if known else "",
        generated=clip(row.generated.strip(), _MOST_CHARACTERS),
        margin=_margin(row, item),
        others=[(arm, arm_class(arm), arms[arm].correct) for arm in _RIVALS if arm in arms],
    )


def _margin(row: EvalResult, item: EvalItem) -> float | None:
    choices = item.choices
    if len(row.scores) != len(choices) or item.answer not in choices or len(choices) < 2:
        return None
    each = [score / count for score, count in zip(row.scores, row.tokens, strict=True)]
    right = choices.index(item.answer)
    return float(each[right] - max(score for place, score in enumerate(each) if place != right))
