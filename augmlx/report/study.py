"""The page of a study: a world whose truth is known, trained and asked over several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augmlx.core.arms import AUGMENTED, FINETUNED, ICL
from augmlx.core.errors import RunError
from augmlx.core.records import Json
from augmlx.report import charts, findings
from augmlx.report.drawing import draw
from augmlx.report.evaluated import Evaluation, read_evaluation
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
    found = read_evaluation(folder, _REMEDY)
    if found is None:
        raise RunError(
            f"{folder}: the study has no results yet",
            hint=f"go on with: {_REMEDY}, with the same settings",
        )
    summary = folder / "summary.json"
    with shape(summary, _REMEDY):
        return draw("study.html", _context(folder, study, dict(json_of(summary)), found))


def _context(folder: Path, study: Json, summary: Json, found: Evaluation) -> dict[str, Any]:
    world = str(summary.get("world", study.get("world", "")))
    seeds = [int(seed) for seed in summary.get("seeds") or study.get("seeds") or ()]
    over = f" over {len(seeds)} seeds" if len(seeds) > 1 else ""
    known = precision(found.precision)
    settings = study.get("settings")
    return {
        "name": f"{clip(world, 40)} · {folder.resolve().name}",
        "headline": findings.headline(found, over),
        "alarms": findings.alarms(found),
        "tiles": _tiles(found, summary, len(seeds), known),
        "world": clip(world, 40),
        "about": clip(str(summary.get("about", "")), 500),
        "evaluation": evaluation_panels(found, None),
        "precision": known,
        "pooled": "seeds and facts" if len(seeds) > 1 else "facts",
        "facts": _facts(study, summary, seeds),
        "seeds": _seeds(found, seeds),
        "settings": told_settings(settings) if isinstance(settings, Mapping) else [],
    }


def _tiles(
    found: Evaluation, summary: Json, seeds: int, known: Mapping[str, Any] | None
) -> list[tuple[str, str, str]]:
    tiles = []
    kind = findings.deciding_kind(found)
    if kind is not None:
        cells = {
            arm: found.arms.get(arm, {}).get(kind)
            for arm in (AUGMENTED.name, FINETUNED.name, ICL.name)
        }
        tiles += [
            (findings.percent(cell.accuracy), f"{arm}, {clip(kind, 24)}", findings.interval(cell))
            for arm, cell in cells.items()
            if cell
        ]
    if known is not None:
        tiles.append(
            (findings.percent(known["share"]), "precision", "of what was kept and can be judged")
        )
    if isinstance(summary.get("facts"), int):
        tiles.append((f"{summary['facts']:,}", "facts", ""))
    tiles.append((f"{seeds:,}", "seed" if seeds == 1 else "seeds", ""))
    return tiles


def _facts(study: Json, summary: Json, seeds: list[int]) -> list[tuple[str, str]]:
    rows = [("size", summary.get("size", study.get("size"))), ("model", summary.get("model"))]
    told = [(label, clip(model_name(str(value)), 80)) for label, value in rows if value is not None]
    return [*told, ("seeds", clip(", ".join(map(str, seeds)), 80))]


def _seeds(found: Evaluation, seeds: list[int]) -> dict[str, Any] | None:
    """Accuracy of every seed by arm, on the kind that decides and on every other."""
    rows = []
    for kind in found.kinds:
        for arm, cells in found.arms.items():
            if (cell := cells.get(kind)) and len(cell.seeds) == len(seeds):
                values = [findings.percent(share) for share in cell.seeds[:_MOST_SEEDS]]
                rows.append((clip(kind, 40), clip(arm, 40), charts.arm_class(arm), values))
    return (
        {"names": [f"seed-{seed}" for seed in seeds[:_MOST_SEEDS]], "rows": rows[:120]}
        if rows
        else None
    )
