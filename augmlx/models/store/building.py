"""A model on its way into the store: built in a folder apart, and there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augmlx.core.errors import storage_errors
from augmlx.core.files import FILE_MODE, FOLDER_MODE, make_folder
from augmlx.models.store import folder as store


@contextmanager
def building(name: str) -> Iterator[Path]:
    """A private work folder; what stands in its `model` folder at the end becomes the model `name`,
    or nothing does.

    The card must be written by then (see `write_card`). An error, Ctrl-C or a kill leaves no model:
    the work folder starts with a dot, and what a killed process left is removed by the next one.
    """
    models = store.models_folder()
    make_folder(models)
    remove_stale_parts()
    part = models / f".{name}.part-{os.getpid()}"
    with storage_errors(part):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=FOLDER_MODE)
    try:
        yield part
        _publish(part / "model", models / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def remove_stale_parts() -> None:
    """Delete the work folders of processes that are gone."""
    for part in store.models_folder().glob(".*.part-*"):
        pid = part.name.rpartition("-")[2]
        if not pid.isdigit() or not _is_alive(int(pid)):
            shutil.rmtree(part, ignore_errors=True)


def _publish(model: Path, final: Path) -> None:
    """Move a finished model folder to its place, private and safe on the disk."""
    with storage_errors(final):
        for path in (*model.iterdir(), model):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
            _fsync(path)
        if final.exists() and not store.is_stored(final):
            # No model of ours: without a card it is never listed.
            final.rename(model.parent / "replaced")
        try:
            model.rename(final)
        except OSError:
            # Another process finished the same model first: a full folder is never replaced, and it
            # is as good.
            if not store.is_stored(final):
                raise
        _fsync(final.parent)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
