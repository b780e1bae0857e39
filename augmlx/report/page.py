"""The page of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import escape

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.example_id import ORIGINAL
from augmlx.core.records import Json
from augmlx.report import charts, findings
from augmlx.report.cases import build_cases
from augmlx.report.drawing import draw
from augmlx.report.funnel import build_funnel, number
from augmlx.report.gather import Gathered
from augmlx.report.panels import MOST_KINDS, evaluation_panels
from augmlx.report.provenance import (
    memory_of,
    seconds_of,
    told_settings,
    told_stages,
    told_versions,
)
from augmlx.report.text import clip, duration, spread

MOST_ROWS = 500
_MOST_BYTES = (
    1_000_000  # of the table of samples, so that the whole stays under 2 MB whatever the texts are
)
_MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the table of augmentations. `by` is empty where it was kept."""

    sources: list[tuple[str, str]]  # (text, "facts.csv:17")
    text: str
    operator: str
    by: str
    why: str


def render(gathered: Gathered) -> str:
    """The whole page as HTML."""
    return draw("run.html", _context(gathered), script=True)


def _context(gathered: Gathered) -> dict[str, Any]:
    samples, found = _samples(gathered), gathered.evaluation
    return {
        "name": gathered.name,
        "headline": findings.headline(found),
        "tiles": _tiles(gathered),
        "alarms": findings.alarms(found),
        "evaluation": evaluation_panels(found, _chance(gathered)) if found else None,
        "cases": build_cases(found) if found else None,
        "loss": charts.loss_plot(gathered.loss, gathered.valid_loss) if gathered.loss else None,
        "loss_lines": [
            (arm, charts.arm_class(arm), points[-1][1]) for arm, points in gathered.loss.items()
        ],
        "valid_best": min(((loss, step) for step, loss in gathered.valid_loss), default=None),
        "validation": _validation(gathered),
        "training": _training(gathered),
        "funnel": build_funnel(gathered),
        "samples": samples,
        "produced": len(_augmentations(gathered.kept)) + len(gathered.rejected),
        "operators": sorted({sample.operator for sample in samples}),
        "dropped_shown": sum(1 for sample in samples if sample.by),
        "settings": told_settings(gathered.settings.model_dump(mode="json"))
        if gathered.settings
        else [],
        "stages": told_stages(gathered.manifest),
        "versions": told_versions(gathered.manifest),
    }


def _tiles(gathered: Gathered) -> list[tuple[str, str, str]]:
    """The few numbers under the headline: (value, what it is, a remark)."""
    tiles = []
    manifest = gathered.manifest
    if gathered.evaluation is not None:
        cells = gathered.evaluation.arms.get(AUGMENTED.name, {})
        for kind in [kind for kind in ("forward", "reversal") if kind in cells]:
            base = gathered.evaluation.arms.get(BASE.name, {}).get(kind)
            remark = "" if base is None else f"base model {findings.percent(base.accuracy)}"
            tiles.append((findings.percent(cells[kind].accuracy), f"{kind} accuracy", remark))
    if gathered.facts:
        tiles.append((f"{len(gathered.facts):,}", "facts", ""))
    if counts := manifest.get("augment", {}).get("counts"):
        remark = f"of {number(counts, 'produced'):,} generated"
        tiles.append((f"{number(counts, 'kept'):,}", "augmentations kept", remark))
    seconds = sum(seconds_of(entry) for entry in manifest.values())
    if seconds:
        tiles.append((duration(seconds), "from facts to here", "on this machine, offline"))
    return tiles


def _chance(gathered: Gathered) -> float | None:
    return None if gathered.settings is None else 1 / gathered.settings.eval.choices


