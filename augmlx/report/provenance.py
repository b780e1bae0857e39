"""With what a run was made: settings, versions, timings, memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from augmlx.core.records import Json
from augmlx.core.run_folder import STAGES
from augmlx.report.manifest import memory_of, seconds_of
from augmlx.report.text import NO_VALUE, clip, duration, label, model_name

_MOST_PACKAGES = 12
_MOST_KEY = 60  # characters
_MOST_VALUE = 300
Row = tuple[str, str]  # (key, value)


class Section(NamedTuple):
    """A table of settings under its name."""

    name: str
    rows: list[Row]


class StageRow(NamedTuple):
    """What a finished stage took; `memory` is MLX's peak, "" where that is not known."""

    stage: str
    time: str
    memory: str


def setting_sections(settings: Mapping[str, object]) -> list[Section]:
    """Settings as tables, those outside any section first under the name "run"."""
    top = []
    sections = []
    for key, value in settings.items():
        name = clip(key, _MOST_KEY)
        if isinstance(value, dict):
            rows = [_setting_row(inner, value[inner]) for inner in value]
            sections.append(Section(name, rows))
        else:
            top.append(_setting_row(key, value))
    if top:
        sections.insert(0, Section("run", top))
    return sections


def _setting_row(key: object, value: object) -> Row:
    """A setting under its name, both as they are shown."""
    name = clip(key, _MOST_KEY)
    return name, setting_text(value)


def setting_text(value: object) -> str:
    """A setting as shown. Of a path its last part only, since a page is passed on and paths name
    people.
    """
    if value is None:
        return NO_VALUE
    if isinstance(value, dict):
        parts = [f"{key} = {setting_text(inner)}" for key, inner in value.items()]
        text = ", ".join(parts)
    elif isinstance(value, (list, tuple)):
        text = ", ".join(map(setting_text, value))
    else:
        return clip(model_name(str(value)), _MOST_VALUE)
    return clip(text, _MOST_VALUE) or NO_VALUE


def stage_rows(manifest: Mapping[str, Json]) -> list[StageRow]:
    """The finished stages, in the order of the line."""
    finished = [stage for stage in STAGES if stage in manifest]
    rows = []
    for stage in finished:
        entry = manifest[stage]
        time = duration(seconds_of(entry))
        rows.append(StageRow(stage, time, memory_of(entry)))
    return rows


def version_rows(manifest: Mapping[str, Json]) -> list[Row]:
    """(package, version); several where stages ran under different ones."""
    versions_of: dict[str, dict[str, None]] = defaultdict(dict)
    for entry in manifest.values():
        versions = entry.get("versions")
        if not isinstance(versions, dict):
            continue
        for package, version in versions.items():
            versions_of[str(package)][str(version)] = None
    rows = []
    for package, different in versions_of.items():
        versions_text = clip(", ".join(different), 80)
        rows.append((label(package), versions_text))
    return rows[:_MOST_PACKAGES]
