"""What the numbers say, in words that claim no more than they show. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from augmlx.core.arms import AUGMENTED, FINETUNED, REPHRASED
from augmlx.evaluation import ability, statistics
from augmlx.evaluation.summary import Cell, Difference
from augmlx.report.evaluated import Evaluation
from augmlx.report.text import clip

WITH, WITHOUT, CONTROL = AUGMENTED.name, FINETUNED.name, REPHRASED.name


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence, and what stands behind it. `tone`: gain, even, loss or none."""

    title: str
    detail: str
    tone: str


def percent(share: float) -> str:
    """0.8825 -> "88 %". Never rounds up to 100 or down to 0, which would claim more than was
    measured.
    """
    whole = statistics.percent(share)
    if whole >= 100 and share < 1:
        whole = 99
    return "< 1\u00a0%" if whole == 0 and share > 0 else f"{whole}\u00a0%"


def interval(cell: Cell) -> str:
    """The 95 % interval: "72 to 95 %". Its ends may round to 0 and 100."""
    return span_of(cell.low, cell.high)


def span_of(low: float, high: float) -> str:
    """The same of two shares."""
    return f"{math.floor(100 * low)} to {math.ceil(100 * high)}\u00a0%"


def points(difference: float) -> str:
    """A difference of accuracies in percentage points: 0.53 -> "+53"."""
    whole = int(math.copysign(statistics.percent(abs(difference)), difference))
    return f"{whole:+d}".replace("-", "\u2212") if whole else "0"


def span(row: Difference) -> str:
    """The interval of a difference in points: "+38 to +66". Its ends are rounded outwards."""
    low, high = math.floor(100 * row.low + 1e-9), math.ceil(100 * row.high - 1e-9)
    return f"{points(low / 100)} to {points(high / 100)}"


def deciding_kind(evaluation: Evaluation) -> str | None:
    """The kind that shows what augmentation bought: reversal, or the one with most questions other
    than forward.
    """
    ours, theirs = evaluation.arms.get(WITH, {}), evaluation.arms.get(WITHOUT, {})
    both = [kind for kind in evaluation.kinds if kind in ours and kind in theirs and ours[kind].n]
    if "reversal" in both:
        return "reversal"
    return max(both, key=lambda kind: (kind != "forward", ours[kind].n), default=None)


def headline(evaluation: Evaluation | None, over: str = "") -> Headline:
    """What augmentation bought over plain fine-tuning, and over rephrasing where that control was
    run.

    A difference is called one where its paired interval excludes 0; where no paired one was
    measured, where the two 95 % intervals lie apart, which is stricter. `over` goes behind the
    counts, such as " over 3 seeds".
    """
    if evaluation is None:
        return Headline(
            "Not measured yet", "Run the evaluation to see what augmentation bought.", "none"
        )
    kind = deciding_kind(evaluation)
    if kind is None:
        detail = (
            f"The headline compares the arms {WITH} and {WITHOUT}; this evaluation lacks one "
            f"of them."
        )
        return Headline("No comparison with plain fine-tuning", detail, "none")
    ours, theirs = evaluation.arms[WITH][kind], evaluation.arms[WITHOUT][kind]
    row, shown = evaluation.summary.difference(kind, WITH, WITHOUT), clip(kind, 40)
    title, verdict, tone = (
        _unpaired(shown, ours, theirs) if row is None else _paired(shown, row, ours, theirs)
    )
    if tone == "gain" and (control := evaluation.arms.get(CONTROL, {}).get(kind)):
        beaten = _ahead(evaluation.summary.difference(kind, WITH, CONTROL), ours, control)
        verdict += (
            f" A control that learnt only rephrasings, for about as many steps, answered "
            f"{control.right} of {control.n}"
        )
        verdict += "." if beaten else ", and the difference cannot be told from chance."
        if not beaten:
            title = (
                f"Augmentation bought nothing measurable over rephrasing: {shown} "
                f"{percent(ours.accuracy)}, "
                f"against {percent(control.accuracy)}"
            )
            tone = "even"
    detail = (
        f"Plain fine-tuning on the same facts answered {theirs.right} of {theirs.n} {shown} "
        f"questions{over} "
        f"(95\u00a0% interval {interval(theirs)}), with augmentations {ours.right} of {ours.n} "
        f"({interval(ours)}). "
        f"{verdict}"
    )
    return Headline(title, detail.rstrip(), tone)


