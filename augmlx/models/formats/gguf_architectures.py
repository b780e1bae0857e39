"""What sets one architecture of GGUF files apart from the others: a row for each that can be
imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gguf import MODEL_ARCH

_ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
_MLP = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
_NORMS = ("input_layernorm", "post_attention_layernorm")


@dataclass(frozen=True, slots=True)
class Architecture:
    """How the files of one architecture become a Hugging Face model that mlx-lm has a class for."""

    tensors: MODEL_ARCH  # whose tensor names the gguf library lists
    model_type: str
    class_name: str
    weights: tuple[str, ...] = (*_ATTENTION, *_MLP, *_NORMS)  # in every layer
    biases: tuple[str, ...] = ()  # in every layer
    interleaved: bool = False  # llama.cpp's converter reorders the rows of q and k
    own_head_size: bool = True  # need not be hidden size / heads
    rope_scalings: tuple[str, ...] = ("linear",)  # that the class has
    constants: Mapping[str, Any] = field(default_factory=dict)  # of config.json
    # Key of config.json -> key of the file, and what llama.cpp takes where the file has no such
    # key.
    values: Mapping[str, tuple[str, int | float]] = field(default_factory=dict)


ARCHITECTURES = {
    "llama": Architecture(
        tensors=MODEL_ARCH.LLAMA,
        model_type="llama",
        class_name="LlamaForCausalLM",
        interleaved=True,
        rope_scalings=("linear", "llama3"),
        constants={"attention_bias": False, "mlp_bias": False},
    ),
    # llama.cpp's own converter says "llama" of these; others keep the name.
    "mistral": Architecture(
        tensors=MODEL_ARCH.LLAMA,
        model_type="mistral",
        class_name="MistralForCausalLM",
        interleaved=True,
        constants={"sliding_window": None},
    ),
    "qwen2": Architecture(
        tensors=MODEL_ARCH.QWEN2,
        model_type="qwen2",
        class_name="Qwen2ForCausalLM",
        biases=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        own_head_size=False,
        constants={"use_sliding_window": False},
    ),
}
