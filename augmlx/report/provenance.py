"""With what a run was made: settings, versions, timings, memory."""

from __future__ import annotations

from collections.abc import Mapping

from augmlx.core.arms import CONTROLS
from augmlx.core.records import Json
from augmlx.report.text import clip, duration, gigabytes, model_name

_STAGES = ("augment", "split", "train", *(arm.stage for arm in CONTROLS), "eval", "export")


def told_settings(values: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(section, [(key, value)]), the top level first under the name "run"."""
    top = [
        (clip(key, 60), told_value(value))
        for key, value in values.items()
        if not isinstance(value, dict)
    ]
    sections = [
        (clip(name, 60), value) for name, value in values.items() if isinstance(value, dict)
    ]
    told = [
        (name, [(clip(str(key), 60), told_value(v)) for key, v in value.items()])
        for name, value in sections
    ]
    return [("run", top), *told] if top else told


def told_value(value: object) -> str:
    """A setting as shown. Of a path its last part only, since a page is passed on and paths name
    people.
    """
    if isinstance(value, dict):
        return (
            clip(", ".join(f"{key} = {told_value(inner)}" for key, inner in value.items()), 300)
            or "–"
        )
    if isinstance(value, (list, tuple)):
        return clip(", ".join(map(told_value, value)), 300) or "–"
    return "–" if value is None else clip(model_name(str(value)), 300)


def seconds_of(entry: Json) -> float:
    value = entry.get("seconds")
    return float(value) if isinstance(value, (int, float)) else 0.0


def memory_of(entry: Json) -> str:
    value = entry.get("peak_memory")
    return gigabytes(value) if isinstance(value, (int, float)) else ""


def told_stages(manifest: Mapping[str, Json]) -> list[tuple[str, str, str]]:
    """(stage, time, MLX's peak memory or "") of the finished stages."""
    entries = {name: manifest[name] for name in _STAGES if name in manifest}
    return [
        (name, duration(seconds_of(entry)), memory_of(entry)) for name, entry in entries.items()
    ]


def told_versions(manifest: Mapping[str, Json]) -> list[tuple[str, str]]:
    """(what, version); several where stages ran under different ones."""
    found: dict[str, list[str]] = {}
    for entry in manifest.values():
        versions = entry.get("versions")
        for name, version in versions.items() if isinstance(versions, dict) else ():
            seen = found.setdefault(str(name), [])
            if str(version) not in seen:
                seen.append(str(version))
    return [
        (clip(name, 40), clip(", ".join(versions), 80))
        for name, versions in list(found.items())[:12]
    ]
