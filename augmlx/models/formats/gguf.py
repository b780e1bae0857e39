"""GGUF -> model folder, for the architectures of gguf_architectures.py: any tensor type that the
gguf library can dequantise.

The result is a plain Hugging Face folder, which mlx-lm and transformers both read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import storage_errors
from augmlx.core.files import make_folder, write_json
from augmlx.core.progress import Progress
from augmlx.core.records import Json
from augmlx.models.formats import (
    gguf_config,
    gguf_file,
    gguf_tensors,
    gguf_tokenizer,
    model_folder,
    safetensors,
)
from augmlx.models.formats.safetensors import Dtype

_HUB = "https://huggingface.co/"
# Where a file may name the repository that it was made from, the most particular first.
_SOURCE_URLS = ("general.source.repo_url", "general.source.url", "general.repo_url")


def convert(path: Path, folder: Path, *, dtype: Dtype, progress: Progress) -> Json:
    """Convert a GGUF file into the model folder `folder`, which is made.

    Returns:
        What the file says of itself, for the model's card: source, license, hf_base, dtype, bits,
        parameters.

    Raises:
        ModelError: not a GGUF file that this importer reads; everything is checked before anything
            is written.
        StorageError: reading or writing failed.
    """
    file = gguf_file.read(path)
    config = gguf_config.build(file, dtype)
    sources = gguf_tensors.source_names(file, config)
    tokenizer, tokenizer_config = gguf_tokenizer.build(file.path, file.metadata)
    make_folder(folder)
    with progress.task("converting", len(sources)) as task:

        def produce(name: str) -> npt.NDArray[np.float32]:
            task.advance()
            return gguf_tensors.read_tensor(file, sources[name], config)

        shapes = {name: file.shape(source) for name, source in sources.items()}
        safetensors.write(folder / model_folder.WEIGHTS, shapes.items(), produce, dtype)
    write_json(folder / model_folder.CONFIG, config)
    write_json(folder / model_folder.GENERATION_CONFIG, gguf_config.special_tokens(config))
    with storage_errors(folder):
        tokenizer.save(str(folder / model_folder.TOKENIZER))
    write_json(folder / model_folder.TOKENIZER_CONFIG, tokenizer_config)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    return {**_about(file.metadata), "dtype": dtype, "bits": None, "parameters": parameters}


def begins_as_one(path: Path) -> bool:
    """Whether a file begins as GGUF does, whatever its name."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def _about(metadata: Mapping[str, Any]) -> Json:
    """Origin as the file tells it. `hf_base` only where a Hugging Face repository is named as its
    source.
    """
    name = metadata.get("general.name") or "a model without a name"
    return {
        "source": f"GGUF file of {name}",
        "license": metadata.get("general.license"),
        "hf_base": _repository(metadata),
    }


def _repository(metadata: Mapping[str, Any]) -> str | None:
    """The Hugging Face repository (org/name) that the file names as its source."""
    repository: str | None = metadata.get("general.source.huggingface.repository")
    if repository:
        return repository
    for key in _SOURCE_URLS:
        url = str(metadata.get(key, ""))
        if url.startswith(_HUB):
            return "/".join(url.removeprefix(_HUB).split("/")[:2])
    return None
