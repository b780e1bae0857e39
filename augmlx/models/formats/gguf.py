"""GGUF -> model folder, for the llama architecture: any tensor type that the gguf library can
dequantise.

The result is a plain Hugging Face llama folder, which mlx-lm and transformers both read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.files import make_folder, write_json
from augmlx.core.progress import Progress
from augmlx.core.records import Json
from augmlx.models.formats import gguf_tokenizer
from augmlx.models.formats import safetensors as safetensors_format
from augmlx.models.formats.safetensors import Dtype

# GGUF's names inside a block -> Hugging Face's inside a layer.
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
# how llama 3.1 and later store their scaling: one factor for each frequency
_ROPE_FREQS = "rope_freqs.weight"
_TORN = "copy or download it again"


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF file: its metadata as plain values and its tensors, mapped and not yet read."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Any]  # name -> gguf.ReaderTensor

    def value(self, key: str, default: Any = None) -> Any:
        """A key of the llama architecture."""
        return self.metadata.get(f"llama.{key}", default)

    def required(self, key: str) -> Any:
        if (value := self.value(key)) is None:
            raise ModelError(f"{self.path}: no 'llama.{key}' in its metadata", hint=_TORN)
        return value


def read(path: Path) -> GgufFile:
    """Open a GGUF file.

    Raises:
        ModelError: not GGUF, torn, or not of the llama architecture.
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
    architecture = metadata.get("general.architecture")
    if architecture != "llama":
        raise ModelError(
            f"{path}: architecture '{architecture}'; only llama-type GGUF files can be imported",
            hint="pull the model from Hugging Face instead: augmlx pull ORG/NAME",
        )
    return GgufFile(path, metadata, {tensor.name: tensor for tensor in reader.tensors})


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
    file = read(path)
    config = _config(file, dtype)
    names = _tensor_names(file, config)
    tokenizer, tokenizer_config = gguf_tokenizer.build(file.path, file.metadata)
    make_folder(folder)
    with progress.task("converting", len(names)) as task:

        def produce(name: str) -> npt.NDArray[np.float32]:
            task.advance()
            return _tensor(file, names[name], config)

        shapes = [(name, _shape(file.tensors[source])) for name, source in names.items()]
        safetensors_format.write(folder / "model.safetensors", shapes, produce, dtype)
    write_json(folder / "config.json", config)
    special = {
        key: config[key]
        for key in ("bos_token_id", "eos_token_id", "pad_token_id")
        if key in config
    }
    write_json(folder / "generation_config.json", special)
    with storage_errors(folder):
        tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_config)
    parameters = sum(math.prod(shape) for _, shape in shapes)
    return {**_about(file.metadata), "dtype": dtype, "bits": None, "parameters": parameters}


def _about(metadata: Mapping[str, Any]) -> Json:
    """Origin as the file tells it. `hf_base` only where a Hugging Face repository is named as its
    source.
    """
    repository = metadata.get("general.source.huggingface.repository")
    for key in ("general.source.repo_url", "general.source.url", "general.repo_url"):
        if not repository and str(metadata.get(key, "")).startswith("https://huggingface.co/"):
            repository = "/".join(str(metadata[key]).split("/")[3:5])
    name = metadata.get("general.name") or "a model without a name"
    return {
        "source": f"GGUF file of {name}",
        "license": metadata.get("general.license"),
        "hf_base": repository,
    }


