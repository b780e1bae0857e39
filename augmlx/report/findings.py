"""What the numbers say, in words that claim no more than they show. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from augmlx.evaluation import statistics
from augmlx.report.gather import Cell, Evaluation
from augmlx.report.text import clip

WITH, WITHOUT = "augmented", "finetuned"


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence, and what stands behind it. `tone`: gain, even, loss or none."""

    title: str
    detail: str
    tone: str


def percent(share: float) -> str:
    """0.8825 -> "88 %". Never rounds up to 100 or down to 0, which would claim more than was measured."""
    whole = statistics.percent(share)
    if whole >= 100 and share < 1:
        whole = 99
    return "< 1\u00a0%" if whole == 0 and share > 0 else f"{whole}\u00a0%"


def interval(cell: Cell) -> str:
    """The 95 % interval: "72 to 95 %". Its ends may round to 0 and 100."""
    return f"{math.floor(100 * cell.low)} to {math.ceil(100 * cell.high)}\u00a0%"


def deciding_kind(evaluation: Evaluation) -> str | None:
    """The kind that shows what augmentation bought: reversal, or the one with most questions other than forward."""
    ours, theirs = evaluation.arms.get(WITH, {}), evaluation.arms.get(WITHOUT, {})
    both = [kind for kind in evaluation.kinds if kind in ours and kind in theirs and ours[kind].n]
    if "reversal" in both:
        return "reversal"
    return max(both, key=lambda kind: (kind != "forward", ours[kind].n), default=None)


def headline(evaluation: Evaluation | None) -> Headline:
    """What augmentation bought over plain fine-tuning.

    A difference is called one only where the two 95 % intervals lie apart, which is stricter than a paired test.
    """
    if evaluation is None:
        return Headline("Not measured yet", "Run the evaluation to see what augmentation bought.", "none")
    kind = deciding_kind(evaluation)
    if kind is None:
        detail = f"The headline compares the arms {WITH} and {WITHOUT}; this evaluation lacks one of them."
        return Headline("No comparison with plain fine-tuning", detail, "none")
    ours, theirs = evaluation.arms[WITH][kind], evaluation.arms[WITHOUT][kind]
    kind = clip(kind, 40)
    title, verdict, tone = _verdict(kind, ours, theirs)
    detail = (
        f"Plain fine-tuning on the same facts answered {theirs.right} of {theirs.n} {kind} questions "
        f"(95\u00a0% interval {interval(theirs)}), with augmentations {ours.right} of {ours.n} ({interval(ours)}). "
        f"{verdict}"
    )
    return Headline(title, detail, tone)


FEWEST = 10  # questions; with fewer the intervals are so wide that overlapping says nothing


def _verdict(kind: str, ours: Cell, theirs: Cell) -> tuple[str, str, str]:
    before, after = percent(theirs.accuracy), percent(ours.accuracy)
    if ours.low > theirs.high:
        return f"Augmentation lifted {kind} accuracy from {before} to {after}", "The intervals do not overlap.", "gain"
    if ours.high < theirs.low:
        return (
            f"Augmentation cost {kind} accuracy: {after}, down from {before}",
            "The intervals do not overlap.",
            "loss",
        )
    if ours.n < FEWEST:
        questions = f"{ours.n} {kind} question{'' if ours.n == 1 else 's'}"
        return f"Too few questions to tell: {questions}", "Bring more of your own with --questions.", "none"
    overlap = "The intervals overlap, so this may be chance."
    if ours.accuracy > theirs.accuracy:
        return f"No clear gain from augmentation: {kind} {after}, against {before} without", overlap, "even"
    if ours.accuracy == theirs.accuracy:
        return f"Augmentation bought nothing on {kind}: {after} with it and without", "", "even"
    return f"Augmentation bought nothing on {kind}: {after}, against {before} without", overlap, "even"


@dataclass(frozen=True, slots=True)
class Paired:
    """The same questions under both arms."""

    kind: str
    both: int
    only_with: int
    only_without: int
    neither: int


def paired(evaluation: Evaluation, kinds: Sequence[str]) -> list[Paired]:
    """Per kind, how many questions only one of the two trained arms got right."""
    tables = []
    for kind in kinds:
        arms: Mapping[str, Mapping[str, bool]] = evaluation.correct.get(kind, {})
        ours, theirs = arms.get(WITH, {}), arms.get(WITHOUT, {})
        pairs = [(ours[item], theirs[item]) for item in ours if item in theirs]
        if pairs:
            counts = [pairs.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))]
            tables.append(Paired(clip(kind, 40), *counts))
    return tables
