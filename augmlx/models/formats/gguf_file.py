"""A GGUF file, opened: its metadata, and its tensors as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError, storage_errors
from augmlx.models.formats.gguf_architectures import ARCHITECTURES, Architecture

_TORN = "copy or download it again"


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF file: its metadata as plain values and its tensors, mapped and not yet read."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Any]  # name -> gguf.ReaderTensor

    @property
    def architecture(self) -> str:
        """The name that the file has for its architecture, one of ARCHITECTURES."""
        return str(self.metadata["general.architecture"])

    @property
    def kind(self) -> Architecture:
        """What sets its architecture apart."""
        return ARCHITECTURES[self.architecture]

    def value(self, key: str, default: Any = None) -> Any:
        """A key of the file's architecture."""
        return self.metadata.get(f"{self.architecture}.{key}", default)

    def required(self, key: str) -> Any:
        """The same where there must be one. Raises ModelError."""
        value = self.value(key)
        if value is None:
            name = f"{self.architecture}.{key}"
            raise ModelError(f"{self.path}: no '{name}' in its metadata", hint=_TORN)
        return value

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, the slowest axis first; GGUF lists the fastest first."""
        return tuple(int(size) for size in reversed(self.tensors[name].shape))

    def array(self, name: str) -> npt.NDArray[np.float32]:
        """A tensor in float32, dequantised. Raises ModelError for a type that cannot be."""
        tensor = self.tensors[name]
        try:
            array = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise ModelError(
                f"{self.path}: {name} is of type {tensor.tensor_type.name}, which cannot be read"
            ) from error
        return np.asarray(array, dtype=np.float32).reshape(self.shape(name))


def read(path: Path) -> GgufFile:
    """Open a GGUF file.

    Raises:
        ModelError: not GGUF, torn, or of an architecture that cannot be imported.
        StorageError: it cannot be read.
    """
    with storage_errors(path), path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(
                f"{path}: not a GGUF file",
                hint="give a .gguf file, or a name: augmlx pull smollm2-135m",
            )
    try:
        reader = gguf.GGUFReader(path)
        metadata = {name: field.contents() for name, field in reader.fields.items()}
    except (ValueError, IndexError, KeyError, OverflowError, MemoryError) as error:
        raise ModelError(f"{path}: a torn or damaged GGUF file", hint=_TORN) from error
    if int(metadata.get("split.count") or 0) > 1:
        raise ModelError(
            f"{path}: one of {metadata['split.count']} parts of a model",
            hint="make one file of them: llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf",
        )
    architecture = metadata.get("general.architecture")
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(
            f"{path}: architecture '{architecture}' cannot be imported (these can: {known})",
            hint="pull the model from Hugging Face instead: augmlx pull ORG/NAME",
        )
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    return GgufFile(path, metadata, tensors)