def _config(file: GgufFile, dtype: Dtype) -> Json:
    """config.json: a LlamaConfig. Raises ModelError for what that cannot say."""
    hidden, heads = int(file.required("embedding_length")), _uniform(file, "attention.head_count")
    head_dim = int(file.value("attention.key_length", hidden // heads))
    for key in ("attention.value_length", "rope.dimension_count"):
        if int(file.value(key, head_dim)) != head_dim:
            raise ModelError(
                f"{file.path}: '{key}' differs from the head size {head_dim}, which is not "
                f"supported"
            )
    if file.value("expert_count", 0):
        raise ModelError(f"{file.path}: a mixture of experts, which this importer does not support")
    if "token_embd.weight" not in file.tensors:
        raise ModelError(
            f"{file.path}: no token_embd.weight", hint="it is a torn file, or holds no weights"
        )
    config: Json = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": _uniform(file, "feed_forward_length"),
        "num_hidden_layers": int(file.required("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": _uniform(file, "attention.head_count_kv", heads),
        "head_dim": head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": _rounded(file.required("attention.layer_norm_rms_epsilon")),
        "vocab_size": _shape(file.tensors["token_embd.weight"])[0],
        "max_position_embeddings": int(file.required("context_length")),
        "rope_theta": float(file.value("rope.freq_base", 10000.0)),
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "torch_dtype": dtype,
        "dtype": dtype,
    }
    if scaling := _rope_scaling(file, config):
        config["rope_scaling"] = scaling
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
        if (value := file.metadata.get(f"tokenizer.ggml.{key}_token_id")) is not None:
            config[f"{name}_token_id"] = int(value)
    return config


def _rounded(value: float) -> float:
    """The decimal that a float32 was written as: 1e-05, not 9.999999747378752e-06."""
    return float(str(np.float32(value)))


def _uniform(file: GgufFile, key: str, default: int | None = None) -> int:
    """An integer that some files give once for each layer; it must be the same in all."""
    value = file.required(key) if default is None else file.value(key, default)
    values = set(value) if isinstance(value, list) else {value}
    if len(values) != 1:
        raise ModelError(f"{file.path}: '{key}' differs between layers, which is not supported")
    return int(values.pop())


def _rope_scaling(file: GgufFile, config: Json) -> Json | None:
    """The rope_scaling of config.json, or None. Raises ModelError where there is no equivalent."""
    kind = file.value("rope.scaling.type", "none")
    factor = _rounded(file.value("rope.scaling.factor", 1.0))
    if _ROPE_FREQS in file.tensors:
        return _llama3_scaling(file, config)
    if kind == "none" or factor == 1.0:
        return None
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    raise ModelError(
        f"{file.path}: rope scaling '{kind}' is not supported (none, linear and llama3 are)"
    )


def _llama3_scaling(file: GgufFile, config: Json) -> Json:
    """Llama 3.1's parameters from the factors that its converter computed, proven by computing them
    again.
    """
    given = np.asarray(_dequantize(file, _ROPE_FREQS), dtype=np.float64)
    low, high, original = 1.0, 4.0, 8192  # the same in every release so far; only the factor varies
    factor = float(_rounded(given.max()))
    dims = config["head_dim"]
    wavelengths = 2 * np.pi * config["rope_theta"] ** (np.arange(0, dims, 2) / dims)
    smooth = np.clip((original / wavelengths - low) / (high - low), 0, 1)
    expected = 1 / ((1 - smooth) / factor + smooth)
    if given.shape != expected.shape or not np.allclose(given, expected, rtol=1e-3):
        raise ModelError(
            f"{file.path}: {_ROPE_FREQS} is not llama 3's scaling, which is the only one supported"
        )
    return {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": original,
    }


def _tensor_names(file: GgufFile, config: Json) -> dict[str, str]:
    """Hugging Face name -> GGUF name of each tensor; all that does not fit is listed at once in the
    ModelError.
    """
    names = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
    }
    if not config["tie_word_embeddings"]:
        names["lm_head.weight"] = "output.weight"
    for layer in range(config["num_hidden_layers"]):
        for ours, theirs in _LAYER.items():
            names[f"model.layers.{layer}.{theirs}.weight"] = f"blk.{layer}.{ours}.weight"
    missing = sorted(set(names.values()) - set(file.tensors))
    unknown = sorted(set(file.tensors) - set(names.values()) - {_ROPE_FREQS})
    shapes = _expected_shapes(config)
    wrong = [
        f"{source} {_shape(file.tensors[source])}"
        for name, source in names.items()
        if source in file.tensors
        and _shape(file.tensors[source]) != shapes[re.sub(r"^model\.layers\.\d+\.", "", name)]
    ]
    faults = [
        f"{what}: {', '.join(them[:8])}{' ...' if len(them) > 8 else ''}"
        for what, them in (
            ("missing tensors", missing),
            ("tensors of an unknown kind", unknown),
            ("wrong shapes", wrong),
        )
        if them
    ]
    if faults:
        raise ModelError(f"{file.path}: not a plain llama model. {'; '.join(faults)}")
    return names


def _expected_shapes(config: Json) -> dict[str, tuple[int, ...]]:
    """Shape by the last part of a tensor's name, after "model.layers.N."."""
    hidden, ffn, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    q = config["num_attention_heads"] * config["head_dim"]
    kv = config["num_key_value_heads"] * config["head_dim"]
    layer = {
        "attn_norm": (hidden,),
        "attn_q": (q, hidden),
        "attn_k": (kv, hidden),
        "attn_v": (kv, hidden),
        "attn_output": (hidden, q),
        "ffn_norm": (hidden,),
        "ffn_gate": (ffn, hidden),
        "ffn_up": (ffn, hidden),
        "ffn_down": (hidden, ffn),
    }
    shapes: dict[str, tuple[int, ...]] = {
        f"{_LAYER[name]}.weight": shape for name, shape in layer.items()
    }
    top = {
        "model.embed_tokens.weight": (vocab, hidden),
        "model.norm.weight": (hidden,),
        "lm_head.weight": (vocab, hidden),
    }
    return {**shapes, **top}


def _shape(tensor: Any) -> tuple[int, ...]:
    """GGUF lists the fastest axis first."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _tensor(file: GgufFile, source: str, config: Json) -> npt.NDArray[np.float32]:
    array = _dequantize(file, source)
    if source.endswith(".attn_q.weight"):
        return unpermute(array, config["num_attention_heads"])
    if source.endswith(".attn_k.weight"):
        return unpermute(array, config["num_key_value_heads"])
    return array


def _dequantize(file: GgufFile, source: str) -> npt.NDArray[np.float32]:
    tensor = file.tensors[source]
    try:
        array = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    except NotImplementedError as error:
        raise ModelError(
            f"{file.path}: {source} is of type {tensor.tensor_type.name}, which cannot be read"
        ) from error
    return np.asarray(array, dtype=np.float32).reshape(_shape(tensor))


def unpermute(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Undo llama.cpp's row order of q and k: (heads * d, in) -> the same shape in Hugging Face's
    order.

    llama.cpp interleaves the two halves of a head, (d/2, 2), for its kind of rotary embedding.
    """
    rows, width = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)
