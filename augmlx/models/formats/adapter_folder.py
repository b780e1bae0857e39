"""mlx-lm's adapter folder: its two files, and what the config says.

`mlx_lm.generate --adapter-path` reads such a folder. Unlike mlx-lm's own file, the config written
here holds no data path and no argument that says anything about this machine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from augmlx.core.errors import BadSettings, ModelError, storage_errors
from augmlx.core.files import file_sha256, write_json
from augmlx.core.records import AdapterSpec, Json, fingerprint
from augmlx.models.formats.safetensors import read_header

WEIGHTS, CONFIG = "adapters.safetensors", "adapter_config.json"
FILES = (WEIGHTS, CONFIG)
_PLACE = re.compile(r".*?layers\.(?P<layer>\d+)\.(?P<module>.+)\.(lora_[ab]|m|weight)$")


def write_config(spec: AdapterSpec, folder: Path) -> None:
    """Write the config; it points to the weights, so they are written before it."""
    config = {
        "fine_tune_type": spec.kind,
        "num_layers": spec.layers,
        "lora_parameters": lora_parameters(spec),
        "model": spec.hf_base or spec.base,
        "augmlx": {
            "base": spec.base,
            "hf_base": spec.hf_base,
            "total_layers": spec.total_layers,
            "ranks": dict(spec.ranks),
        },
    }
    write_json(folder / CONFIG, config)


def lora_parameters(spec: AdapterSpec) -> Json:
    """What mlx-lm's `linear_to_lora_layers` takes as its config."""
    return {
        "rank": spec.rank,
        "scale": spec.scale,
        "dropout": spec.dropout,
        "keys": list(spec.targets),
    }


def read_spec(folder: Path) -> AdapterSpec:
    """The spec of a saved adapter, by augmlx or by mlx_lm.lora. Raises ModelError where the folder
    holds none.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        if "augmlx" not in config:
            return _spec_of_mlx_lm(folder, config)
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
            ranks=tuple(ours["ranks"].items()),
        )
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder}: no adapter here", hint="train one first: augmlx train RUN"
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{folder / CONFIG}: not an adapter of augmlx or of mlx-lm",
            hint="train it again; an adapter of PEFT is in its form already",
        ) from error


def _spec_of_mlx_lm(folder: Path, config: Json) -> AdapterSpec:
    """What mlx-lm's own config says, and the names of the tensors where it says nothing. Raises
    KeyError, ValueError and their like where it is none.
    """
    lora, base = config["lora_parameters"], str(config["model"])
    places = [_PLACE.match(name) for name in read_header(folder / WEIGHTS)]
    found = [place for place in places if place is not None]
    layers = {int(place["layer"]) for place in found}
    targets = tuple(dict.fromkeys(place["module"] for place in found))
    is_name = base.count("/") == 1 and not base.startswith((".", "/", "~"))
    return AdapterSpec(
        base=base,
        hf_base=base if is_name else None,
        rank=int(lora["rank"]),
        scale=float(lora["scale"]),
        dropout=float(lora.get("dropout", 0.0)),
        targets=targets,
        layers=len(layers),
        total_layers=max(layers) + 1,  # adapters lie on the last layers
        kind=config["fine_tune_type"],
    )


def is_adapter(folder: Path) -> bool:
    """Whether a folder is an adapter's, and not one that holds an adapter."""
    return all((folder / name).is_file() for name in FILES)


def require_adapter_of(folder: Path, model: str, place: str) -> None:
    """Raises BadSettings where a folder that the user named holds no adapter, ours or mlx-lm's, or
    one that is known to be of another model.

    Args:
        model: the model's name in the store.
        place: where the folder was named, for the message.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        base = config["augmlx"]["base"] if "augmlx" in config else model
        if "fine_tune_type" not in config or not (folder / WEIGHTS).is_file():
            raise ValueError(folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        hint = f"name the folder that holds {WEIGHTS} and {CONFIG}, as mlx-lm writes them"
        raise BadSettings(f"{place}: {folder} is no adapter", hint=hint) from error
    if base != model:
        raise BadSettings(
            f"{place}: {folder} was trained on {base}, not on {model}", hint="leave it out"
        )


def adapter_fingerprint(folder: Path) -> str:
    """sha256 over the adapter's weights and config."""
    with storage_errors(folder):
        return fingerprint([file_sha256(folder / WEIGHTS), (folder / CONFIG).read_text("utf-8")])
