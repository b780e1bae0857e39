"""What sets one architecture of GGUF files apart from the others: a row for each that can be
imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gguf import MODEL_ARCH

_QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_QK_NORMS = ("self_attn.q_norm", "self_attn.k_norm")
_OUT = "self_attn.o_proj"
_MLP = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
_NORMS = ("input_layernorm", "post_attention_layernorm")
_GEMMA_NORMS = ("pre_feedforward_layernorm", "post_feedforward_layernorm")
# In this order a llama's weights are written: another would change the fingerprint of its file.
_LLAMA = ("input_layernorm", *_QKV, _OUT, "post_attention_layernorm", *_MLP)
_GEMMA_GELU = "gelu_pytorch_tanh"


@dataclass(frozen=True, slots=True)
class Architecture:
    """How the files of one architecture become a Hugging Face model that mlx-lm has a class for."""

    tensors: MODEL_ARCH  # whose tensor names the gguf library lists
    model_type: str
    class_name: str

    # Tensors.
    weights: tuple[str, ...] = _LLAMA  # modules of every layer
    biases: tuple[str, ...] = ()
    interleaved: bool = False  # llama.cpp's converter reorders the rows of q and k
    norm_offset: float = 0.0  # what the converter adds to the weights of norms

    # config.json.
    own_head_size: bool = True  # need not be hidden size / heads
    partial_rotary: bool = False  # may rotate a part of each head
    rope_scalings: tuple[str, ...] = ("linear",)  # that the class has
    # Gemma divides scores by the root of the head size, its largest model, known by its layers, by
    # that of hidden size / heads; no key says so, and llama.cpp goes by the layers too.
    layers_of_largest: int | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    # Key of config.json -> key of the file, and what llama.cpp takes where the file has none;
    # None: there must be one.
    values: Mapping[str, tuple[str, int | float | None]] = field(default_factory=dict)

    # Tokens.
    ends: tuple[str, ...] = ()  # besides those that the file names: what ends a turn or a text
    trims: bool = False  # special tokens of a SentencePiece vocabulary swallow the space behind


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
        biases=_QKV,
        own_head_size=False,
        constants={"use_sliding_window": False},
        ends=("<|im_end|>", "<|endoftext|>"),
    ),
    "qwen3": Architecture(
        tensors=MODEL_ARCH.QWEN3,
        model_type="qwen3",
        class_name="Qwen3ForCausalLM",
        weights=(*_LLAMA, *_QK_NORMS),
        constants={"attention_bias": False, "use_sliding_window": False},
        ends=("<|im_end|>", "<|endoftext|>"),
    ),
    "phi3": Architecture(
        tensors=MODEL_ARCH.PHI3,
        model_type="phi3",
        class_name="Phi3ForCausalLM",
        weights=("self_attn.qkv_proj", _OUT, "mlp.gate_up_proj", "mlp.down_proj", *_NORMS),
        own_head_size=False,
        partial_rotary=True,
        # Not longrope: mlx-lm takes its long factors at every length, llama.cpp and transformers
        # only beyond the original context, so that every short prompt would come out otherwise.
        rope_scalings=(),
        # Transformers' own default lies outside of a smaller vocabulary.
        constants={"pad_token_id": None},
        values={"sliding_window": ("attention.sliding_window", 0)},
        ends=("<|end|>", "<|endoftext|>"),
        trims=True,
    ),
    "gemma2": Architecture(
        tensors=MODEL_ARCH.GEMMA2,
        model_type="gemma2",
        class_name="Gemma2ForCausalLM",
        weights=(*_LLAMA, *_GEMMA_NORMS),
        norm_offset=1.0,
        rope_scalings=(),
        layers_of_largest=46,
        constants={
            "hidden_act": _GEMMA_GELU,
            "hidden_activation": _GEMMA_GELU,
            "attention_bias": False,
        },
        values={
            "attn_logit_softcapping": ("attn_logit_softcapping", 50.0),
            "final_logit_softcapping": ("final_logit_softcapping", 30.0),
            "sliding_window": ("attention.sliding_window", 4096),
        },
        ends=("<end_of_turn>",),
    ),
    "gemma3": Architecture(
        tensors=MODEL_ARCH.GEMMA3,
        model_type="gemma3_text",
        class_name="Gemma3ForCausalLM",
        weights=(*_LLAMA, *_QK_NORMS, *_GEMMA_NORMS),
        norm_offset=1.0,
        layers_of_largest=62,
        constants={
            "hidden_act": _GEMMA_GELU,
            "hidden_activation": _GEMMA_GELU,
            "attention_bias": False,
        },
        values={
            "sliding_window": ("attention.sliding_window", None),
            "sliding_window_pattern": ("attention.sliding_window_pattern", 6),
            "rope_local_base_freq": ("rope.freq_base_swa", 10000.0),
        },
        ends=("<end_of_turn>",),
    ),
}
