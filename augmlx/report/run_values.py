"""What several runs are made of, side by side: the settings that differ, sizes, timings,
versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from augmlx.report.gather import Gathered
from augmlx.report.manifest import count_of, counts_of, memory_of, total_seconds
from augmlx.report.provenance import setting_sections, stage_rows, version_rows
from augmlx.report.text import NO_VALUE, clip, duration, model_name


class ValueRow(NamedTuple):
    """A setting, or a fact about a run, with its value in each run."""

    name: str
    values: list[str]


def differing_settings(runs: Sequence[Gathered]) -> list[ValueRow]:
    """The settings in which not all runs agree."""
    tables = [_setting_table(run) for run in runs]
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = []
    for key in keys:
        values = [table.get(key, NO_VALUE) for table in tables]
        if len(set(values)) > 1:
            row = ValueRow(key.removeprefix("run."), values)
            rows.append(row)
    return rows


def _setting_table(run: Gathered) -> dict[str, str]:
    """ "train.epochs" -> its value as shown."""
    table = {}
    for section in setting_sections(run.settings_as_json):
        for key, value in section.rows:
            table[f"{section.name}.{key}"] = value
    return table


def fact_rows(runs: Sequence[Gathered]) -> list[ValueRow]:
    """What each run is made of and took; rows that are empty everywhere are left out."""
    tables = [_facts(run) for run in runs]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = []
    for name in names:
        values = [table.get(name, "") for table in tables]
        if any(values):
            row = ValueRow(name, values)
            rows.append(row)
    return rows


def _facts(run: Gathered) -> dict[str, str]:
    """What -> value, "" where it is not known."""
    model = ""
    if run.evaluation is not None:
        model = clip(model_name(run.evaluation.summary.model), 80)
    counts = counts_of(run.manifest, "augment")
    kept = ""
    if counts:
        produced = count_of(counts, "produced")
        kept = f"{count_of(counts, 'kept'):,} of {produced:,}"
    steps = count_of(counts_of(run.manifest, "train"), "steps")
    times = {f"time: {row.stage}": row.time for row in stage_rows(run.manifest)}
    return {
        "model": model,
        "facts": f"{len(run.facts):,}",
        "augmentations kept": kept,
        "optimizer steps": f"{steps:,}",
        **times,
        "time in all": duration(total_seconds(run.manifest)),
        "peak memory of training": memory_of(run.manifest.get("train", {})),
        **dict(version_rows(run.manifest)),
    }
