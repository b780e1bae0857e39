"""The page of a study: a world whose truth is known, trained and asked over several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from augmlx.core.arms import AUGMENTED, FINETUNED, ICL
from augmlx.core.counting import noun_of
from augmlx.core.errors import RunError
from augmlx.core.records import Json
from augmlx.evaluation.summary import StudySummary, read_study
from augmlx.report import findings
from augmlx.report.colours import arm_class
from augmlx.report.drawing import draw
from augmlx.report.evaluated import Evaluation, seed_accuracies
from augmlx.report.findings import Tile
from augmlx.report.panels import evaluation_panels, precision
from augmlx.report.provenance import setting_sections
from augmlx.report.reading import json_of, shape
from augmlx.report.text import clip, interval, label, model_name, percent

_REMEDY = "augmlx study WORLD -o RUN"
_MOST_SEEDS = 20
_MOST_SEED_ROWS = 120
_TILE_ARMS = (AUGMENTED, FINETUNED, ICL)


class SeedRow(NamedTuple):
    """The accuracy of an arm on a kind in each seed."""

    kind: str
    arm: str
    style: str
    shares: list[str]


def _study_file(folder: Path) -> Path:
    return folder / "study.json"


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study."""
    return _study_file(folder).is_file()


def render_study(folder: Path) -> str:
    """The page of a study folder as HTML.

    Raises:
        RunError: there is no study in the folder, it has not been evaluated, or a file is not as
            augmlx writes it.
    """
    if not is_study(folder):
        raise RunError(f"{folder}: no study here", hint=f"make one with: {_REMEDY}")
    path = _study_file(folder)
    with shape(path, _REMEDY):
        study: Json = dict(json_of(path))
    settings = study.get("settings")
    summary = read_study(folder)
    context = {
        "name": f"{label(summary.world)} · {folder.resolve().name}",
        "settings": setting_sections(settings) if isinstance(settings, Mapping) else [],
        **_context(summary),
    }
    return draw("study.html", context)


def _context(summary: StudySummary) -> dict[str, Any]:
    evaluation = Evaluation(summary)
    count = len(summary.seeds)
    over = f" over {count} seeds" if count > 1 else ""
    return {
        "headline": findings.headline(evaluation, over),
        "alarms": findings.alarms(evaluation),
        "tiles": _tiles(evaluation, summary),
        "world": label(summary.world),
        "about": clip(summary.about, 500),
        "evaluation": evaluation_panels(evaluation, None),
        "precision": precision(summary.precision),
        "pooled": "seeds and facts" if count > 1 else "facts",
        "facts": _fact_rows(summary),
        "seeds": _seed_table(evaluation, summary.seeds),
    }


def _tiles(evaluation: Evaluation, summary: StudySummary) -> list[Tile]:
    """The few numbers under the headline."""
    tiles = _accuracy_tiles(evaluation)
    counts = summary.precision
    if counts.judged:
        share = percent(counts.right / counts.judged)
        tiles.append(Tile(share, "precision", "of what was kept and can be judged"))
    tiles.append(Tile(f"{summary.facts:,}", "facts"))
    seeds = len(summary.seeds)
    tiles.append(Tile(f"{seeds:,}", noun_of(seeds, "seed")))
    return tiles


def _accuracy_tiles(evaluation: Evaluation) -> list[Tile]:
    """The arms that matter most, on the kind that decides."""
    kind = findings.deciding_kind(evaluation)
    if kind is None:
        return []
    tiles = []
    for arm in _TILE_ARMS:
        cell = evaluation.cell(arm.name, kind)
        if cell is not None:
            tile = Tile(
                value=percent(cell.accuracy),
                about=f"{arm.name}, {clip(kind, 24)}",
                remark=interval(cell),
            )
            tiles.append(tile)
    return tiles


def _fact_rows(summary: StudySummary) -> list[tuple[str, str]]:
    """(what the world is made of, value)."""
    model = model_name(summary.model)
    seeds = ", ".join(map(str, summary.seeds))
    return [
        ("size", clip(summary.size, 80)),
        ("model", clip(model, 80)),
        ("seeds", clip(seeds, 80)),
    ]


def _seed_table(evaluation: Evaluation, seeds: Sequence[int]) -> dict[str, Any] | None:
    """Accuracy of every seed by kind and arm; None where no summary tells it."""
    rows = []
    for kind in evaluation.kinds:
        for arm, cells in evaluation.arms.items():
            shares = seed_accuracies(cells[kind]) if kind in cells else []
            if len(shares) != len(seeds):
                continue
            row = SeedRow(
                kind=label(kind),
                arm=label(arm),
                style=arm_class(arm),
                shares=[percent(share) for share in shares[:_MOST_SEEDS]],
            )
            rows.append(row)
    if not rows:
        return None
    names = [f"seed-{seed}" for seed in seeds[:_MOST_SEEDS]]
    return {"names": names, "rows": rows[:_MOST_SEED_ROWS]}
