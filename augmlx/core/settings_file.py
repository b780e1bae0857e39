"""Settings from augmlx.toml and flags, and back into a commented file.

Order of precedence: defaults < augmlx.toml < command-line flags (dotted keys such as
"train.epochs").
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from augmlx.core.errors import BadSettings, storage_errors
from augmlx.core.files import write_text
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Section, Settings

# Settings that came later, and what was done before they came.
_LATER = {("train", "average"): 0.0}


def load(path: Path | None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from an augmlx.toml (or none) and dotted overrides; None among the overrides means
    unset.

    Raises:
        BadSettings: with the file, the key and the reason.
        StorageError: the file cannot be read.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            with storage_errors(path):
                values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:  # tomllib leaks more than its own error
            raise BadSettings(
                f"{path}: not valid TOML: {error}", hint="mend the line it names"
            ) from error
        _drop_unused(values)
        _keep_as_trained(values, path)
        _validated(values, path)  # by itself first, so that a bad flag is not blamed on the file
    for key, value in (overrides or {}).items():
        if value is not None:
            section, _, name = key.rpartition(".")
            target = values.setdefault(section, {}) if section else values
            if isinstance(
                target, dict
            ):  # a section that is no table is reported by the validation below
                target[name] = value
    return _validated(values, None)


def _drop_unused(values: dict[str, Any]) -> None:
    """Take out settings of earlier versions that asked for nothing: every file had them."""
    split = values.get("split")
    if isinstance(split, dict) and split.get("replay") == "":
        split.pop("replay")
        split.pop("replay_share", None)


def _keep_as_trained(values: dict[str, Any], path: Path) -> None:
    """Put in what an earlier version did where it had no setting: a run's own file is written
    whole, and what it was trained with is not what the default came to be.
    """
    if RunFolder(path.parent).manifest_file.exists():
        for (section, name), before in _LATER.items():
            table = values.get(section)
            if isinstance(table, dict):
                table.setdefault(name, before)


def _validated(values: Mapping[str, Any], path: Path | None) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettings(
            _explain(error, path), hint="augmlx init DIR writes a file with every setting"
        ) from error


_MEASURED = "\n# (chosen for the model by augmlx calibrate, unless it is written here)"

_TYPE_NAME = re.compile(r"literal\[.*\]|constrained-\w+")


def _explain(error: ValidationError, path: Path | None) -> str:
    place = str(path) if path is not None else "settings"
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        # The location of a union's member ends in its type; only our own keys are of use to the
        # user.
        known = [str(part) for part in fault["loc"] if not _TYPE_NAME.fullmatch(str(part))]
        reason = (
            "unknown setting"
            if fault["type"] == "extra_forbidden"
            else fault["msg"].lower().removeprefix("value error, ")
        )
        if fault["type"] == "tuple_type":
            reason = 'write a list, such as ["one", "two"]'
        if fault["type"] == "extra_forbidden":
            name = ".".join(known)
            if name in _REPLACED:
                reason = f"is no setting any more: {_REPLACED[name]}"
            elif meant := _meant(known):
                reason = f"unknown setting; did you mean {meant}?"
        faults.append(f"{place}: {'.'.join(known)}: {reason}")
    return "\n".join(dict.fromkeys(faults))


# Settings of earlier versions, and what there is in their place.
_REPLACED = {
    "split.replay": "ordinary texts are held by train.anchors, and are no rows of the training set",
    "split.replay_share": "how much ordinary texts count is train.anchor",
}


def _meant(key: Sequence[str]) -> str | None:
    """The setting whose name is nearest to a mistyped one."""
    names = [
        name
        for name, field in Settings.model_fields.items()
        if not isinstance(field.default, Section)
    ]
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Section):
            names += [f"{name}.{inner}" for inner in type(field.default).model_fields]
    ends = [
        name for name in names if name.rpartition(".")[2] == key[-1]
    ]  # its section was left out, or is another
    return next(iter(get_close_matches(".".join(key), names, n=1, cutoff=0.75) or ends), None)


def _toml_value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{_toml_value(key)} = {_toml_value(item)}" for key, item in value.items())
            + "}"
        )
    # TOML's basic strings, numbers and booleans are written as JSON writes them, save for the DEL
    # character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def to_toml(settings: Settings, *, to_be_measured: bool = False) -> str:
    """The settings as a commented augmlx.toml; loading it gives the same settings back.

    Args:
        to_be_measured: leave what calibration chooses as comments, so that it may.
    """
    top, sections = [], []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if not isinstance(value, Section):
            top.append(f"# {field.description}\n{name} = {_toml_value(value)}\n")
            continue
        lines = [f"[{name}]"]
        for key, item in type(value).model_fields.items():
            is_open = to_be_measured and key in getattr(value, "CALIBRATED", ())
            about = f"# {item.description}" + (_MEASURED if is_open else "")
            line = f"{key} = {_toml_value(getattr(value, key))}"
            lines.append(f"{about}\n{'# ' if is_open else ''}{line}")
        sections.append("\n".join(lines) + "\n")
    return "\n".join([*top, *sections])


def save(settings: Settings, path: Path) -> None:
    write_text(path, to_toml(settings))
