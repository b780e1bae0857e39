"""The table of augmentations beside their sources: a few hundred texts, evenly spread over the
run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import escape

from augmlx.core.example_id import ORIGINAL
from augmlx.core.records import Json
from augmlx.report.gather import Gathered
from augmlx.report.text import clip, label, spread

_MOST_ROWS = 500
_LEAST_KEPT = _MOST_ROWS * 7 // 10  # that much of the table is never taken by dropped texts
_MOST_BYTES = 1_000_000  # so that the page stays under 2 MB, whatever the texts are
_BYTES_A_ROW = 300  # beside its texts
_MOST_CHARACTERS = 600
_MOST_SOURCES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the table of augmentations. `by` is empty where it was kept."""

    sources: list[tuple[str, str]]  # (text, "facts.csv:17")
    text: str
    operator: str
    by: str
    why: str

    @property
    def size(self) -> int:
        """Bytes of the row in the page, about."""
        texts = [self.text, self.operator, self.by, self.why]
        for source in self.sources:
            texts += source
        return _BYTES_A_ROW + sum(_size(text) for text in texts)


def _size(text: str) -> int:
    """Bytes of a text in the page."""
    return len(escape(text).encode("utf-8", "replace"))


def augmentations(rows: list[Json]) -> list[Json]:
    """The rows without the facts as they were given."""
    written = []
    for row in rows:
        origin = row.get("origin", {})
        if origin.get("operator") != ORIGINAL:
            written.append(row)
    return written


def build_samples(gathered: Gathered) -> list[Sample]:
    """Kept texts and then dropped ones: at most 500, of which dropped ones fill what is left."""
    room = max(_MOST_ROWS - len(gathered.rejected), _LEAST_KEPT)
    kept = spread(augmentations(gathered.kept), room)
    dropped = spread(gathered.rejected, _MOST_ROWS - len(kept))
    samples = [_sample(row, gathered.facts) for row in (*kept, *dropped)]
    size = sum(sample.size for sample in samples)
    if size <= _MOST_BYTES:
        return samples
    fitting = len(samples) * _MOST_BYTES // size
    return spread(samples, max(1, fitting))


def _sample(row: Json, facts: Mapping[str, Json]) -> Sample:
    origin = row.get("origin", {})
    fact_ids = origin.get("fact_ids", ())
    sources = [facts.get(str(fact_id), {}) for fact_id in fact_ids[:_MOST_SOURCES]]
    return Sample(
        sources=[_source(fact) for fact in sources],
        text=clip(row.get("text", ""), _MOST_CHARACTERS),
        operator=label(origin.get("operator", "")),
        by=label(row.get("by", "")),
        why=clip(row.get("why", ""), 200),
    )


def _source(fact: Json) -> tuple[str, str]:
    """A fact, and where it stands in the user's file."""
    text = clip(fact.get("text", ""), _MOST_CHARACTERS)
    place = clip(fact.get("source", ""), 60)
    return text, place
