"""The page of a study: a world whose truth is known, trained and asked over several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augmlx.core.arms import AUGMENTED, FINETUNED, ICL
from augmlx.core.errors import RunError
from augmlx.core.records import Json
from augmlx.evaluation.summary import StudySummary, read_study
from augmlx.report import charts, findings
from augmlx.report.drawing import draw
from augmlx.report.evaluated import Evaluation
from augmlx.report.panels import evaluation_panels, precision
from augmlx.report.provenance import told_settings
from augmlx.report.reading import json_of, shape
from augmlx.report.text import clip, model_name

_REMEDY = "augmlx study WORLD -o RUN"
_MOST_SEEDS = 20


def is_study(folder: Path) -> bool:
    return (folder / "study.json").is_file()


def render_study(folder: Path) -> str:
    """The page of a study folder as HTML.

    Raises:
        RunError: there is no study in the folder, it has not been evaluated, or a file is not as
            augmlx writes it.
    """
    path = folder / "study.json"
    if not is_study(folder):
        raise RunError(f"{folder}: no study here", hint=f"make one with: {_REMEDY}")
    with shape(path, _REMEDY):
        study: Json = dict(json_of(path))
    summary = read_study(folder)
    return draw("study.html", _context(folder, summary, study.get("settings")))


def _context(folder: Path, summary: StudySummary, settings: object) -> dict[str, Any]:
    found = Evaluation(summary)
    count = len(summary.seeds)
    over = f" over {count} seeds" if count > 1 else ""
    known = precision(summary.precision)
    return {
        "name": f"{clip(summary.world, 40)} · {folder.resolve().name}",
        "headline": findings.headline(found, over),
        "alarms": findings.alarms(found),
        "tiles": _tiles(found, summary, known),
        "world": clip(summary.world, 40),
        "about": clip(summary.about, 500),
        "evaluation": evaluation_panels(found, None),
        "precision": known,
        "pooled": "seeds and facts" if count > 1 else "facts",
        "facts": _facts(summary),
        "seeds": _seeds(found, summary.seeds),
        "settings": told_settings(settings) if isinstance(settings, Mapping) else [],
    }


def _tiles(
    found: Evaluation, summary: StudySummary, known: Mapping[str, Any] | None
) -> list[tuple[str, str, str]]:
    tiles = []
    kind = findings.deciding_kind(found)
    if kind is not None:
        cells = {arm: summary.cell(arm, kind) for arm in (AUGMENTED.name, FINETUNED.name, ICL.name)}
        tiles += [
            (findings.percent(cell.accuracy), f"{arm}, {clip(kind, 24)}", findings.interval(cell))
            for arm, cell in cells.items()
            if cell
        ]
    if known is not None:
        tiles.append(
            (findings.percent(known["share"]), "precision", "of what was kept and can be judged")
        )
    tiles.append((f"{summary.facts:,}", "facts", ""))
    count = len(summary.seeds)
    tiles.append((f"{count:,}", "seed" if count == 1 else "seeds", ""))
    return tiles


def _facts(summary: StudySummary) -> list[tuple[str, str]]:
    return [
        ("size", clip(str(summary.size), 80)),
        ("model", clip(model_name(summary.model), 80)),
        ("seeds", clip(", ".join(map(str, summary.seeds)), 80)),
    ]


def _seeds(found: Evaluation, seeds: Sequence[int]) -> dict[str, Any] | None:
    """Accuracy of every seed by arm, on the kind that decides and on every other."""
    rows = []
    for kind in found.kinds:
        for arm, cells in found.arms.items():
            shares = charts.seed_accuracies(cells[kind]) if kind in cells else []
            if len(shares) == len(seeds):
                values = [findings.percent(share) for share in shares[:_MOST_SEEDS]]
                rows.append((clip(kind, 40), clip(arm, 40), charts.arm_class(arm), values))
    if not rows:
        return None
    return {"names": [f"seed-{seed}" for seed in seeds[:_MOST_SEEDS]], "rows": rows[:120]}
