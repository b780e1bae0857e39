"""Single questions worth reading: those that the augmented arm got wrong, and those that only it
got right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from augmlx.core.arms import ARMS, AUGMENTED, ORACLE
from augmlx.core.records import EvalItem, EvalResult
from augmlx.report.colours import arm_class
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import clip, label

_MOST_CASES = 12
_MOST_CHARACTERS = 300
_RIVALS = tuple(arm.name for arm in ARMS.values() if arm not in (AUGMENTED, ORACLE))


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
    right: bool
    margin: float | None
    others: list[tuple[str, str, bool]]  # (arm, its class, answered right)

    @property
    def only_here(self) -> bool:
        """Whether the augmented arm alone got it right, among several that were asked."""
        if not self.right or not self.others:
            return False
        return not any(right for _, _, right in self.others)


@dataclass(frozen=True, slots=True)
class Cases:
    """The questions that are shown, and how many of their sort there are in all."""

    worst: list[Case]
    wrong: int
    best: list[Case]
    only: int


def build_cases(evaluation: Evaluation) -> Cases | None:
    """The questions worth reading; None where the questions are not at hand, or the augmented arm
    did not answer.
    """
    results_of_item: dict[str, dict[str, EvalResult]] = defaultdict(dict)
    for result in evaluation.results:
        results_of_item[result.item_id][result.arm] = result
    cases = []
    for item_id, results in results_of_item.items():
        if item_id in evaluation.items and AUGMENTED.name in results:
            case = _case(evaluation.items[item_id], results)
            cases.append(case)
    if not cases:
        return None
    wrong = [case for case in cases if not case.right]
    wrong.sort(key=_margin_or_0)
    only = [case for case in cases if case.only_here]
    only.sort(key=lambda case: -_margin_or_0(case))
    return Cases(
        worst=wrong[:_MOST_CASES],
        wrong=len(wrong),
        best=only[:_MOST_CASES],
        only=len(only),
    )


def _margin_or_0(case: Case) -> float:
    """What cases are ordered by."""
    return 0.0 if case.margin is None else case.margin


def _case(item: EvalItem, results: Mapping[str, EvalResult]) -> Case:
    """The question of an item; `results` are the arms' on it."""
    result = results[AUGMENTED.name]
    rivals = [arm for arm in _RIVALS if arm in results]
    return Case(
        kind=label(item.kind),
        prompt=clip(item.prompt, _MOST_CHARACTERS),
        answer=clip(item.answer, _MOST_CHARACTERS),
        chosen=clip(_chosen(result, item), _MOST_CHARACTERS),
        generated=clip(result.generated.strip(), _MOST_CHARACTERS),
        right=result.correct,
        margin=_margin(result, item),
        others=[(arm, arm_class(arm), results[arm].correct) for arm in rivals],
    )


def _chosen(result: EvalResult, item: EvalItem) -> str:
    """The choice that an arm took, "" where the item has others by now."""
    if not 0 <= result.chosen < len(item.choices):
        return ""
    return item.choices[result.chosen]


def _margin(result: EvalResult, item: EvalItem) -> float | None:
    """Of the answer over the best other choice, in nats per token; None where there is no other, or
    the scores are not those of the choices.
    """
    scores = zip(result.scores, result.tokens, strict=True)
    per_token = [score / count for score, count in scores]
    if len(per_token) != len(item.choices) or item.answer not in item.choices:
        return None
    right = per_token.pop(item.choices.index(item.answer))
    if not per_token:
        return None
    return float(right - max(per_token))
