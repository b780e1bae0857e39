"""Single questions worth reading: those that the augmented arm got wrong, and those that only it
got right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from augmlx.core.arms import ARMS, AUGMENTED, ORACLE
from augmlx.core.records import Json
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
    answers: dict[str, dict[str, Json]] = {}
    for row in evaluation.results:
        answers.setdefault(str(row["item_id"]), {})[str(row["arm"])] = row
    told = [
        (case, bool(arms[WITH]["correct"]))
        for name, arms in answers.items()
        if WITH in arms and (item := evaluation.items.get(name)) and (case := _case(item, arms))
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


def _case(item: Json, arms: Mapping[str, Json]) -> Case:
    row, choices = arms[WITH], [str(choice) for choice in item.get("choices", ())]
    chosen = row.get("chosen")
    known = isinstance(chosen, int) and 0 <= chosen < len(choices)
    return Case(
        kind=clip(str(item.get("kind", "")), 40),
        prompt=clip(str(item.get("prompt", "")), _MOST_CHARACTERS),
        answer=clip(str(item.get("answer", "")), _MOST_CHARACTERS),
        chosen=clip(choices[int(str(chosen))], _MOST_CHARACTERS) if known else "",
        generated=clip(str(row.get("generated", "")).strip(), _MOST_CHARACTERS),
        margin=_margin(row, choices, str(item.get("answer", ""))),
        others=[
            (arm, arm_class(arm), bool(arms[arm]["correct"])) for arm in _RIVALS if arm in arms
        ],
    )


def _margin(row: Json, choices: list[str], answer: str) -> float | None:
    scores, tokens = row["scores"], row["tokens"]
    if not len(scores) == len(tokens) == len(choices) or answer not in choices or len(choices) < 2:
        return None
    each = [score / max(1, count) for score, count in zip(scores, tokens, strict=True)]
    right = choices.index(answer)
    return float(each[right] - max(score for place, score in enumerate(each) if place != right))
