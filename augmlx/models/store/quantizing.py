"""A stored model in fewer bits: mlx-lm's affine quantisation."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.progress import Progress
from augmlx.core.records import Json
from augmlx.models import loading
from augmlx.models.formats import model_folder
from augmlx.models.store import folder as store

if TYPE_CHECKING:
    from mlx.nn.layers.base import Module

GROUP_SIZE = 64  # weights that share a scale and a bias


def quantize(source: Path, target: Path, bits: int, about: Json, progress: Progress) -> Json:
    """Write the model folder `target`: the model at `source` with so many bits a weight.

    Args:
        about: what the card of `source` says.

    Returns:
        What the card of `target` is to say.

    Raises:
        ModelError: it is quantised already, or cannot be.
        StorageError: it cannot be written.
    """
    if about.get("bits"):
        raise ModelError("the model is quantised already", hint="pull it without --quantize")
    progress.say(f"quantising to {bits} bits")
    model, config = _quantized(source, bits)
    with storage_errors(target):
        _write(model, config, target)
        _copy_rest(source, target)
    return {**about, "bits": bits}


def _quantized(source: Path, bits: int) -> tuple[Module, dict[str, Any]]:
    """The quantised model, still to be computed, and its config."""
    from mlx_lm import utils

    model, config = loading.load_lazily(source)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # mlx-lm prints; stdout is for data
            model, config = utils.quantize_model(model, config, GROUP_SIZE, bits)
    except ValueError as error:
        raise ModelError(f"{source.name}: cannot be quantised: {error}") from error
    return model, config


def _write(model: Module, config: dict[str, Any], target: Path) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm import utils

    arrays: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    for array in arrays.values():
        mx.eval(array)  # one by one: the 16-bit weights are never in memory all at once
    utils.save_model(target, model)
    utils.save_config(config, target / model_folder.CONFIG)


def _copy_rest(source: Path, target: Path) -> None:
    """Copy the tokenizer and all else that quantising leaves as it is."""
    rewritten = (model_folder.INDEX, model_folder.CONFIG, store.CARD)
    for path in source.iterdir():
        is_weights = path.suffix == ".safetensors"
        if path.is_file() and not is_weights and path.name not in rewritten:
            shutil.copyfile(path, target / path.name)
