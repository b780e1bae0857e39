"""Reading the files of a run: one that is not there is left out, one of another shape is an error
with a way out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from augmlx.core.errors import AugmlxError, RunError, storage_errors
from augmlx.core.files import read_jsonl
from augmlx.core.records import Json

_SURPRISES = (ValueError, KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError)


@contextmanager
def shape(path: Path, remedy: str) -> Iterator[None]:
    """Around the reading of a file of ours: any surprise in it means that it was changed by hand,
    or written by another version.

    Args:
        remedy: the command that writes it anew.

    Raises:
        RunError: the file holds something else than augmlx writes.
    """
    try:
        yield
    except AugmlxError:
        raise
    except _SURPRISES as error:
        raise RunError(f"{path}: not as augmlx writes it", hint=f"run again: {remedy}") from error


def rows_of(path: Path) -> list[Json]:
    """The rows of a JSON Lines file, none where it is not there."""
    if not path.exists():
        return []
    return list(read_jsonl(path))


def json_of(path: Path) -> Any:
    """What a JSON file holds."""
    with storage_errors(path):
        return json.loads(path.read_text("utf-8"))


def share(value: Any) -> float:
    """A number from 0 to 1. Raises ValueError."""
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(value)
    return number
