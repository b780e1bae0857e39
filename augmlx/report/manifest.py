"""Entries of a run's manifest, any part of which may be missing."""

from __future__ import annotations

from collections.abc import Mapping

from augmlx.core.records import Json
from augmlx.report.text import gigabytes


def counts_of(manifest: Mapping[str, Json], stage: str) -> Mapping[str, object] | None:
    """The counts of a finished stage; None where it has not finished."""
    entry = manifest.get(stage, {})
    counts = entry.get("counts")
    return counts if isinstance(counts, Mapping) else None


def count_of(counts: object, key: str) -> int:
    """One of a stage's counts, 0 where it has none."""
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return value if isinstance(value, int) else 0


def seconds_of(entry: Json) -> float:
    """How long a stage took, 0 where that is not known."""
    value = entry.get("seconds")
    return float(value) if isinstance(value, (int, float)) else 0.0


def total_seconds(manifest: Mapping[str, Json]) -> float:
    """How long all stages took together."""
    return sum(seconds_of(entry) for entry in manifest.values())


def memory_of(entry: Json) -> str:
    """MLX's peak memory in a stage, such as "1.34 GB"; "" where that is not known."""
    value = entry.get("peak_memory")
    return gigabytes(value) if isinstance(value, (int, float)) else ""
