"""The metadata of a GGUF file -> the config.json of a Hugging Face model."""

from __future__ import annotations

import numpy as np

from augmlx.core.errors import ModelError
from augmlx.core.records import Json
from augmlx.models.formats.gguf_file import GgufFile
from augmlx.models.formats.safetensors import Dtype

# How llama 3.1 and later store their scaling: one factor for each frequency.
ROPE_FREQS = "rope_freqs.weight"
_EMBEDDING = "token_embd.weight"
# How Phi 3 stores its scaling for long contexts: one factor for each frequency.
_LONG_FACTORS = "rope_factors_long.weight"
# The name of a special token in config.json and in GGUF's keys.
_SPECIAL_TOKENS = {"bos": "bos", "eos": "eos", "pad": "padding"}
# Keys that change what a model computes: one that the architecture's row does not read is refused.
_DECISIVE = (
    "attention.scale",
    "attention.sliding_window",
    "attention.temperature_scale",
    "attn_logit_softcapping",
    "embedding_scale",
    "final_logit_softcapping",
    "logit_scale",
    "residual_scale",
)


def build(file: GgufFile, dtype: Dtype) -> Json:
    """config.json as transformers has it for the file's architecture, the weights being of `dtype`.
    Raises ModelError for what such a config cannot say.
    """
    kind = file.kind
    hidden, heads = int(file.required("embedding_length")), _uniform(file, "attention.head_count")
    head_dim = int(file.value("attention.key_length", hidden // heads))
    _check_supported(file, head_dim)
    config: Json = {
        "architectures": [kind.class_name],
        "model_type": kind.model_type,
        "hidden_size": hidden,
        "intermediate_size": _uniform(file, "feed_forward_length"),
        "num_hidden_layers": int(file.required("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": _uniform(file, "attention.head_count_kv", heads),
        "head_dim": head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": _rounded(file.required("attention.layer_norm_rms_epsilon")),
        "vocab_size": file.shape(_EMBEDDING)[0],
        "max_position_embeddings": int(file.required("context_length")),
        "rope_theta": float(file.value("rope.freq_base", 10000.0)),
        **kind.constants,
        **_own_values(file),
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "torch_dtype": dtype,
        "dtype": dtype,
    }
    if kind.partial_rotary:
        rotated = int(file.value("rope.dimension_count", head_dim))
        config["partial_rotary_factor"] = rotated / head_dim
    if kind.layers_of_largest is not None:
        is_largest = config["num_hidden_layers"] == kind.layers_of_largest
        config["query_pre_attn_scalar"] = hidden // heads if is_largest else head_dim
    scaling = _rope_scaling(file, config)
    if scaling is not None:
        config["rope_scaling"] = scaling
    for name, key in _SPECIAL_TOKENS.items():
        token = file.metadata.get(f"tokenizer.ggml.{key}_token_id")
        if token is not None:
            config[f"{name}_token_id"] = int(token)
    ends = _end_tokens(file)
    if ends:
        config["eos_token_id"] = ends if len(ends) > 1 else ends[0]
    return config


def special_tokens(config: Json) -> Json:
    """What generation_config.json says: the ids of the special tokens that a config has."""
    keys = [f"{name}_token_id" for name in _SPECIAL_TOKENS]
    return {key: config[key] for key in keys if key in config}


def _check_supported(file: GgufFile, head_dim: int) -> None:
    """Raises ModelError for a kind of model that the config, or mlx-lm, has no word for."""
    kind = file.kind
    head_sizes = ["attention.value_length"]
    if not kind.partial_rotary:
        head_sizes.append("rope.dimension_count")
    for key in head_sizes:
        if int(file.value(key, head_dim)) != head_dim:
            raise ModelError(
                f"{file.path}: '{key}' differs from the head size {head_dim}, "
                "which is not supported"
            )
    width = int(file.required("embedding_length"))
    heads = _uniform(file, "attention.head_count")
    if not kind.own_head_size and head_dim * heads != width:
        raise ModelError(
            f"{file.path}: {heads} heads of size {head_dim} do not make up the width {width}, "
            f"which is not supported for {file.architecture}"
        )
    if file.value("expert_count", 0):
        raise ModelError(f"{file.path}: a mixture of experts, which this importer does not support")
    read = {key for key, _ in kind.values.values()}
    for key in _DECISIVE:
        if key not in read and file.value(key, 0):
            raise ModelError(f"{file.path}: '{key}' is not supported for {file.architecture}")
    if _EMBEDDING not in file.tensors:
        raise ModelError(
            f"{file.path}: no {_EMBEDDING}", hint="it is a torn file, or holds no weights"
        )


def _own_values(file: GgufFile) -> Json:
    """What the architecture's config has besides what all have, read from the file. 0 is null."""
    values: Json = {}
    for name, (key, default) in file.kind.values.items():
        if isinstance(default, float):
            values[name] = _rounded(file.value(key, default))
        else:
            values[name] = _uniform(file, key, default) or None
    return values


def _end_tokens(file: GgufFile) -> list[int]:
    """What ends an answer, the end of a text first: the tokens that the file names, then those that
    its architecture is known to end with.
    """
    tokens: list[str] = file.metadata.get("tokenizer.ggml.tokens") or []
    named = [file.metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    known = [tokens.index(end) for end in file.kind.ends if end in tokens]
    ids = [int(token) for token in named if token is not None]
    return list(dict.fromkeys([*ids, *known]))


def _rounded(value: float) -> float:
    """The decimal that a float32 was written as: 1e-05, not 9.999999747378752e-06."""
    return float(str(np.float32(value)))


def _uniform(file: GgufFile, key: str, default: int | None = None) -> int:
    """An integer that some files give once for each layer; it must be the same in all."""
    value = file.required(key) if default is None else file.value(key, default)
    values = set(value) if isinstance(value, list) else {value}
    if len(values) != 1:
        raise ModelError(f"{file.path}: '{key}' differs between layers, which is not supported")
    (only,) = values
    return int(only)


def _rope_scaling(file: GgufFile, config: Json) -> Json | None:
    """The rope_scaling of config.json, or None. Raises ModelError where there is no equivalent."""
    scaling = file.value("rope.scaling.type", "none")
    factor = _rounded(file.value("rope.scaling.factor", 1.0))
    if ROPE_FREQS in file.tensors:
        scaling = "llama3"
    elif _LONG_FACTORS in file.tensors:
        scaling = "longrope"
    elif factor == 1.0:
        scaling = "none"
    known = ("none", *file.kind.rope_scalings)
    if scaling not in known:
        listed = ", ".join(known)
        raise ModelError(
            f"{file.path}: rope scaling '{scaling}' is not supported for {file.architecture} "
            f"(these are: {listed})"
        )
    if scaling == "llama3":
        return _llama3_scaling(file, config)
    if scaling == "linear":
        return {"rope_type": "linear", "factor": factor}
    return None


def _llama3_scaling(file: GgufFile, config: Json) -> Json:
    """Llama 3.1's parameters from the factors that its converter computed, proven by computing them
    again.
    """
    given = np.asarray(file.array(ROPE_FREQS), dtype=np.float64)  # (head_dim / 2,)
    low, high, original = 1.0, 4.0, 8192  # the same in every release so far; only the factor varies
    factor = float(_rounded(given.max()))
    dims = config["head_dim"]
    wavelengths = 2 * np.pi * config["rope_theta"] ** (np.arange(0, dims, 2) / dims)  # in tokens
    smooth = np.clip((original / wavelengths - low) / (high - low), 0, 1)
    expected = 1 / ((1 - smooth) / factor + smooth)
    if given.shape != expected.shape or not np.allclose(given, expected, rtol=1e-3):
        raise ModelError(
            f"{file.path}: {ROPE_FREQS} is not llama 3's scaling, which is the only one supported"
        )
    return {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": original,
    }