FEWEST = 10  # questions; with fewer the intervals are so wide that overlapping says nothing


def _ahead(row: Difference | None, ours: Cell, theirs: Cell) -> bool:
    return ours.low > theirs.high if row is None else row.differs and row.difference > 0


def _paired(kind: str, row: Difference, ours: Cell, theirs: Cell) -> tuple[str, str, str]:
    before, after = percent(theirs.accuracy), percent(ours.accuracy)
    told = (
        f"The paired difference is {points(row.difference)} points (95\u00a0% interval {span(row)})"
    )
    if row.differs and row.difference > 0:
        return f"Augmentation lifted {kind} accuracy from {before} to {after}", f"{told}.", "gain"
    if row.differs:
        return f"Augmentation cost {kind} accuracy: {after}, down from {before}", f"{told}.", "loss"
    few = f" {_counted(row.n, kind)} are too few to tell." if row.n < FEWEST else ""
    title = f"Augmentation bought nothing measurable on {kind}: {after}, against {before} without"
    return title, f"{told}, which cannot be told from chance.{few}", "even"


def _unpaired(kind: str, ours: Cell, theirs: Cell) -> tuple[str, str, str]:
    before, after = percent(theirs.accuracy), percent(ours.accuracy)
    apart = "The intervals do not overlap."
    if ours.low > theirs.high:
        return f"Augmentation lifted {kind} accuracy from {before} to {after}", apart, "gain"
    if ours.high < theirs.low:
        return f"Augmentation cost {kind} accuracy: {after}, down from {before}", apart, "loss"
    if ours.n < FEWEST:
        title = f"Too few questions to tell: {_counted(ours.n, kind)}"
        return title, "Bring more of your own with --questions.", "none"
    overlap = "The intervals overlap, so this may be chance."
    if ours.accuracy > theirs.accuracy:
        return (
            f"No clear gain from augmentation: {kind} {after}, against {before} without",
            overlap,
            "even",
        )
    if ours.accuracy == theirs.accuracy:
        return f"Augmentation bought nothing on {kind}: {after} with it and without", "", "even"
    return (
        f"Augmentation bought nothing on {kind}: {after}, against {before} without",
        overlap,
        "even",
    )


def _counted(n: int, kind: str) -> str:
    return f"{n} {kind} question{'' if n == 1 else 's'}"


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
    correct = evaluation.correct()
    for kind in kinds:
        arms: Mapping[str, Mapping[str, bool]] = correct.get(kind, {})
        ours, theirs = arms.get(WITH, {}), arms.get(WITHOUT, {})
        pairs = [(ours[item], theirs[item]) for item in ours if item in theirs]
        if pairs:
            counts = [
                pairs.count(pair)
                for pair in ((True, True), (True, False), (False, True), (False, False))
            ]
            tables.append(Paired(clip(kind, 40), *counts))
    return tables


def alarms(evaluation: Evaluation | None) -> list[str]:
    """What must not be overlooked: leaked test items, and losses of general ability."""
    if evaluation is None:
        return []
    told = []
    for kind, leak in evaluation.summary.leaks.items():
        if count := len(leak.verbatim):
            stand = "question stands" if count == 1 else "questions stand"
            named = ", ".join(clip(item, 24) for item in leak.verbatim[:6])
            told.append(
                f"Leak: {count} {clip(kind, 40)} {stand} word for word in the texts that the "
                f"augmented arm was trained on ({named}{', …' if count > 6 else ''})."
            )
    losses = [replace(loss, arm=clip(loss.arm, 40)) for loss in evaluation.summary.regressions]
    return [*told, *ability.loss_notes(losses)]
