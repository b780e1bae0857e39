"""Several runs on one page: their arms by kind, the settings that differ, and what each took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from augmlx.core.arms import AUGMENTED, FINETUNED
from augmlx.core.errors import RunError
from augmlx.evaluation.summary import Cell
from augmlx.report import charts, findings
from augmlx.report.colours import arm_class
from augmlx.report.drawing import draw
from augmlx.report.evaluated import Evaluation, in_order
from augmlx.report.findings import Headline, Tile
from augmlx.report.gather import Gathered
from augmlx.report.panels import MOST_KINDS, chosen_arms, legend
from augmlx.report.run_values import differing_settings, fact_rows
from augmlx.report.text import (
    clip,
    interval,
    label,
    percent,
    points,
    span,
)

_LETTERS = "ABCDEFGHIJKL"
_MOST_RUNS = len(_LETTERS)
Name = tuple[str, str]  # (letter, title) of a run


class NumberRow(NamedTuple):
    """An arm on a kind: (accuracy, interval, questions) for each run, None where it lacks it."""

    kind: str
    arm: str
    style: str
    numbers: list[tuple[str, str, int] | None]


class GapRow(NamedTuple):
    """A kind: (points, interval, differs) for each run, None where it was not measured."""

    kind: str
    gaps: list[tuple[str, str, bool] | None]


def render_comparison(runs: Sequence[Gathered]) -> str:
    """The page as HTML.

    Raises:
        RunError: there are too few or too many runs, or one has no evaluation.
    """
    evaluations = _evaluations(runs)
    names = [(letter, clip(run.name, 60)) for letter, run in zip(_LETTERS, runs, strict=False)]
    arms = chosen_arms(evaluations)
    all_kinds = in_order(kind for evaluation in evaluations for kind in evaluation.kinds)
    kinds = all_kinds[:MOST_KINDS]
    context = {
        "name": f"{len(runs)} runs",
        "headline": _headline(evaluations),
        "alarms": _alarms(evaluations),
        "tiles": _tiles(evaluations, names),
        "runs": names,
        "legend": legend(arms),
        "panels": [_panel(kind, arms, evaluations) for kind in kinds],
        "left_out": len(all_kinds) - len(kinds),
        "numbers": _number_rows(kinds, arms, evaluations),
        "differences": _difference_rows(kinds, evaluations),
        "same": _have_the_same_questions(evaluations),
        "settings": differing_settings(runs),
        "facts": fact_rows(runs),
    }
    return draw("runs.html", context)


def _evaluations(runs: Sequence[Gathered]) -> list[Evaluation]:
    if not 2 <= len(runs) <= _MOST_RUNS:
        fault = f"{len(runs)} runs: a comparison takes 2 to {_MOST_RUNS}"
        raise RunError(fault, hint="name that many run folders")
    evaluations = []
    for run in runs:
        if run.evaluation is None:
            fault = f"{run.name}: this run has no evaluation to compare"
            raise RunError(fault, hint="run: augmlx eval RUN, for each")
        evaluations.append(run.evaluation)
    return evaluations


def _have_the_same_questions(evaluations: Sequence[Evaluation]) -> bool:
    """Whether all runs were asked the same questions, as far as these are at hand."""
    first = _questions(evaluations[0])
    if not first:
        return False
    return all(_questions(evaluation) == first for evaluation in evaluations)


def _questions(evaluation: Evaluation) -> set[tuple[str, ...]]:
    """The questions themselves: two files without ids have the same ones."""
    questions = set()
    for item in evaluation.items.values():
        question = (item.prompt, item.answer, *item.choices)
        questions.add(question)
    return questions


def _alarms(evaluations: Sequence[Evaluation]) -> list[str]:
    """Of all runs, each behind the letter of its run."""
    alarms = []
    for letter, evaluation in zip(_LETTERS, evaluations, strict=False):
        alarms += [f"{letter}: {alarm}" for alarm in findings.alarms(evaluation)]
    return alarms


def _deciding_cells(evaluations: Sequence[Evaluation]) -> list[Cell | None]:
    """The augmented arm's of each run, on the kind that decides the first."""
    kind = findings.deciding_kind(evaluations[0])
    if kind is None:
        return [None] * len(evaluations)
    return [evaluation.cell(AUGMENTED.name, kind) for evaluation in evaluations]


