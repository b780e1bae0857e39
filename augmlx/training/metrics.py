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
    with storage_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


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
    """Cut the metrics back to the checkpoint, so that no step stands there twice. Raises RunError
    if one is missing.
    """
    kept = [line for line in read(path) if line.get("step", 0) <= step]
    if [line.get("step") for line in kept] != list(range(1, step + 1)):
        raise RunError(
            f"{path}: does not hold every step up to the checkpoint's, {step}",
            hint=f"delete {path.parent / 'checkpoints'} and run again",
        )
    write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
