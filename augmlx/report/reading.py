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


@contextmanager
def shape(path: Path, remedy: str) -> Iterator[None]:
    """Any surprise in a file of ours means that it was changed by hand, or written by another
    version.
    """
    try:
        yield
    except AugmlxError:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        ZeroDivisionError,
    ) as error:
        raise RunError(f"{path}: not as augmlx writes it", hint=f"run again: {remedy}") from error


def rows_of(path: Path) -> list[Json]:
    return list(read_jsonl(path)) if path.exists() else []


def json_of(path: Path) -> Any:
    with storage_errors(path):
        return json.loads(path.read_text("utf-8"))


def share(value: Any) -> float:
    """A number from 0 to 1. Raises ValueError."""
    found = float(value)
    if not 0 <= found <= 1:
        raise ValueError(value)
    return found


def share_or_none(value: Any) -> float | None:
    return None if value is None else share(value)
