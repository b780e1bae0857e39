"""The anchors of a model, made once for all of its runs: they lie in the store, and those of models
of the catalogue are shipped. There is nothing of a user's in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import Json
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel

CODE = 2  # raised where the model is asked otherwise
_SHIPPED = resources.files("augmlx.augment.anchor_rows")


def path_of(model: StoredModel) -> Path:
    """Where the store has them."""
    return store.home() / "anchors" / f"{model.fingerprint[:16]}-{CODE}.jsonl"


def find(model: StoredModel) -> list[Json]:
    """Those of a model, if they were made before, here or by us; else none. Raises StorageError."""
    path = path_of(model)
    if path.is_file():
        return list(read_jsonl(path))
    return _shipped(path.name)


def keep(model: StoredModel, rows: Sequence[Json]) -> None:
    """Raises StorageError."""
    write_jsonl(path_of(model), rows)


@cache
def _shipped(name: str) -> list[Json]:
    with resources.as_file(_SHIPPED) as folder:
        path = folder / name
        return list(read_jsonl(path)) if path.is_file() else []