def _validation(gathered: Gathered) -> dict[str, Any] | None:
    """The course of the accuracy on held-out questions, where it was measured during training."""
    lines = {
        clip(kind, 40): points
        for kind, points in list(gathered.valid_accuracy.items())[:MOST_KINDS]
    }
    if not lines:
        return None
    last = max((step for points in gathered.loss.values() for step, _ in points), default=0.0)
    return {
        "plot": charts.accuracy_plot(lines, last),
        "lines": [
            (kind, charts.kind_class(n), points[-1][1])
            for n, (kind, points) in enumerate(lines.items())
        ],
    }


def _training(gathered: Gathered) -> list[tuple[str, str]]:
    entry = gathered.manifest.get("train", {})
    counts = entry.get("counts")
    facts: list[tuple[str, str]] = []
    if gathered.settings is not None and entry:
        config = gathered.settings.train
        facts = [
            ("method", config.method),
            ("optimizer", config.optimizer),
            ("schedule", config.schedule),
        ]
    facts += [
        (label, f"{number(counts, key):,}") for key, label in _COUNTS.items() if number(counts, key)
    ]
    if isinstance(counts, dict):
        facts += _outcome(counts)
    if gathered.speed is not None:
        facts.append(("tokens a second", f"{gathered.speed:,.0f}"))
    if memory := memory_of(entry):
        facts.append(("peak memory", memory))
    return facts


def _outcome(counts: Json) -> list[tuple[str, str]]:
    """What only newer manifests hold, and only of some trainings."""
    facts = []
    if isinstance(padding := counts.get("padding"), (int, float)):
        facts.append(("padding", findings.percent(padding)))
    if isinstance(best := counts.get("best"), dict):
        score = [
            f"loss {loss:.3f}" for loss in (best.get("loss"),) if isinstance(loss, (int, float))
        ]
        score += [
            findings.percent(a) + " right"
            for a in (best.get("accuracy"),)
            if isinstance(a, (int, float))
        ]
        facts.append(("kept: the best step", ", ".join([f"{number(best, 'step'):,}", *score])))
    if counts.get("stopped") is True:
        facts.append(("ended", "early, for it got no better"))
    return facts


_COUNTS = {
    "examples": "training examples",
    "originals": "original facts",
    "augmentations": "augmentations",
    "steps": "optimizer steps",
    "tokens": "tokens trained on",
}


def _augmentations(rows: list[Json]) -> list[Json]:
    return [row for row in rows if row.get("origin", {}).get("operator") != ORIGINAL]


def _samples(gathered: Gathered) -> list[Sample]:
    """Kept and dropped texts, evenly spread over the run: at most 500, of which dropped ones fill
    what is left.
    """
    kept, dropped = _augmentations(gathered.kept), gathered.rejected
    room = max(MOST_ROWS - len(dropped), MOST_ROWS * 7 // 10)
    kept = spread(kept, room)
    rows = [_sample(row, gathered) for row in [*kept, *spread(dropped, MOST_ROWS - len(kept))]]
    size = sum(_size(row) for row in rows)
    return rows if size <= _MOST_BYTES else spread(rows, max(1, len(rows) * _MOST_BYTES // size))


def _sample(row: Json, gathered: Gathered) -> Sample:
    origin = row.get("origin", {})
    facts = [gathered.facts.get(str(fact), {}) for fact in origin.get("fact_ids", ())][:4]
    return Sample(
        sources=[
            (
                clip(str(fact.get("text", "")), _MOST_CHARACTERS),
                clip(str(fact.get("source", "")), 60),
            )
            for fact in facts
        ],
        text=clip(str(row.get("text", "")), _MOST_CHARACTERS),
        operator=clip(str(origin.get("operator", "")), 40),
        by=clip(str(row.get("by", "")), 40),
        why=clip(str(row.get("why", "")), 200),
    )


def _size(row: Sample) -> int:
    """Bytes of a row in the page, about."""
    texts = [
        row.text,
        row.operator,
        row.by,
        row.why,
        *(part for source in row.sources for part in source),
    ]
    return 300 + sum(len(escape(text).encode("utf-8", "replace")) for text in texts)
