"""metrics.jsonl: a line for each step, none twice and none missing, whatever stopped the
training.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from augmlx.core.errors import RunError, storage_errors
from augmlx.core.files import write_text

Line = dict[str, Any]


def append(path: Path, line: Line) -> None:
    """Write one line at the end."""
    with storage_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(_text(line))


def read(path: Path) -> list[Line]:
    """The lines, up to one that a crash tore off."""
    lines: list[Line] = []
    if not path.exists():
        return lines
    with storage_errors(path):
        text = path.read_bytes()
    for line in text.splitlines(keepends=True):
        try:
            value = json.loads(line)
        except ValueError:
            break
        if not isinstance(value, dict) or not line.endswith(b"\n"):
            break
        lines.append(value)
    return lines


def flush(path: Path) -> None:
    """Put the metrics on the disk before the checkpoint that counts on them."""
    with storage_errors(path), path.open("rb") as file:
        os.fsync(file.fileno())


def keep(path: Path, step: int) -> None:
    """Cut the metrics back to the checkpoint of a step, so that no step stands there twice.

    Raises:
        RunError: a step up to that one is missing.
    """
    kept_lines = [line for line in read(path) if line.get("step", 0) <= step]
    kept_steps = [line.get("step") for line in kept_lines]
    if kept_steps != list(range(1, step + 1)):
        raise RunError(
            f"{path}: does not hold every step up to the checkpoint's, {step}",
            hint=f"delete {path.parent / 'checkpoints'} and run again",
        )
    write_text(path, "".join(_text(line) for line in kept_lines))


def _text(line: Line) -> str:
    return json.dumps(line) + "\n"
