"""What the numbers say, in words that claim no more than they show. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from augmlx.core.arms import AUGMENTED, FINETUNED, REPHRASED
from augmlx.core.counting import counted
from augmlx.evaluation import ability
from augmlx.evaluation.summary import Cell, Difference, Leak
from augmlx.report import usable
from augmlx.report.evaluated import FORWARD, REVERSAL, Evaluation
from augmlx.report.text import clip, interval, label, percent, points, span

_FEWEST = 10  # questions; with fewer the intervals are so wide that overlapping says nothing
_NAMED_LEAKS = 6


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence, and what stands behind it. `tone`: gain, even, loss or none; `use`: what else
    one would know before one uses the adapter.
    """

    title: str
    detail: str
    tone: str
    use: str = ""


class Tile(NamedTuple):
    """One of the few numbers under a headline."""

    value: str
    about: str
    remark: str = ""


def deciding_kind(evaluation: Evaluation) -> str | None:
    """The kind that shows what augmentation bought: reversal, or the one with most questions other
    than forward.
    """
    ours = evaluation.arms.get(AUGMENTED.name, {})
    theirs = evaluation.arms.get(FINETUNED.name, {})
    both = [kind for kind in evaluation.kinds if kind in ours and kind in theirs]
    answered = [kind for kind in both if ours[kind].n]
    if REVERSAL in answered:
        return REVERSAL

    def weight(kind: str) -> tuple[bool, int]:
        """Forward weighs least, and then questions count."""
        is_telling = kind != FORWARD
        return is_telling, ours[kind].n

    return max(answered, key=weight, default=None)


def headline(evaluation: Evaluation | None, over: str = "") -> Headline:
    """What augmentation bought over plain fine-tuning, and over rephrasing where that control was
    run.

    A difference is called one where its paired interval excludes 0; where no paired one was
    measured, where the two 95 % intervals lie apart, which is stricter.

    Args:
        over: goes behind the counts, such as " over 3 seeds".
    """
    if evaluation is None:
        detail = "Run the evaluation to see what augmentation bought."
        return Headline("Not measured yet", detail, "none")
    kind = deciding_kind(evaluation)
    if kind is None:
        detail = (
            f"The headline compares the arms {AUGMENTED.name} and {FINETUNED.name}; this "
            "evaluation lacks one of them."
        )
        return Headline("No comparison with plain fine-tuning", detail, "none")
    ours = evaluation.arms[AUGMENTED.name][kind]
    theirs = evaluation.arms[FINETUNED.name][kind]
    difference = evaluation.difference(kind, AUGMENTED.name, FINETUNED.name)
    shown = label(kind)
    if difference is None:
        verdict = _unpaired_verdict(shown, ours, theirs)
    else:
        verdict = _paired_verdict(shown, difference, ours, theirs)
    control = evaluation.cell(REPHRASED.name, kind)
    if verdict.tone == "gain" and control is not None:
        beyond = evaluation.difference(kind, AUGMENTED.name, REPHRASED.name)
        verdict = _verdict_beside_control(shown, verdict, beyond, ours, control)
    counts = (
        f"Plain fine-tuning on the same facts answered {theirs.right} of {theirs.n} {shown} "
        f"questions{over} (95\u00a0% interval {interval(theirs)}), with augmentations "
        f"{ours.right} of {ours.n} ({interval(ours)})."
    )
    detail = f"{counts} {verdict.detail}".rstrip()
    return Headline(verdict.title, detail, verdict.tone, usable.told(evaluation))


def _paired_verdict(kind: str, row: Difference, ours: Cell, theirs: Cell) -> Headline:
    """By the interval of the difference on the same questions."""
    gap = points(row.difference)
    measured = f"The paired difference is {gap} points (95\u00a0% interval {span(row)})"
    if row.differs and row.difference > 0:
        return Headline(_lifted(kind, ours, theirs), f"{measured}.", "gain")
    if row.differs:
        return Headline(_cost(kind, ours, theirs), f"{measured}.", "loss")
    title = f"Augmentation bought nothing measurable on {kind}: {_beside(ours, theirs)}"
    detail = f"{measured}, which cannot be told from chance."
    if row.n < _FEWEST:
        detail += f" {counted(row.n, f'{kind} question')} are too few to tell."
    return Headline(title, detail, "even")


