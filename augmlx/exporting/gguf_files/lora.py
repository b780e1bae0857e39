"""An adapter alone, as the GGUF file that llama.cpp loads over a base with --lora."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from augmlx.core.errors import ModelError
from augmlx.core.files import atomic_path
from augmlx.core.records import AdapterSpec
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files.keys import GgufKind, kind_of
from augmlx.exporting.gguf_files.model import begin_tensors, declare, encoded
from augmlx.exporting.peft import to_peft, whole_alpha
from augmlx.exporting.trained_matrices import Array, Matrices, Place

FILE = "adapter.gguf"
_F32 = gguf.GGMLQuantizationType.F32


def write_lora(weights: FusedWeights, path: Path, title: str) -> int:
    """Write the file, in float32; it appears whole or not at all. Returns its alpha.

    llama.cpp multiplies B A by alpha / rank, each module's own rank, with one alpha for all: where
    that is not the scale, B carries the difference.

    Raises:
        ModelError: DoRA or a full training, or an architecture without a proven map.
        StorageError: it cannot be written.
    """
    spec = check(weights)
    kind = kind_of(weights.config, weights.model.name)
    alpha = whole_alpha(spec.rank, spec.scale).whole
    tensors: dict[str, Array] = {}
    for place, matrices in weights.matrices.items():
        name = _name(kind, place)
        lora_a, lora_b = _as_read(matrices, spec.scale, alpha)
        tensors[f"{name}.weight.lora_a"] = lora_a
        tensors[f"{name}.weight.lora_b"] = kind.rows(name)(lora_b)
    with atomic_path(path) as beside:
        writer = gguf.GGUFWriter(beside, kind.architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(alpha))
        writer.add_name(title)
        for name, array in tensors.items():
            declare(writer, name, array.shape, _F32)
        begin_tensors(writer)
        for name, array in tensors.items():
            writer.write_tensor_data(encoded(array, _F32, name))
        writer.close()
    return alpha


def check(weights: FusedWeights) -> AdapterSpec:
    """What the adapter is. Raises ModelError where it has no such form."""
    spec = weights.spec
    assert spec is not None
    if spec.kind != "lora":
        method = "DoRA" if spec.kind == "dora" else "a full training"
        raise ModelError(
            f"{weights.adapter}: {method} has no form in llama.cpp's adapters: they are plain LoRA",
            hint="export --format gguf works it into the whole model",
        )
    kind = kind_of(weights.config, weights.model.name)
    for place in weights.matrices:
        _name(kind, place)
    return spec


def _name(kind: GgufKind, place: Place) -> str:
    if place.is_embedding:
        raise ModelError(
            f"{place.path()}: adapters of the embedding have no proven form in llama.cpp",
            hint="export --format gguf works it into the whole model",
        )
    name = kind.name(place.path())
    if name is None:
        raise ModelError(f"{place.path()}: has no name in GGUF for {kind.architecture}")
    return name


def _as_read(matrices: Matrices, scale: float, alpha: int) -> tuple[Array, Array]:
    """A (r, in) and B (out, r), for a reader that multiplies by alpha / r."""
    lora_a, lora_b = to_peft(matrices.lora_a, matrices.lora_b)
    rest = scale * len(lora_a) / alpha
    if not np.isclose(rest, 1.0, rtol=1e-9, atol=0):
        lora_b = (lora_b.astype(np.float64) * rest).astype(np.float32)  # rounded once
    return lora_a, lora_b