def _headline(evaluations: Sequence[Evaluation]) -> Headline:
    """The augmented arm's accuracy in each run, on the kind that decides the first."""
    count = len(evaluations)
    kind = findings.deciding_kind(evaluations[0])
    cells = zip(_LETTERS, _deciding_cells(evaluations), strict=False)
    answered = [(letter, cell) for letter, cell in cells if cell is not None and cell.n]
    if kind is None or len(answered) < count:
        detail = (
            f"Not every run has the arms {AUGMENTED.name} and {FINETUNED.name} on the same kind of "
            "question."
        )
        return Headline(f"{count} runs side by side", detail, "none")
    best, highest = max(answered, key=lambda pair: pair[1].accuracy)
    worst, lowest = min(answered, key=lambda pair: pair[1].accuracy)
    shown = label(kind)
    if highest.accuracy == lowest.accuracy:
        title = (
            f"No difference in {shown} accuracy between {count} runs: {percent(highest.accuracy)}"
        )
        detail = f"Every run's augmented arm answered the same share of {shown} questions."
        return Headline(title, detail, "even")
    title = (
        f"With augmentations, {shown} accuracy ranges from {percent(lowest.accuracy)} to "
        f"{percent(highest.accuracy)}"
    )
    lie_apart = highest.low > lowest.high
    apart = "lie apart" if lie_apart else "overlap, so the order may be chance"
    detail = (
        f"Highest in run {best}: {highest.right} of {highest.n} (95\u00a0% interval "
        f"{interval(highest)}); lowest in run {worst}: {lowest.right} of {lowest.n} "
        f"({interval(lowest)}). These intervals {apart}."
    )
    return Headline(title, detail, "gain" if lie_apart else "even")


def _tiles(evaluations: Sequence[Evaluation], names: Sequence[Name]) -> list[Tile]:
    """The augmented arm's accuracy in each run."""
    cells = _deciding_cells(evaluations)
    tiles = []
    for cell, (letter, title) in zip(cells, names, strict=True):
        if cell is not None:
            tile = Tile(
                value=percent(cell.accuracy),
                about=f"{letter}\u2002{clip(title, 30)}",
                remark=interval(cell),
            )
            tiles.append(tile)
    return tiles


def _panel(kind: str, arms: Sequence[str], evaluations: Sequence[Evaluation]) -> tuple[str, Markup]:
    """(kind, picture): a group of bars for each arm, a bar for each run."""
    bars = []
    for arm in arms:
        opens_group = True
        for letter, evaluation in zip(_LETTERS, evaluations, strict=False):
            cell = evaluation.cell(arm, kind)
            if cell is not None:
                name = f"{clip(arm, 20)} {letter}" if opens_group else letter
                bar = charts.Bar(name, arm_class(arm), cell, opens_group)
                bars.append(bar)
                opens_group = False
    svg = charts.bars(label(kind), bars, _common_chance(kind, evaluations))
    return label(kind), svg


def _common_chance(kind: str, evaluations: Sequence[Evaluation]) -> float | None:
    """None where the runs differ, or do not tell it."""
    different = set()
    for evaluation in evaluations:
        chances = evaluation.chance()
        if kind in chances:
            different.add(round(chances[kind], 6))
    if len(different) != 1:
        return None
    return different.pop()


def _number_rows(
    kinds: Sequence[str], arms: Sequence[str], evaluations: Sequence[Evaluation]
) -> list[NumberRow]:
    """Of every kind and arm that some run has."""
    rows = []
    for kind in kinds:
        for arm in arms:
            cells = [evaluation.cell(arm, kind) for evaluation in evaluations]
            if any(cells):
                row = NumberRow(
                    kind=label(kind),
                    arm=label(arm),
                    style=arm_class(arm),
                    numbers=[_numbers(cell) for cell in cells],
                )
                rows.append(row)
    return rows


def _numbers(cell: Cell | None) -> tuple[str, str, int] | None:
    """(accuracy, its interval, questions)."""
    if cell is None:
        return None
    accuracy = percent(cell.accuracy)
    return accuracy, interval(cell), cell.n


def _difference_rows(kinds: Sequence[str], evaluations: Sequence[Evaluation]) -> list[GapRow]:
    """What the augmented arm is ahead of plain fine-tuning, paired within each run."""
    rows = []
    for kind in kinds:
        gaps = [_gap(evaluation, kind) for evaluation in evaluations]
        if any(gaps):
            row = GapRow(label(kind), gaps)
            rows.append(row)
    return rows


def _gap(evaluation: Evaluation, kind: str) -> tuple[str, str, bool] | None:
    """(points, their interval, whether that excludes 0)."""
    row = evaluation.difference(kind, AUGMENTED.name, FINETUNED.name)
    if row is None:
        return None
    gap = points(row.difference)
    return gap, span(row), row.differs
