"""The model with the adapter worked in, as a Hugging Face folder: transformers, mlx-lm and LM
Studio read it without knowing of any adapter.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from augmlx.core.errors import storage_errors
from augmlx.core.files import atomic_path, write_json, write_text
from augmlx.core.records import Json
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.models.formats import model_folder, safetensors
from augmlx.models.formats.safetensors import Dtype

# What goes over as it is, where the base has it. A tokenizer's config is rid of names of folders.
_COPIED = (
    model_folder.GENERATION_CONFIG,
    model_folder.TOKENIZER,
    model_folder.SENTENCEPIECE,
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
_NAMES_FOLDERS = ("_name_or_path", "name_or_path", "transformers_version", "tokenizer_file")
KEY = model_folder.CONFIG
FILES = (  # names, and a pattern: mlx-lm writes large models in several files
    KEY,
    model_folder.WEIGHTS,
    model_folder.INDEX,
    "model-*-of-*.safetensors",
    model_folder.TOKENIZER_CONFIG,
    model_folder.CHAT_TEMPLATE,
    *_COPIED,
)
# The types of numbers that can be written; others are written in the widest.
DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")


def write_fused(weights: FusedWeights, out: Path, dtype: Dtype, template: str | None) -> None:
    """Write the folder's files, config.json last: nothing loads it without.

    Args:
        dtype: of every tensor.
        template: the chat template that the model was trained with.

    Raises:
        ModelError: a trained module has no weight of its own in the model's files.
        StorageError: the folder cannot be written.
    """
    base = weights.model.path
    for name in _COPIED:
        if (base / name).is_file():
            with atomic_path(out / name) as beside, storage_errors(base / name):
                shutil.copyfile(base / name, beside)
    tokenizer_config = _without_folders(_object(base / model_folder.TOKENIZER_CONFIG))
    tokenizer_config.pop("chat_template", None)
    if template is not None:
        tokenizer_config["chat_template"] = template
        write_text(out / model_folder.CHAT_TEMPLATE, template)
    write_json(out / model_folder.TOKENIZER_CONFIG, tokenizer_config)
    shapes = weights.shapes
    safetensors.write(out / model_folder.WEIGHTS, shapes.items(), weights.read, dtype)
    config = _without_folders(weights.config)
    write_json(out / KEY, {**config, "dtype": dtype, "torch_dtype": dtype})


def own_dtype(weights: FusedWeights) -> Dtype:
    """The type that the model computes in, as its record or its config has it."""
    said = weights.model.dtype or weights.config.get("dtype") or weights.config.get("torch_dtype")
    return next((dtype for dtype in DTYPES if dtype == said), "float32")


def _object(path: Path) -> Json:
    if not path.is_file():
        return {}
    with storage_errors(path):
        value: Json = json.loads(path.read_text("utf-8"))
    return value


def _without_folders(config: Json) -> Json:
    return {key: value for key, value in config.items() if key not in _NAMES_FOLDERS}
