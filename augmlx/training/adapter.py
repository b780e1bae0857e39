"""Adapters: what is trained of a model, and the weights of mlx-lm's adapter folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers

from augmlx.core.errors import StorageError
from augmlx.core.files import atomic_path, make_folder
from augmlx.core.records import AdapterSpec
from augmlx.models.formats import adapter_folder

# The axis of the rank in a matrix, by its name and the number of its axes: (in, r) and (r, out); of
# E experts (E, r, in) and (E, out, r).
_RANK_AXIS = {("lora_a", 2): 1, ("lora_b", 2): 0, ("lora_a", 3): 1, ("lora_b", 3): 2}


def attach(model: nn.Module, spec: AdapterSpec, seed: int) -> None:
    """Freeze the model save for what `spec` trains.

    LoRA and DoRA layers are fresh, the same ones for the same seed, with B at zero; they are
    float32. Of a full training, the weights and biases are.
    """
    model.freeze()
    mx.random.seed(seed % 2**64)  # all that it takes
    if spec.kind == "full":
        for layer in model.layers[-spec.layers :]:
            for path, module in layer.named_modules():
                if path in spec.targets:
                    _widen(module)
                    module.unfreeze(recurse=False)
        return
    ranks = {spec.rank_of(target) for target in spec.targets}
    for rank in sorted(ranks):
        keys = [target for target in spec.targets if spec.rank_of(target) == rank]
        parameters = {**adapter_folder.lora_parameters(spec), "rank": rank, "keys": keys}
        linear_to_lora_layers(model, spec.layers, parameters, use_dora=spec.kind == "dora")


def _widen(module: nn.Module) -> None:
    """Keep 16-bit weights in float32, where a small update is not lost, and compute in their own
    type as before: wide outputs would widen everything behind them.
    """
    kind = type(module)
    dtype = module.weight.dtype
    if dtype == mx.float32:
        return

    class Widened(kind):  # type: ignore[valid-type, misc]
        narrow = dtype

        def __call__(self, *args: Any, **named: Any) -> Any:
            plain = kind.__new__(kind)
            dict.update(plain, self)
            vars(plain).update(vars(self))
            plain.set_dtype(dtype)
            return plain(*args, **named)

    module.__class__ = Widened
    module.set_dtype(mx.float32)


def save(model: nn.Module, spec: AdapterSpec, folder: Path) -> None:
    """Write the adapter folder; the weights appear whole, and before the config that points to
    them.
    """
    make_folder(folder)
    arrays = _narrowed(model)
    if spec.ranks:
        arrays = {name: _padded(name, array, spec.rank) for name, array in arrays.items()}
    save_arrays(arrays, folder / adapter_folder.WEIGHTS)
    adapter_folder.write_config(spec, folder)


def _narrowed(model: nn.Module) -> dict[str, mx.array]:
    """The trained arrays, widened weights in the type that they compute in."""
    arrays: dict[str, mx.array] = dict(tree_flatten(model.trainable_parameters()))
    for path, module in model.named_modules():
        if not hasattr(module, "narrow"):
            continue
        widened: dict[str, mx.array] = dict(
            tree_flatten(module.trainable_parameters(), prefix=f".{path}")
        )
        for name, array in widened.items():
            arrays[name] = array.astype(module.narrow)
    return arrays


def _padded(name: str, array: mx.array, rank: int) -> mx.array:
    """A matrix of a smaller rank padded with zeros to `rank`, the largest and the one that mlx-lm
    knows; the function is the same.

    Args:
        array: (in, r) or (r, out); of experts (E, r, in) or (E, out, r). Others are left alone.
    """
    rank_axis = _RANK_AXIS.get((name.rpartition(".")[2], array.ndim))
    if rank_axis is None:
        return array
    widths = [(0, 0)] * array.ndim
    widths[rank_axis] = (0, rank - array.shape[rank_axis])
    return mx.pad(array, widths)


def save_arrays(
    arrays: dict[str, mx.array], path: Path, about: dict[str, str] | None = None
) -> None:
    """Arrays to a private safetensors file that appears whole or not at all, with the names in
    sorted order, and what is said `about` them in its head.
    """
    with atomic_path(path) as beside:
        try:
            mx.save_safetensors(str(beside), dict(sorted(arrays.items())), about)
        except RuntimeError as error:  # mlx's own word for a write that failed
            raise StorageError(
                f"{path}: cannot be written", hint="free some space and run again; it resumes"
            ) from error
