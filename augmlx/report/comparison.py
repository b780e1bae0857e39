"""Several runs on one page: their arms by kind, the settings that differ, and what each took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from augmlx.core.errors import RunError
from augmlx.evaluation.summary import Cell
from augmlx.report import charts, findings
from augmlx.report.drawing import draw
from augmlx.report.evaluated import Evaluation, in_order
from augmlx.report.findings import WITH, WITHOUT, Headline
from augmlx.report.funnel import number
from augmlx.report.gather import Gathered
from augmlx.report.panels import MOST_KINDS, chosen_arms, legend
from augmlx.report.provenance import (
    memory_of,
    seconds_of,
    told_settings,
    told_stages,
    told_versions,
)
from augmlx.report.text import clip, duration, model_name

MOST_RUNS = 12
_LETTERS = "ABCDEFGHIJKL"


def render_comparison(runs: Sequence[Gathered]) -> str:
    """The page as HTML. Raises RunError where there are too few or too many runs, or one has no
    evaluation.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise RunError(
            f"{len(runs)} runs: a comparison takes 2 to {MOST_RUNS}",
            hint="name that many run folders",
        )
    for run in runs:
        if run.evaluation is None:
            raise RunError(
                f"{run.name}: this run has no evaluation to compare",
                hint="run: augmlx eval RUN, for each",
            )
    found = [run.evaluation for run in runs if run.evaluation is not None]
    names = [(letter, clip(run.name, 60)) for letter, run in zip(_LETTERS, runs, strict=False)]
    arms = chosen_arms(found)
    kinds = in_order(kind for evaluation in found for kind in evaluation.kinds)
    context = {
        "name": f"{len(runs)} runs",
        "headline": headline(found, names),
        "alarms": [
            f"{name}: {alarm}"
            for (name, _), e in zip(names, found, strict=True)
            for alarm in findings.alarms(e)
        ],
        "tiles": _tiles(found, names),
        "runs": names,
        "legend": legend(arms),
        "panels": [_panel(kind, arms, found) for kind in kinds[:MOST_KINDS]],
        "left_out": max(0, len(kinds) - MOST_KINDS),
        "numbers": _numbers(kinds[:MOST_KINDS], arms, found),
        "differences": _differences(kinds[:MOST_KINDS], found),
        "same": len({_asked(evaluation) for evaluation in found}) == 1 and bool(found[0].items),
        "settings": _settings(runs),
        "facts": _facts(runs),
    }
    return draw("runs.html", context)


def _asked(evaluation: Evaluation) -> frozenset[tuple[str, ...]]:
    """The questions themselves: two files without ids have the same ones."""
    items = evaluation.items.values()
    return frozenset((item.prompt, item.answer, *item.choices) for item in items)


def headline(found: Sequence[Evaluation], names: Sequence[tuple[str, str]]) -> Headline:
    """The augmented arm's accuracy in each run, on the kind that decides the first."""
    kind = findings.deciding_kind(found[0])
    cells = [evaluation.arms.get(WITH, {}).get(kind or "") for evaluation in found]
    known = [
        (cell, letter)
        for cell, (letter, _) in zip(cells, names, strict=True)
        if cell is not None and cell.n
    ]
    if kind is None or len(known) < len(found):
        detail = f"Not every run has the arms {WITH} and {WITHOUT} on the same kind of question."
        return Headline(f"{len(found)} runs side by side", detail, "none")
    (high, best), (low, worst) = max(known, key=_accuracy), min(known, key=_accuracy)
    shown = clip(kind, 40)
    if high.accuracy == low.accuracy:
        title = (
            f"No difference in {shown} accuracy between {len(found)} runs: "
            f"{findings.percent(high.accuracy)}"
        )
        return Headline(
            title,
            f"Every run's augmented arm answered the same share of {shown} questions.",
            "even",
        )
    title = (
        f"With augmentations, {shown} accuracy ranges from {findings.percent(low.accuracy)} to "
        f"{findings.percent(high.accuracy)}"
    )
    apart = "lie apart" if high.low > low.high else "overlap, so the order may be chance"
    detail = (
        f"Highest in run {best}: {high.right} of {high.n} (95\u00a0% interval "
        f"{findings.interval(high)}); lowest in "
        f"run {worst}: {low.right} of {low.n} ({findings.interval(low)}). These intervals {apart}."
    )
    return Headline(title, detail, "gain" if high.low > low.high else "even")


