"""What the verifications of a run's exports came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from augmlx.core.records import Json
from augmlx.core.run_folder import EXPORT_STAGES
from augmlx.report.text import NO_VALUE, clip, percent

_LONGEST = 200  # characters of what is shown of a text


class ExportRow(NamedTuple):
    """An export that was compared, its figures as they are shown."""

    form: str
    reader: str  # what was compared with MLX
    difference: str  # the greatest of a logit
    agreement: str  # positions with the same next token
    answers: str  # greedy ones that are the same
    notes: list[str]


def export_rows(manifest: Mapping[str, Json]) -> list[ExportRow]:
    """The exports that were compared with MLX, in the order of the forms."""
    rows: list[ExportRow] = []
    for form, stage in EXPORT_STAGES.items():
        entry = manifest.get(stage, {})
        compared = [entry.get("verification"), entry.get("requantised")]
        rows += [_row(form, figures) for figures in compared if isinstance(figures, dict)]
    return rows


def _row(form: str, figures: Json) -> ExportRow:
    notes = figures.get("notes")
    difference, agreement = (
        _number(figures, key) for key in ("max_difference", "argmax_agreement")
    )
    same, answers = (_number(figures, key) for key in ("same_answers", "answers"))
    return ExportRow(
        form,
        clip(str(figures.get("reader", NO_VALUE)), _LONGEST),
        NO_VALUE if difference is None else f"{difference:.1e}",
        NO_VALUE if agreement is None else percent(agreement),
        f"{same:.0f} of {answers:.0f}" if same is not None and answers else NO_VALUE,
        [clip(str(note), _LONGEST) for note in notes] if isinstance(notes, list) else [],
    )


def _number(figures: Mapping[str, Any], key: str) -> float | None:
    value = figures.get(key)
    return float(value) if isinstance(value, (int, float)) else None
