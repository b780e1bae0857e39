"""A model with the adapter worked in, as one GGUF file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from augmlx.core.errors import ModelError
from augmlx.core.files import atomic_path
from augmlx.exporting.forms import WeightType
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import keys, vocabulary
from augmlx.exporting.gguf_files.keys import GgufKind
from augmlx.exporting.trained_matrices import Array

FILE = "model.gguf"

_TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
_EMBEDDING, _NORM, _HEAD = "model.embed_tokens", "model.norm", "lm_head"
_UNUSED = "rotary_emb.inv_freq"  # of old files: computed again by all who read them


def write_model(
    weights: FusedWeights, path: Path, title: str, weight_type: WeightType, template: str | None
) -> None:
    """Write the file; it appears whole or not at all.

    Args:
        title: what the file is called inside; nothing of this machine.
        weight_type: of matrices; norms and biases are in f32.
        template: the chat template that the model was trained with.

    Raises:
        ModelError: the architecture, a setting, a tensor or the tokenizer has no proven form in
            GGUF; before anything is written.
        StorageError: it cannot be written.
    """
    kind = keys.kind_of(weights.config, weights.model.name)
    sources = _sources(weights, kind)
    extra = keys.rope_freqs(weights.config)
    vocabulary_keys = vocabulary.metadata(
        weights.model.path, int(weights.config["vocab_size"]), template
    )
    with atomic_path(path) as beside:
        writer = gguf.GGUFWriter(beside, kind.architecture)
        writer.add_name(title)
        writer.add_file_type(_TYPES[weight_type][1])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        keys.write_keys(writer, kind, weights.model.name)
        write_values(writer, vocabulary_keys)
        shapes = {name: weights.shapes[source] for name, source in sources.items()}
        shapes |= {name: array.shape for name, array in extra.items()}
        types = {name: _type_of(shape, weight_type) for name, shape in shapes.items()}
        for name, shape in shapes.items():
            declare(writer, name, shape, types[name])
        begin_tensors(writer)
        for name in shapes:
            array = extra[name] if name in extra else _array(weights, kind, name, sources[name])
            writer.write_tensor_data(encoded(array, types[name], name))
        writer.close()


def check(weights: FusedWeights, template: str | None) -> None:
    """Raises ModelError where the model has no such form; nothing is written."""
    kind = keys.kind_of(weights.config, weights.model.name)
    _sources(weights, kind)
    keys.write_keys(gguf.GGUFWriter(None, kind.architecture), kind, weights.model.name)
    vocabulary.metadata(weights.model.path, int(weights.config["vocab_size"]), template)
    assert weights.trained


def write_values(writer: gguf.GGUFWriter, values: Mapping[str, Any]) -> None:
    """Plain values under their keys, in the types that llama.cpp reads them in."""
    for key, value in values.items():
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)


def declare(
    writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: gguf.GGMLQuantizationType
) -> None:
    """Say of a tensor that it will come, in the order of the calls."""
    if kind == gguf.GGMLQuantizationType.F32:
        writer.add_tensor_info(name, shape, np.dtype(np.float32), math.prod(shape) * 4)
        return
    if kind == gguf.GGMLQuantizationType.F16:
        writer.add_tensor_info(name, shape, np.dtype(np.float16), math.prod(shape) * 2)
        return
    in_bytes = gguf.quant_shape_to_byte_shape(shape, kind)
    writer.add_tensor_info(name, in_bytes, np.dtype(np.uint8), math.prod(in_bytes), kind)


def begin_tensors(writer: gguf.GGUFWriter) -> None:
    """Everything before the first tensor's numbers."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()


def encoded(array: Array, kind: gguf.GGMLQuantizationType, name: str) -> Any:
    """A tensor's numbers in a type of GGUF. Raises ModelError where float16 has no room for
    them.
    """
    if kind == gguf.GGMLQuantizationType.F32:
        return np.ascontiguousarray(array, dtype=np.float32)
    with np.errstate(over="ignore"):
        data = gguf.quants.quantize(np.ascontiguousarray(array, dtype=np.float32), kind)
    if data.dtype == np.float16 and not np.isfinite(data).all():
        raise ModelError(f"{name}: numbers too large for float16", hint="--type bf16")
    return data


def _type_of(shape: tuple[int, ...], weight_type: WeightType) -> gguf.GGMLQuantizationType:
    kind = _TYPES[weight_type][0]
    if len(shape) == 1:
        return gguf.GGMLQuantizationType.F32
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    return gguf.GGMLQuantizationType.F16 if shape[-1] % block else kind


def _array(weights: FusedWeights, kind: GgufKind, name: str, source: str) -> Array:
    array = weights.read(source)
    stem, _, part = name.rpartition(".")
    if kind.kind.norm_offset and name.endswith("norm.weight"):
        return np.asarray(array + np.float32(kind.kind.norm_offset))
    return kind.rows(stem)(array) if part == "weight" and array.ndim == 2 else array


def _sources(weights: FusedWeights, kind: GgufKind) -> dict[str, str]:
    """GGUF name -> name in the model's files. Raises ModelError that names every tensor without a
    counterpart, on either side.
    """
    wanted = set(_modules(kind))
    present = {name for name in weights.shapes if not name.endswith(_UNUSED)}
    strange = sorted((present - wanted) | (wanted - present))
    if strange:
        listed = ", ".join(strange[:8])
        raise ModelError(
            f"{weights.model.name}: not a plain {kind.architecture} model: {listed}",
            hint="export --format peft or fused",
        )
    ordered = [name for name in _modules(kind) if name in present]
    sources = {}
    for name in ordered:
        module, _, part = name.rpartition(".")
        gguf_name = kind.name(module)
        assert gguf_name is not None, module
        sources[f"{gguf_name}.{part}"] = name
    return sources


def _modules(kind: GgufKind) -> Iterator[str]:
    """The names of all tensors that a model of the kind has."""
    yield f"{_EMBEDDING}.weight"
    for layer in range(int(kind.config["num_hidden_layers"])):
        for module in kind.kind.weights:
            yield f"model.layers.{layer}.{module}.weight"
        for module in kind.kind.biases:
            yield f"model.layers.{layer}.{module}.bias"
    yield f"{_NORM}.weight"
    if not kind.config.get("tie_word_embeddings"):
        yield f"{_HEAD}.weight"
