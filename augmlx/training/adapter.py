"""Adapters: attaching LoRA layers, and reading and writing mlx-lm's adapter folder.

`mlx_lm.generate --adapter-path` reads what is written here. Unlike mlx-lm's own file, adapter_config.json holds no data
path and no argument that says anything about this machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers

from augmlx.errors import BadSettings, ModelError, StorageError, storage_errors
from augmlx.files import atomic_path, file_sha256, make_folder, write_json
from augmlx.models.loading import LoadedModel
from augmlx.records import AdapterSpec, fingerprint
from augmlx.settings import TrainSettings

WEIGHTS, CONFIG = "adapters.safetensors", "adapter_config.json"


def plan(loaded: LoadedModel, settings: TrainSettings) -> AdapterSpec:
    """Which modules get an adapter.

    Raises BadSettings for more layers than there are, or a target that no module is named after: mlx-lm itself would
    take it and silently train nothing.
    """
    layers = loaded.model.layers
    count = len(layers) if settings.layers in (-1, 0) else settings.layers
    if count > len(layers):
        raise BadSettings(f"train.layers: {count} asked for, the model has {len(layers)}", hint="use -1 for all")
    linear = {
        path
        for layer in layers[-count:]
        for path, module in layer.named_modules()
        if isinstance(module, (nn.Linear, nn.QuantizedLinear)) or hasattr(module, "to_lora")
    }
    names = {path.rsplit(".", 1)[-1] for path in linear}
    if unknown := [target for target in settings.targets if target not in names and target not in linear]:
        raise BadSettings(
            f"train.targets: the model has no linear module {', '.join(unknown)}",
            hint=f"its linear modules: {', '.join(sorted(names))}",
        )
    paths = sorted(path for path in linear if path in settings.targets or path.rsplit(".", 1)[-1] in settings.targets)
    return AdapterSpec(
        base=loaded.stored.name,
        hf_base=loaded.stored.hf_base,
        rank=settings.rank,
        scale=settings.scale,
        dropout=settings.dropout,
        targets=tuple(paths),
        layers=count,
        total_layers=len(layers),
    )


def attach(model: nn.Module, spec: AdapterSpec, seed: int) -> None:
    """Freeze the model and give it fresh LoRA layers, the same ones for the same seed. B starts at zero."""
    model.freeze()
    mx.random.seed(seed)
    linear_to_lora_layers(model, spec.layers, _lora_parameters(spec))


def _lora_parameters(spec: AdapterSpec) -> dict[str, Any]:
    return {"rank": spec.rank, "scale": spec.scale, "dropout": spec.dropout, "keys": list(spec.targets)}


def save(model: nn.Module, spec: AdapterSpec, folder: Path) -> None:
    """Write the adapter folder; the weights appear whole, and before the config that points to them."""
    make_folder(folder)
    save_arrays(dict(tree_flatten(model.trainable_parameters())), folder / WEIGHTS)
    config = {
        "fine_tune_type": spec.kind,
        "num_layers": spec.layers,
        "lora_parameters": _lora_parameters(spec),
        "model": spec.hf_base or spec.base,
        "augmlx": {"base": spec.base, "hf_base": spec.hf_base, "total_layers": spec.total_layers},
    }
    write_json(folder / CONFIG, config)


def save_arrays(arrays: dict[str, mx.array], path: Path) -> None:
    """Arrays to a private safetensors file that appears whole or not at all, with the names in sorted order."""
    with atomic_path(path) as beside:
        try:
            mx.save_safetensors(str(beside), dict(sorted(arrays.items())))
        except RuntimeError as error:  # mlx's own word for a write that failed
            raise StorageError(
                f"{path}: cannot be written", hint="free some space and run again; it resumes"
            ) from error


def read_spec(folder: Path) -> AdapterSpec:
    """The spec of a saved adapter. Raises ModelError where the folder holds none that augmlx wrote."""
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        lora, ours = config["lora_parameters"], config["augmlx"]
        return AdapterSpec(
            base=ours["base"],
            hf_base=ours["hf_base"],
            rank=lora["rank"],
            scale=lora["scale"],
            dropout=lora["dropout"],
            targets=tuple(lora["keys"]),
            layers=config["num_layers"],
            total_layers=ours["total_layers"],
            kind=config["fine_tune_type"],
        )
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: no adapter here", hint="train one first: augmlx train RUN") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG}: not an adapter of augmlx", hint="train it again") from error


def adapter_fingerprint(folder: Path) -> str:
    """sha256 over the adapter's weights and config."""
    with storage_errors(folder):
        return fingerprint([file_sha256(folder / WEIGHTS), (folder / CONFIG).read_text("utf-8")])
