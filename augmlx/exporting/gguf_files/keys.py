"""The config.json of a model -> the keys of a GGUF file that say the same, and which names and rows
its tensors have there. An architecture or a setting without a proven counterpart is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np

from augmlx.core.errors import ModelError
from augmlx.exporting.trained_matrices import Array
from augmlx.models.formats.gguf_architectures import ARCHITECTURES, Architecture
from augmlx.models.formats.gguf_config import ROPE_FREQS

_ELSEWHERE = "export --format peft or fused; llama.cpp's own converter may read the fused folder"
# By model_type; of llama and mistral llama.cpp's own converter says "llama".
WRITTEN = {kind.model_type: name for name, kind in ARCHITECTURES.items()} | {"mistral": "llama"}


@dataclass(frozen=True, slots=True)
class GgufKind:
    """What the GGUF file of one model is called by, and how its tensors are kept there."""

    architecture: str  # general.architecture
    kind: Architecture
    config: Mapping[str, Any]
    names: Any  # the gguf library's table of tensor names

    def name(self, module: str) -> str | None:
        """The name of a module's tensors, such as blk.0.attn_q; None where it has none."""
        name: str | None = self.names.get_name(module)
        return name

    def rows(self, gguf_name: str) -> Callable[[Array], Array]:
        """What is done to the rows of a weight, or of an adapter's B, on the way into the file:
        those of a llama's q and k are interleaved.
        """
        if not self.kind.interleaved:
            return lambda array: array
        heads = {"attn_q": "num_attention_heads", "attn_k": "num_key_value_heads"}
        key = heads.get(gguf_name.rpartition(".")[2])
        if key is None:
            return lambda array: array
        count = int(self.config.get(key) or self.config["num_attention_heads"])
        return lambda array: permute(array, count)


def permute(array: Array, heads: int) -> Array:
    """Hugging Face's row order of q and k -> llama.cpp's, which has the two halves of a head
    interleaved: (heads * d, n) -> the same shape.
    """
    rows, width = array.shape
    halves = array.reshape(heads, 2, rows // heads // 2, width)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, width))


def kind_of(config: Mapping[str, Any], name: str) -> GgufKind:
    """How a model is kept in a GGUF file. Raises ModelError for an architecture without a proven
    map.
    """
    model_type = str(config.get("model_type"))
    if model_type not in WRITTEN:
        raise ModelError(
            f"{name}: '{model_type}' has no proven map to GGUF (these have: "
            f"{', '.join(sorted(WRITTEN))})",
            hint=_ELSEWHERE,
        )
    architecture = WRITTEN[model_type]
    # Mistral's row says what mlx-lm's class of it needs; the file is a llama's.
    kind = ARCHITECTURES[architecture]
    layers = int(config["num_hidden_layers"])
    return GgufKind(architecture, kind, config, gguf.get_tensor_name_map(kind.tensors, layers))


def write_keys(writer: gguf.GGUFWriter, found: GgufKind, name: str) -> None:
    """Say in the file what config.json says. Raises ModelError for what cannot be said."""
    config, kind = found.config, found.kind
    heads = int(config["num_attention_heads"])
    width = int(config["hidden_size"])
    head_dim = int(config.get("head_dim") or width // heads)
    rotary = rotary_settings(config)
    _refuse(found, rotary, name)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(width)
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_rope_freq_base(float(rotary.get("rope_theta", 10000.0)))
    writer.add_vocab_size(int(config["vocab_size"]))
    if kind.own_head_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if kind.partial_rotary or found.architecture == "llama":
        share = float(rotary.get("partial_rotary_factor", 1.0))
        writer.add_rope_dimension_count(int(head_dim * share))
    if rotary.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rotary["factor"]))
    for key, (gguf_key, default) in kind.values.items():
        value = config.get(key, default)
        if value is None:
            continue
        number = writer.add_float32 if isinstance(default, float) else writer.add_uint32
        number(f"{found.architecture}.{gguf_key}", value)


def rotary_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rotary settings as one object, whichever of the two ways a config has them."""
    rotary = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    rotary = dict(rotary.get("full_attention", rotary))
    for key in ("rope_theta", "partial_rotary_factor"):
        if key in config:
            rotary[key] = config[key]
    rotary["rope_type"] = rotary.get("rope_type") or rotary.get("type") or "default"
    return rotary


def rope_freqs(config: Mapping[str, Any]) -> dict[str, Array]:
    """Llama 3's scaling as the tensor that llama.cpp has it in: a divisor of each frequency,
    (head_dim / 2,). Empty for other models.
    """
    rotary = rotary_settings(config)
    if rotary["rope_type"] != "llama3":
        return {}
    head_dim = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    low, high = float(rotary["low_freq_factor"]), float(rotary["high_freq_factor"])
    original = float(rotary["original_max_position_embeddings"])
    exponents = np.arange(0, head_dim, 2) / head_dim
    wavelengths = 2 * np.pi * float(rotary["rope_theta"]) ** exponents  # in tokens
    smooth = np.clip((original / wavelengths - low) / (high - low), 0, 1)
    divisors = 1 / ((1 - smooth) / float(rotary["factor"]) + smooth)
    return {ROPE_FREQS: divisors.astype(np.float32)}


def _refuse(found: GgufKind, rotary: Mapping[str, Any], name: str) -> None:
    config, kind = found.config, found.kind
    if rotary["rope_type"] not in ("default", *kind.rope_scalings):
        raise ModelError(
            f"{name}: rope scaling '{rotary['rope_type']}' has no proven form in GGUF for "
            f"{found.architecture}",
            hint=_ELSEWHERE,
        )
    for key, value in kind.constants.items():
        if key in config and (config[key] or None) != (value or None) and key != "pad_token_id":
            raise ModelError(
                f"{name}: {key} = {config[key]} has no proven form in GGUF for "
                f"{found.architecture}",
                hint=_ELSEWHERE,
            )
