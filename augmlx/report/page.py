"""The page of one run."""

from __future__ import annotations

from typing import Any

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.records import Json
from augmlx.report import curves, findings
from augmlx.report.cases import build_cases
from augmlx.report.colours import arm_class, kind_class
from augmlx.report.drawing import draw
from augmlx.report.evaluated import FORWARD, REVERSAL, Evaluation
from augmlx.report.export_table import export_rows
from augmlx.report.findings import Tile
from augmlx.report.funnel import build_funnel, build_missing
from augmlx.report.gather import Gathered
from augmlx.report.manifest import count_of, counts_of, memory_of, total_seconds
from augmlx.report.panels import MOST_KINDS, evaluation_panels
from augmlx.report.provenance import setting_sections, stage_rows, version_rows
from augmlx.report.samples import augmentations, build_samples
from augmlx.report.text import duration, label, percent

Row = tuple[str, str]  # (what it is, value)
_TILE_KINDS = (FORWARD, REVERSAL)
_COUNTS = {
    "examples": "training examples",
    "originals": "original facts",
    "augmentations": "augmentations",
    "steps": "optimizer steps",
    "tokens": "tokens trained on",
}


def render(gathered: Gathered) -> str:
    """The whole page as HTML."""
    context = {
        "name": gathered.name,
        "headline": findings.headline(gathered.evaluation),
        "tiles": _tiles(gathered),
        "alarms": findings.alarms(gathered.evaluation),
        "funnel": build_funnel(gathered),
        "missing": build_missing(gathered),
        "exports": export_rows(gathered.manifest),
        "settings": setting_sections(gathered.settings_as_json),
        "stages": stage_rows(gathered.manifest),
        "versions": version_rows(gathered.manifest),
        **_evaluation_context(gathered),
        **_training_context(gathered),
        **_samples_context(gathered),
    }
    return draw("run.html", context, script=True)


def _evaluation_context(gathered: Gathered) -> dict[str, Any]:
    evaluation = gathered.evaluation
    if evaluation is None:
        return {"evaluation": None, "cases": None}
    chance = None if gathered.settings is None else 1 / gathered.settings.eval.choices
    return {
        "evaluation": evaluation_panels(evaluation, chance),
        "cases": build_cases(evaluation),
    }


def _training_context(gathered: Gathered) -> dict[str, Any]:
    metrics = gathered.training
    loss_lines = []
    for arm, curve in metrics.loss.items():
        _, last_loss = curve[-1]
        loss_lines.append((arm, arm_class(arm), last_loss))
    lowest = min(((loss, step) for step, loss in metrics.valid_loss), default=None)
    return {
        "loss": curves.loss_plot(metrics.loss, metrics.valid_loss) if metrics.loss else None,
        "loss_lines": loss_lines,
        "valid_best": lowest,
        "validation": _validation(gathered),
        "training": _training_rows(gathered),
    }


def _samples_context(gathered: Gathered) -> dict[str, Any]:
    samples = build_samples(gathered)
    return {
        "samples": samples,
        "produced": len(augmentations(gathered.kept)) + len(gathered.rejected),
        "operators": sorted({sample.operator for sample in samples}),
        "dropped_shown": sum(1 for sample in samples if sample.by),
    }


def _tiles(gathered: Gathered) -> list[Tile]:
    """The few numbers under the headline."""
    tiles = [] if gathered.evaluation is None else _accuracy_tiles(gathered.evaluation)
    if gathered.facts:
        tiles.append(Tile(f"{len(gathered.facts):,}", "facts"))
    counts = counts_of(gathered.manifest, "augment")
    if counts:
        kept = count_of(counts, "kept")
        produced = count_of(counts, "produced")
        tiles.append(Tile(f"{kept:,}", "augmentations kept", f"of {produced:,} generated"))
    seconds = total_seconds(gathered.manifest)
    if seconds:
        tiles.append(Tile(duration(seconds), "from facts to here", "on this machine, offline"))
    return tiles


def _accuracy_tiles(evaluation: Evaluation) -> list[Tile]:
    """The augmented arm beside the base model."""
    tiles = []
    for kind in _TILE_KINDS:
        cell = evaluation.cell(AUGMENTED.name, kind)
        base = evaluation.cell(BASE.name, kind)
        if cell is not None:
            remark = "" if base is None else f"base model {percent(base.accuracy)}"
            tile = Tile(percent(cell.accuracy), f"{kind} accuracy", remark)
            tiles.append(tile)
    return tiles


def _validation(gathered: Gathered) -> dict[str, Any] | None:
    """The course of the accuracy on held-out questions, where it was measured during training."""
    metrics = gathered.training
    kinds = list(metrics.valid_accuracy)[:MOST_KINDS]
    if not kinds:
        return None
    lines = {label(kind): metrics.valid_accuracy[kind] for kind in kinds}
    legend = []
    for index, kind in enumerate(lines):
        _, last_accuracy = lines[kind][-1]
        legend.append((kind, kind_class(index), last_accuracy))
    return {
        "plot": curves.accuracy_plot(lines, metrics.last_step),
        "lines": legend,
    }


def _training_rows(gathered: Gathered) -> list[Row]:
    """How the augmented arm was trained."""
    entry = gathered.manifest.get("train", {})
    counts = entry.get("counts")
    rows: list[Row] = []
    if gathered.settings is not None and entry:
        config = gathered.settings.train
        rows += [("method", config.method), ("optimizer", config.optimizer)]
        rows.append(("schedule", config.schedule))
    for key, about in _COUNTS.items():
        count = count_of(counts, key)
        if count:
            rows.append((about, f"{count:,}"))
    if isinstance(counts, dict):
        rows += _outcome_rows(counts)
    if gathered.training.speed is not None:
        rows.append(("tokens a second", f"{gathered.training.speed:,.0f}"))
    memory = memory_of(entry)
    if memory:
        rows.append(("peak memory", memory))
    return rows


def _outcome_rows(counts: Json) -> list[Row]:
    """What only some trainings have: padding, a best step, an early end."""
    rows = []
    padding = counts.get("padding")
    if isinstance(padding, (int, float)):
        rows.append(("padding", percent(padding)))
    best = counts.get("best")
    if isinstance(best, dict):
        rows.append(("kept: the best step", _best_step(best)))
    if counts.get("stopped") is True:
        rows.append(("ended", "early, for it got no better"))
    return rows


def _best_step(best: Json) -> str:
    """The step with what made it the best: "1,200, loss 0.512"."""
    parts = [f"{count_of(best, 'step'):,}"]
    loss = best.get("loss")
    if isinstance(loss, (int, float)):
        parts.append(f"loss {loss:.3f}")
    accuracy = best.get("accuracy")
    if isinstance(accuracy, (int, float)):
        parts.append(f"{percent(accuracy)} right")
    divergence = best.get("divergence")
    if isinstance(divergence, (int, float)):
        parts.append(f"{divergence:.3f} nats from the base model")
    return ", ".join(parts)
