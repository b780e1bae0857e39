"""Checkpoints: adapter weights, optimizer state and position, whole or not at all, the newest two kept.

There is no generator state to keep: every step derives its randomness from the seed and its own number.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_unflatten

from augmlx.errors import RunError, storage_errors
from augmlx.files import make_folder, write_json
from augmlx.training.adapter import save_arrays

_KEPT = 2


@dataclass(frozen=True, slots=True)
class Position:
    """Where a training stands: `step` optimizer steps are done; `tokens` carried loss so far."""

    step: int
    tokens: int


def save(folder: Path, position: Position, model: nn.Module, optimizer: optim.Optimizer, fingerprint: str) -> None:
    """Write a checkpoint for `position` and rotate the older ones away."""
    target = folder / f"step-{position.step:08d}"
    building = folder / f".part-{os.getpid()}-{target.name}"
    with storage_errors(folder):
        make_folder(building)
        save_arrays(dict(tree_flatten(model.trainable_parameters())), building / "weights.safetensors")
        save_arrays(dict(tree_flatten(optimizer.state)), building / "optimizer.safetensors")
        state = {"step": position.step, "tokens": position.tokens, "fingerprint": fingerprint}
        write_json(building / "state.json", state)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
        for old in sorted(folder.glob("step-*"))[:-_KEPT]:
            shutil.rmtree(old)


def load_latest(folder: Path, model: nn.Module, optimizer: optim.Optimizer, fingerprint: str) -> Position | None:
    """Bring model and optimizer to the newest checkpoint of this very training; None where there is none.

    Checkpoints of another training (other data, settings or model) are deleted. Raises RunError for a damaged one.
    """
    with storage_errors(folder):
        for part in folder.glob(".part-*"):
            shutil.rmtree(part)
        for path in sorted(folder.glob("step-*"), reverse=True):
            state = _read_state(path)
            if state["fingerprint"] != fingerprint:
                shutil.rmtree(path)
                continue
            model.update(tree_unflatten(list(_arrays(path / "weights.safetensors").items())))
            optimizer.state = tree_unflatten(list(_arrays(path / "optimizer.safetensors").items()))
            return Position(step=state["step"], tokens=state["tokens"])
    return None


def _arrays(path: Path) -> dict[str, mx.array]:
    try:
        arrays = mx.load(str(path))
    except (RuntimeError, ValueError) as error:
        raise RunError(f"{path}: damaged checkpoint", hint="delete that folder and run again") from error
    if not isinstance(arrays, dict):
        raise RunError(f"{path}: damaged checkpoint", hint="delete that folder and run again")
    return arrays


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((path / "state.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged checkpoint", hint="delete that folder and run again") from error
    return state
