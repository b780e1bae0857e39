"""The page: what was gathered, put into the template. Autoescape is on; only charts and our own assets are markup."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from augmlx.records import Json
from augmlx.report import charts, findings
from augmlx.report.funnel import build_funnel, number
from augmlx.report.gather import Gathered
from augmlx.report.text import clip, duration, gigabytes, model_name, spread

MOST_ROWS = 500
_MOST_BYTES = 1_000_000  # of the table of samples, so that the whole stays under 2 MB whatever the texts are
_MOST_CHARACTERS = 600
_MOST_KINDS = 12
_MOST_ARMS = 8
_STAGES = ("augment", "split", "train", "baseline", "eval", "export")


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
    assets = resources.files("augmlx.report")
    script = assets.joinpath("table.js").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": findings.percent, "duration": duration, "thousands": "{:,}".format}
    page = environment.from_string(assets.joinpath("template.html").read_text("utf-8")).render(
        **_context(gathered),
        style=Markup(assets.joinpath("style.css").read_text("utf-8")),
        script=Markup(script),
        # The page runs this one script and no other, even if something slipped through the escaping.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    # JSON can hold half of a surrogate pair, which UTF-8 cannot.
    return page.encode("utf-8", "replace").decode("utf-8")


def _context(gathered: Gathered) -> dict[str, Any]:
    samples = _samples(gathered)
    return {
        "name": gathered.name,
        "headline": findings.headline(gathered.evaluation),
        "tiles": _tiles(gathered),
        "evaluation": _evaluation(gathered),
        "loss": charts.loss_plot(gathered.loss, gathered.valid_loss) if gathered.loss else None,
        "loss_lines": [(arm, charts.arm_class(arm), points[-1][1]) for arm, points in gathered.loss.items()],
        "valid_best": min(((loss, step) for step, loss in gathered.valid_loss), default=None),
        "validation": _validation(gathered),
        "training": _training(gathered),
        "funnel": build_funnel(gathered),
        "samples": samples,
        "produced": len(_augmentations(gathered.kept)) + len(gathered.rejected),
        "dropped_shown": sum(1 for sample in samples if sample.by),
        "settings": _settings(gathered),
        "stages": _stages(gathered),
        "versions": _versions(gathered),
    }


def _tiles(gathered: Gathered) -> list[tuple[str, str, str]]:
    """The few numbers under the headline: (value, what it is, a remark)."""
    tiles = []
    manifest = gathered.manifest
    if gathered.evaluation is not None:
        cells = gathered.evaluation.arms.get("augmented", {})
        for kind in [kind for kind in ("forward", "reversal") if kind in cells]:
            base = gathered.evaluation.arms.get("base", {}).get(kind)
            remark = "" if base is None else f"base model {findings.percent(base.accuracy)}"
            tiles.append((findings.percent(cells[kind].accuracy), f"{kind} accuracy", remark))
    if gathered.facts:
        tiles.append((f"{len(gathered.facts):,}", "facts", ""))
    if counts := manifest.get("augment", {}).get("counts"):
        remark = f"of {number(counts, 'produced'):,} generated"
        tiles.append((f"{number(counts, 'kept'):,}", "augmentations kept", remark))
    seconds = sum(_seconds(entry) for entry in manifest.values())
    if seconds:
        tiles.append((duration(seconds), "from facts to here", "on this machine, offline"))
    return tiles


def _evaluation(gathered: Gathered) -> dict[str, Any] | None:
    found = gathered.evaluation
    if found is None:
        return None
    kinds, arms = found.kinds[:_MOST_KINDS], list(found.arms)[:_MOST_ARMS]
    panels = []
    for kind in kinds:
        cells = {arm: found.arms[arm][kind] for arm in arms if kind in found.arms[arm]}
        label = clip(kind, 40)
        chance = found.chance.get(kind, _chance(gathered))
        panels.append(
            {
                "kind": label,
                "questions": max(cell.n for cell in cells.values()) if cells else 0,
                "chance": chance,
                "verbatim": found.verbatim.get(kind),
                "svg": charts.bars(label, {clip(arm, 40): cell for arm, cell in cells.items()}, chance),
                "rows": [
                    (clip(arm, 40), charts.arm_class(arm), cell, findings.interval(cell)) for arm, cell in cells.items()
                ],
            }
        )
    return {
        "panels": panels,
        "left_out": len(found.kinds) - len(kinds),
        "paired": findings.paired(found, kinds),
        "verbatim": any(panel["verbatim"] is not None for panel in panels),
        "derived": found.derived,
        "notes": [clip(note, 500) for note in found.notes[:20]],
        "model": clip(model_name(found.model), 80),
        "rule": _RULES.get(found.score, ""),
        "exact": any(cell.exact is not None for cells in found.arms.values() for cell in cells.values()),
    }


_RULES = {
    "token": "the choice with the greatest log-probability per token counts as the answer",
    "sum": "the choice with the greatest summed log-probability counts as the answer",
}


def _chance(gathered: Gathered) -> float | None:
    return None if gathered.settings is None else 1 / gathered.settings.eval.choices


def _validation(gathered: Gathered) -> dict[str, Any] | None:
    """The course of the accuracy on held-out questions, where it was measured during training."""
    lines = {clip(kind, 40): points for kind, points in list(gathered.valid_accuracy.items())[:_MOST_KINDS]}
    if not lines:
        return None
    last = max((step for points in gathered.loss.values() for step, _ in points), default=0.0)
    return {
        "plot": charts.accuracy_plot(lines, last),
        "lines": [(kind, charts.kind_class(n), points[-1][1]) for n, (kind, points) in enumerate(lines.items())],
    }


def _training(gathered: Gathered) -> list[tuple[str, str]]:
    entry = gathered.manifest.get("train", {})
    counts = entry.get("counts")
    facts: list[tuple[str, str]] = []
    if gathered.settings is not None and entry:
        config = gathered.settings.train
        facts = [("method", config.method), ("optimizer", config.optimizer), ("schedule", config.schedule)]
    facts += [(label, f"{number(counts, key):,}") for key, label in _COUNTS.items() if number(counts, key)]
    if isinstance(counts, dict):
        facts += _outcome(counts)
    if gathered.speed is not None:
        facts.append(("tokens a second", f"{gathered.speed:,.0f}"))
    if memory := _memory(entry):
        facts.append(("peak memory", memory))
    return facts


def _outcome(counts: Json) -> list[tuple[str, str]]:
    """What only newer manifests hold, and only of some trainings."""
    facts = []
    if isinstance(padding := counts.get("padding"), (int, float)):
        facts.append(("padding", findings.percent(padding)))
    if isinstance(best := counts.get("best"), dict):
        score = [f"loss {loss:.3f}" for loss in (best.get("loss"),) if isinstance(loss, (int, float))]
        score += [findings.percent(a) + " right" for a in (best.get("accuracy"),) if isinstance(a, (int, float))]
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
    return [row for row in rows if row.get("origin", {}).get("operator") != "original"]


def _samples(gathered: Gathered) -> list[Sample]:
    """Kept and dropped texts, evenly spread over the run: at most 500, of which dropped ones fill what is left."""
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
            (clip(str(fact.get("text", "")), _MOST_CHARACTERS), clip(str(fact.get("source", "")), 60)) for fact in facts
        ],
        text=clip(str(row.get("text", "")), _MOST_CHARACTERS),
        operator=clip(str(origin.get("operator", "")), 40),
        by=clip(str(row.get("by", "")), 40),
        why=clip(str(row.get("why", "")), 200),
    )


def _size(row: Sample) -> int:
    """Bytes of a row in the page, about."""
    texts = [row.text, row.operator, row.by, row.why, *(part for source in row.sources for part in source)]
    return 300 + sum(len(escape(text).encode("utf-8", "replace")) for text in texts)


def _settings(gathered: Gathered) -> list[tuple[str, list[tuple[str, str]]]]:
    """(section, [(key, value)]), the top level first under the name "run"."""
    if gathered.settings is None:
        return []
    values = gathered.settings.model_dump(mode="json")
    top = [(key, model_name(str(value))) for key, value in values.items() if not isinstance(value, dict)]
    sections = [(name, list(value.items())) for name, value in values.items() if isinstance(value, dict)]
    return [("run", top), *((name, [(key, _shown(value)) for key, value in items]) for name, items in sections)]


def _shown(value: object) -> str:
    return clip(", ".join(map(str, value)) if isinstance(value, list) else str(value), 300)


def _seconds(entry: Json) -> float:
    value = entry.get("seconds")
    return float(value) if isinstance(value, (int, float)) else 0.0


def _memory(entry: Json) -> str:
    value = entry.get("peak_memory")
    return gigabytes(value) if isinstance(value, (int, float)) else ""


def _stages(gathered: Gathered) -> list[tuple[str, str, str]]:
    """(stage, time, MLX's peak memory or "") of the finished stages."""
    entries = {name: gathered.manifest[name] for name in _STAGES if name in gathered.manifest}
    return [(name, duration(_seconds(entry)), _memory(entry)) for name, entry in entries.items()]


def _versions(gathered: Gathered) -> list[tuple[str, str]]:
    """(what, version); several where stages ran under different ones."""
    found: dict[str, list[str]] = {}
    for entry in gathered.manifest.values():
        versions = entry.get("versions")
        for name, version in versions.items() if isinstance(versions, dict) else ():
            seen = found.setdefault(str(name), [])
            if str(version) not in seen:
                seen.append(str(version))
    return [(clip(name, 40), clip(", ".join(versions), 80)) for name, versions in list(found.items())[:12]]
