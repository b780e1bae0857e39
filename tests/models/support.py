"""Tiny real models for tests: GGUF files of a few kilobytes, written by the gguf library itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel
from augmlx.models.store.pull import pull

Weights = dict[str, npt.NDArray[np.float32]]
QuantType = gguf.GGMLQuantizationType

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = ("h e", "l l", "he ll", "hell o", "Ġ w", "Ġw o", "Ġ Ġ", "1 2")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
)


def ensure_smollm2() -> StoredModel:
    """SmolLM2-135M in the store of the tests marked `real`, fetched if it is missing."""
    return pull("smollm2-135m")


def byte_alphabet() -> list[str]:
    """The 256 characters that byte-level BPE writes bytes as, in GPT-2's order."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in plain] + [chr(256 + index) for index in range(256 - len(plain))]


def vocabulary() -> list[str]:
    return [*SPECIAL, *byte_alphabet(), *(merge.replace(" ", "") for merge in MERGES)]


def tiny_weights(
    *, hidden: int = 64, heads: int = 4, kv_heads: int = 2, ffn: int = 128, tied: bool = True
) -> Weights:
    """Two random layers by Hugging Face name."""
    rng = np.random.default_rng(0)
    kv = hidden // heads * kv_heads
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (len(vocabulary()), hidden),
        "model.norm.weight": (hidden,),
    }
    if not tied:
        shapes["lm_head.weight"] = (len(vocabulary()), hidden)
    for layer in range(2):
        for name, shape in {
            "input_layernorm": (hidden,),
            "self_attn.q_proj": (hidden, hidden),
            "self_attn.k_proj": (kv, hidden),
            "self_attn.v_proj": (kv, hidden),
            "self_attn.o_proj": (hidden, hidden),
            "post_attention_layernorm": (hidden,),
            "mlp.gate_proj": (ffn, hidden),
            "mlp.up_proj": (ffn, hidden),
            "mlp.down_proj": (hidden, ffn),
        }.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    return {
        name: rng.normal(1.0 if len(shape) == 1 else 0.0, 0.2, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "model.layers.": "blk.",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    for ours, theirs in GGUF_NAMES.items():
        name = name.replace(ours, theirs)
    return name


def permute(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp's own conversion of q and k, as its converter writes it."""
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def write_gguf(
    path: Path,
    weights: Weights,
    *,
    qtype: QuantType = QuantType.F32,
    heads: int = 4,
    kv_heads: int = 2,
    architecture: str = "llama",
    pre: str = "smollm",
    extra: Mapping[str, Any] | None = None,
    tensors: Mapping[str, npt.NDArray[np.float32]] | None = None,
    drop: Sequence[str] = (),
) -> Path:
    """Write a llama GGUF with a byte-level tokenizer; matrices in `qtype`, norms in float32."""
    writer = gguf.GGUFWriter(path, architecture)
    hidden = weights["model.norm.weight"].shape[0]
    writer.add_name("Tiny")
    writer.add_context_length(256)
    writer.add_embedding_length(hidden)
    writer.add_block_count(2)
    writer.add_feed_forward_length(weights["model.layers.0.mlp.up_proj.weight"].shape[0])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(hidden // heads)
    add_tokenizer(writer, pre)
    for key, value in (extra or {}).items():
        add = {
            bool: writer.add_bool,
            int: writer.add_uint32,
            float: writer.add_float32,
            str: writer.add_string,
        }
        add[type(value)](key, value)
    for name, weight in weights.items():
        if name in drop:
            continue
        if ".q_proj." in name or ".k_proj." in name:
            weight = permute(weight, heads if ".q_proj." in name else kv_heads)
        kind = qtype if weight.ndim == 2 else QuantType.F32
        writer.add_tensor(gguf_name(name), gguf.quants.quantize(weight, kind), raw_dtype=kind)
    for name, array in (tensors or {}).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_tokenizer(writer: gguf.GGUFWriter, pre: str) -> None:
    tokens = vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)


def tiny_gguf(folder: Path, **options: Any) -> Path:
    """A tiny GGUF file in `folder`, ready to be pulled."""
    return write_gguf(folder / "tiny.gguf", tiny_weights(), **options)


def names() -> list[str]:
    return [model.name for model in store.list_models()]