def _tiles(
    found: Sequence[Evaluation], names: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    kind = findings.deciding_kind(found[0])
    cells = [evaluation.arms.get(WITH, {}).get(kind or "") for evaluation in found]
    return [
        (
            findings.percent(cell.accuracy),
            f"{letter}\u2002{clip(name, 30)}",
            findings.interval(cell),
        )
        for cell, (letter, name) in zip(cells, names, strict=True)
        if cell is not None
    ]


def _accuracy(pair: tuple[Cell, str]) -> float:
    return pair[0].accuracy


def _panel(kind: str, arms: Sequence[str], found: Sequence[Evaluation]) -> tuple[str, object]:
    rows = []
    for arm in arms:
        first = True
        for letter, evaluation in zip(_LETTERS, found, strict=False):
            if cell := evaluation.arms.get(arm, {}).get(kind):
                label = f"{clip(arm, 20)} {letter}" if first else letter
                rows.append(charts.Bar(label, charts.arm_class(arm), cell, first))
                first = False
    of_runs = [evaluation.chance() for evaluation in found]
    chances = {round(chance[kind], 6) for chance in of_runs if kind in chance}
    return clip(kind, 40), charts.bars(
        clip(kind, 40), rows, chances.pop() if len(chances) == 1 else None
    )


def _numbers(kinds: Sequence[str], arms: Sequence[str], found: Sequence[Evaluation]) -> list[Any]:
    """(kind, arm, class, [(accuracy, interval, n) or None, one for each run])."""
    rows = []
    for kind in kinds:
        for arm in arms:
            cells = [evaluation.arms.get(arm, {}).get(kind) for evaluation in found]
            if any(cells):
                told = [
                    c and (findings.percent(c.accuracy), findings.interval(c), c.n) for c in cells
                ]
                rows.append((clip(kind, 40), clip(arm, 40), charts.arm_class(arm), told))
    return rows


def _differences(kinds: Sequence[str], found: Sequence[Evaluation]) -> list[Any]:
    """(kind, [(points, interval, differs) or None]): augmented over finetuned, paired within each
    run.
    """
    rows = []
    for kind in kinds:
        gaps = [evaluation.summary.difference(kind, WITH, WITHOUT) for evaluation in found]
        if any(gaps):
            told = [
                g and (findings.points(g.difference), findings.span(g), g.differs) for g in gaps
            ]
            rows.append((clip(kind, 40), told))
    return rows


def _settings(runs: Sequence[Gathered]) -> list[tuple[str, list[str]]]:
    """The settings in which not all runs agree."""
    tables = []
    for run in runs:
        sections = told_settings(run.settings.model_dump(mode="json")) if run.settings else []
        tables.append(
            {f"{name}.{key}": value for name, values in sections for key, value in values}
        )
    keys = list(dict.fromkeys(key for table in tables for key in table))
    rows = [(key.removeprefix("run."), [table.get(key, "–") for table in tables]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _facts(runs: Sequence[Gathered]) -> list[tuple[str, list[str]]]:
    """What each run is made of and took; rows that are empty everywhere are left out."""
    rows: dict[str, list[str]] = {}
    for place, run in enumerate(runs):
        counts = run.manifest.get("augment", {}).get("counts")
        told = {
            "model": clip(model_name(run.evaluation.summary.model), 80) if run.evaluation else "",
            "facts": f"{len(run.facts):,}",
            "augmentations kept": f"{number(counts, 'kept'):,} of {number(counts, 'produced'):,}"
            if counts
            else "",
            "optimizer steps": f"{number(run.manifest.get('train', {}).get('counts'), 'steps'):,}",
            **{f"time: {stage}": time for stage, time, _ in told_stages(run.manifest)},
            "time in all": duration(sum(seconds_of(entry) for entry in run.manifest.values())),
            "peak memory of training": memory_of(run.manifest.get("train", {})),
            **dict(told_versions(run.manifest)),
        }
        for key, value in told.items():
            rows.setdefault(key, [""] * len(runs))[place] = value
    return [(key, values) for key, values in rows.items() if any(values)]
