"""Checkpoints: trained weights and the mean of the last of them, optimizer state, position and the
best validation, whole or not at all; the newest few.

There is no generator state to keep: every step derives its randomness from the seed and its own
number.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_unflatten

from augmlx.core.errors import RunError, storage_errors
from augmlx.core.files import make_folder, write_json
from augmlx.training.adapter import save_arrays
from augmlx.training.averaging import TailMean
from augmlx.training.validation import Validation

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"
_STATE_TYPES = {"step": int, "tokens": int, "waited": int, "ended": bool}
_MEAN, _BEST = "mean.safetensors", "best.safetensors"
_BUILDING = ".building-"  # not the `.part-` of single files, which are cleared away as files


@dataclass(frozen=True, slots=True)
class Position:
    """Where a training stands: `step` optimizer steps are done; `tokens` carried loss so far.
    `best` is the best validation, and `waited` the number of those since; `ended`: it was stopped
    early, and nothing is left to do.
    """

    step: int = 0
    tokens: int = 0
    best: Validation | None = None
    waited: int = 0
    ended: bool = False


def save(
    folder: Path,
    position: Position,
    model: nn.Module,
    optimizer: optim.Optimizer,
    *,
    fingerprint: str,
    kept: int,
    mean: TailMean | None = None,
) -> None:
    """Write a checkpoint for `position` and rotate all but the newest `kept` away.

    Args:
        folder: checkpoints/ of the run.
        fingerprint: of the training that it is a checkpoint of.
        mean: of its last weights, where that is kept.

    Raises:
        StorageError: it cannot be written; earlier ones are still there.
    """
    target = folder / f"step-{position.step:08d}"
    building = folder / f"{_BUILDING}{os.getpid()}-{target.name}"
    with storage_errors(folder):
        try:
            make_folder(building)
            _save_tree(model.trainable_parameters(), building / _WEIGHTS)
            _save_tree(optimizer.state, building / _OPTIMIZER)
            if mean is not None and mean.has(position.step):
                _save_tree(mean.arrays, building / _MEAN)
            write_json(building / _STATE, {**asdict(position), "fingerprint": fingerprint})
            if target.exists():
                _delete(target)
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)  # on a full disk its room is needed
        for old in sorted(folder.glob("step-*"))[:-kept]:
            _delete(old)


def _save_tree(tree: dict[str, Any], path: Path) -> None:
    arrays: dict[str, mx.array] = dict(tree_flatten(tree))
    save_arrays(arrays, path)


def save_best(folder: Path, model: nn.Module) -> None:
    """Keep the weights of the best validation so far."""
    with storage_errors(folder):
        make_folder(folder)
        _save_tree(model.trainable_parameters(), folder / _BEST)


def load_best(folder: Path, model: nn.Module) -> None:
    """Bring the model to the weights of the best validation. Raises RunError where they are
    damaged.
    """
    with storage_errors(folder):
        model.update(_arrays(folder / _BEST, model.trainable_parameters()))


def clear(folder: Path) -> None:
    """Delete a training's checkpoints, the newest last: while one is left, a killed training goes
    on from there.
    """
    with contextlib.suppress(OSError):  # what is left does no harm
        for path in sorted(folder.glob("step-*")):
            _delete(path)
        shutil.rmtree(folder)


def _delete(path: Path) -> None:
    """Delete a checkpoint. It loses its name first: a kill amid its files must not leave a damaged
    one behind, and what has the other name is cleared away by `load_latest`.
    """
    doomed = path.with_name(f"{_BUILDING}{os.getpid()}-old-{path.name}")
    if doomed.exists():  # an earlier process had this one's id
        shutil.rmtree(doomed)
    path.rename(doomed)
    shutil.rmtree(doomed)


def load_latest(
    folder: Path,
    model: nn.Module,
    optimizer: optim.Optimizer,
    fingerprint: str,
    mean: TailMean | None = None,
) -> Position | None:
    """Bring model, optimizer and mean to the newest checkpoint of this very training.

    Checkpoints of another training (other data, settings or model) are deleted.

    Args:
        fingerprint: of this training.

    Returns:
        Where the training stood; None where there is no checkpoint of it.

    Raises:
        RunError: the newest one is damaged.
    """
    with storage_errors(folder):
        for part in folder.glob(f"{_BUILDING}*"):
            shutil.rmtree(part)
        for path in sorted(folder.glob("step-*"), reverse=True):
            state = _read_state(path)
            if state["fingerprint"] != fingerprint:
                _delete(path)
                continue
            model.update(_arrays(path / _WEIGHTS, model.trainable_parameters()))
            # In place: a compiled step holds it.
            optimizer.state.update(_arrays(path / _OPTIMIZER, optimizer.state))
            # The places of its tree that hold no array.
            optimizer.init(model.trainable_parameters())
            position = _position(path, state)
            if mean is not None and mean.has(position.step):
                mean.arrays = _arrays(path / _MEAN, mean.like())
            return position
    return None


def _arrays(path: Path, like: dict[str, Any]) -> dict[str, Any]:
    """The tree of arrays in a file. Raises RunError where its names, shapes and types are not those
    of the tree `like`.
    """
    wanted: dict[str, mx.array] = dict(tree_flatten(like))
    try:
        arrays = mx.load(str(path))
    except (RuntimeError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(arrays, dict) or _kinds(arrays) != _kinds(wanted):
        raise _damaged(path)
    mx.eval(arrays)  # loading is lazy, and the files may be rotated away
    tree: dict[str, Any] = tree_unflatten(list(arrays.items()))
    return tree


def _kinds(arrays: dict[str, mx.array]) -> dict[str, tuple[tuple[int, ...], mx.Dtype]]:
    """Shape and type by name."""
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state = json.loads((path / _STATE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(state, dict) or not isinstance(state.get("fingerprint"), str):
        raise _damaged(path)
    return state


def _position(path: Path, state: dict[str, Any]) -> Position:
    """The position that a checkpoint's state tells. Raises RunError where it tells none."""
    try:
        best = None if state["best"] is None else Validation(**state["best"])
        values = {name: state[name] for name in _STATE_TYPES}
    except (KeyError, TypeError) as error:
        raise _damaged(path) from error
    types = {name: type(value) for name, value in values.items()}
    if types != _STATE_TYPES:
        raise _damaged(path)
    if best is not None and type(best.loss) is not float:
        raise _damaged(path)
    return Position(best=best, **values)


def _damaged(path: Path) -> RunError:
    folder = path if path.is_dir() else path.parent
    then = "it begins anew" if path.name == _BEST else "it resumes from an older one"
    return RunError(f"{path}: damaged checkpoint", hint=f"delete {folder} and run again; {then}")