def _unpaired_verdict(kind: str, ours: Cell, theirs: Cell) -> Headline:
    """By the intervals of the two accuracies."""
    apart = "The intervals do not overlap."
    overlap = "The intervals overlap, so this may be chance."
    beside = _beside(ours, theirs)
    if ours.low > theirs.high:
        return Headline(_lifted(kind, ours, theirs), apart, "gain")
    if ours.high < theirs.low:
        return Headline(_cost(kind, ours, theirs), apart, "loss")
    if ours.n < _FEWEST:
        title = f"Too few questions to tell: {counted(ours.n, f'{kind} question')}"
        return Headline(title, "Bring more of your own with --questions.", "none")
    if ours.accuracy > theirs.accuracy:
        title = f"No clear gain from augmentation: {kind} {beside}"
        return Headline(title, overlap, "even")
    if ours.accuracy == theirs.accuracy:
        both = f"{percent(ours.accuracy)} with it and without"
        return Headline(f"Augmentation bought nothing on {kind}: {both}", "", "even")
    title = f"Augmentation bought nothing on {kind}: {beside}"
    return Headline(title, overlap, "even")


def _verdict_beside_control(
    kind: str, verdict: Headline, row: Difference | None, ours: Cell, control: Cell
) -> Headline:
    """A gain over plain fine-tuning, beside a control that only rephrases: what rephrasing brings
    as well is no gain of augmentation.
    """
    counts = (
        "A control that learnt only rephrasings, for about as many steps, answered "
        f"{control.right} of {control.n}"
    )
    if _is_ahead(row, ours, control):
        return Headline(verdict.title, f"{verdict.detail} {counts}.", "gain")
    title = (
        f"Augmentation bought nothing measurable over rephrasing: {kind} "
        f"{percent(ours.accuracy)}, against {percent(control.accuracy)}"
    )
    doubt = "and the difference cannot be told from chance."
    return Headline(title, f"{verdict.detail} {counts}, {doubt}", "even")


def _is_ahead(row: Difference | None, ours: Cell, theirs: Cell) -> bool:
    """By the paired difference, where it was measured; else by the intervals."""
    if row is None:
        return ours.low > theirs.high
    return row.differs and row.difference > 0


def _lifted(kind: str, ours: Cell, theirs: Cell) -> str:
    """The title of a gain."""
    before = percent(theirs.accuracy)
    after = percent(ours.accuracy)
    return f"Augmentation lifted {kind} accuracy from {before} to {after}"


def _cost(kind: str, ours: Cell, theirs: Cell) -> str:
    """The title of a loss."""
    before = percent(theirs.accuracy)
    after = percent(ours.accuracy)
    return f"Augmentation cost {kind} accuracy: {after}, down from {before}"


def _beside(ours: Cell, theirs: Cell) -> str:
    """ "75 %, against 60 % without"."""
    before = percent(theirs.accuracy)
    after = percent(ours.accuracy)
    return f"{after}, against {before} without"


@dataclass(frozen=True, slots=True)
class Paired:
    """How many of the same questions both arms, one, or neither got right."""

    kind: str
    both: int
    only_with: int
    only_without: int
    neither: int


def paired(evaluation: Evaluation, kinds: Sequence[str]) -> list[Paired]:
    """Per kind, how many questions only one of the two trained arms got right."""
    correct = evaluation.correct()
    tables = []
    for kind in kinds:
        by_arm: Mapping[str, Mapping[str, bool]] = correct.get(kind, {})
        ours = by_arm.get(AUGMENTED.name, {})
        theirs = by_arm.get(FINETUNED.name, {})
        common = [item_id for item_id in ours if item_id in theirs]
        pairs = [(ours[item_id], theirs[item_id]) for item_id in common]
        if pairs:
            table = Paired(
                kind=label(kind),
                both=pairs.count((True, True)),
                only_with=pairs.count((True, False)),
                only_without=pairs.count((False, True)),
                neither=pairs.count((False, False)),
            )
            tables.append(table)
    return tables


def alarms(evaluation: Evaluation | None) -> list[str]:
    """What must not be overlooked: leaked test items, and losses of general ability."""
    if evaluation is None:
        return []
    leak_alarms = []
    for kind, leak in evaluation.summary.leaks.items():
        if leak.verbatim:
            alarm = _leak_alarm(kind, leak)
            leak_alarms.append(alarm)
    regressions = evaluation.summary.regressions
    losses = [replace(loss, arm=label(loss.arm)) for loss in regressions]
    return [*leak_alarms, *ability.loss_notes(losses)]


def _leak_alarm(kind: str, leak: Leak) -> str:
    """How many questions of a kind leaked, and the first of them by id."""
    count = len(leak.verbatim)
    stand = counted(count, f"{label(kind)} question", "stands")
    names = [clip(item_id, 24) for item_id in leak.verbatim[:_NAMED_LEAKS]]
    if count > _NAMED_LEAKS:
        names.append("…")
    return (
        f"Leak: {stand} word for word in the texts that the augmented "
        f"arm was trained on ({', '.join(names)})."
    )
