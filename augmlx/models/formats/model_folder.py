"""A model folder as Hugging Face and mlx-lm lay it out: its files' names, and whether it is whole.

Nothing here runs code that came with a model, and nothing opens a pickle.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import file_sha256
from augmlx.models.formats import safetensors

CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
TOKENIZER = "tokenizer.json"
SENTENCEPIECE = "tokenizer.model"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

# Everything besides the weights that decides what the model says.
_HASHED = (CONFIG, TOKENIZER, SENTENCEPIECE, TOKENIZER_CONFIG, CHAT_TEMPLATE)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_ASKS_TO_RUN_CODE = ("auto_map", "model_file")  # keys of a config
_SAMPLE = 1 << 20  # bytes of one sample of an outside folder's weights
_SAMPLES = 4
_NOT_A_FOLDER = "point at an mlx-lm or Hugging Face model folder"
_COPY_AGAIN = "copy or pull the model again"


def read_config(folder: Path) -> dict[str, Any]:
    """The object that a model folder's config.json holds. Raises ModelError."""
    return _read_object(folder / CONFIG, f"{folder}: not a model folder: no {CONFIG}")


def check_config(folder: Path) -> None:
    """Refuse a model whose config or tokenizer config asks to run Python code of its own.

    Raises:
        ModelError: it does, or there is no config.json.
    """
    configs = {CONFIG: read_config(folder)}
    tokenizer_config = folder / TOKENIZER_CONFIG
    if tokenizer_config.is_file():
        configs[TOKENIZER_CONFIG] = _read_object(tokenizer_config, str(tokenizer_config))
    for file_name, config in configs.items():
        for key in _ASKS_TO_RUN_CODE:
            if config.get(key):
                raise ModelError(
                    f"{folder / file_name}: asks to run Python code that came with the model "
                    f"('{key}')",
                    hint="augmlx never runs such code; "
                    "choose a model that mlx-lm supports by itself",
                )


def check(folder: Path) -> None:
    """Refuse a folder that does not hold a whole model which is safe to open.

    Raises:
        ModelError: what is missing, torn or unsafe.
        StorageError: it cannot be read.
    """
    check_config(folder)
    weights = sorted(folder.glob("model*.safetensors"))
    if not weights:
        raise _no_weights(folder)
    _check_index(folder, weights)
    for path in weights:
        safetensors.read_header(path)
    if not any((folder / name).is_file() for name in (TOKENIZER, SENTENCEPIECE)):
        raise ModelError(
            f"{folder}: no {TOKENIZER}", hint="copy the tokenizer's files beside the weights"
        )


def fingerprint(folder: Path, *, sampled: bool) -> str:
    """sha256 (hex) over config, tokenizer and weights; never over times or paths.

    Args:
        sampled: of each weight file take size, header and a few megabytes only. A model of the
            store is hashed whole, once, when it is imported; hashing a large outside folder at each
            start would take minutes.

    Raises:
        StorageError: a file cannot be read.
    """
    total = hashlib.sha256()
    configs = [folder / name for name in _HASHED if (folder / name).is_file()]
    weights = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    digest_of_weights = _sampled_digest if sampled else file_sha256
    with storage_errors(folder):
        for path in configs:
            total.update(f"{path.name} {file_sha256(path)}\n".encode())
        for path in weights:
            total.update(f"{path.name} {digest_of_weights(path)}\n".encode())
    return total.hexdigest()


def count_parameters(folder: Path) -> int:
    """How many numbers the tensors of a model folder hold."""
    return sum(safetensors.count_numbers(path) for path in folder.glob("*.safetensors"))


def _no_weights(folder: Path) -> ModelError:
    pickles = {path.name for pattern in _PICKLES for path in folder.glob(pattern)}
    if pickles:
        listed = ", ".join(sorted(pickles))
        return ModelError(
            f"{folder}: weights are Python pickles ({listed}), which can run code when opened",
            hint="choose a safetensors version of the model",
        )
    return ModelError(f"{folder}: no model*.safetensors", hint=_NOT_A_FOLDER)


def _check_index(folder: Path, weights: list[Path]) -> None:
    """Raises ModelError where the index, if there is one, names files that are not there."""
    index = folder / INDEX
    if not index.is_file():
        return
    weight_map = _read_object(index, str(index)).get("weight_map") or {}
    missing = set(weight_map.values()) - {path.name for path in weights}
    if missing and not _holds(folder / WEIGHTS, set(weight_map)):
        listed = ", ".join(sorted(missing))
        raise ModelError(f"{folder}: missing weights: {listed}", hint=_COPY_AGAIN)


def _holds(path: Path, tensors: set[str]) -> bool:
    """Whether one file holds all tensors that a stale index tells of, of shards that are gone."""
    return path.is_file() and tensors <= set(safetensors.read_header(path))


def _read_object(path: Path, missing: str) -> dict[str, Any]:
    """The JSON object of a file; `missing` is the error's text where there is no such file."""
    if not path.is_file():
        raise ModelError(missing, hint=_NOT_A_FOLDER)
    try:
        with storage_errors(path):
            value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: not valid JSON: {error}", hint=_COPY_AGAIN) from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: not a JSON object", hint=_COPY_AGAIN)
    return value


def _sampled_digest(path: Path) -> str:
    """sha256 over a weight file's size, its header and samples spread evenly over it."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        digest.update(file.read(8 + header_length))
        for step in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE) * step // max(1, _SAMPLES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()
