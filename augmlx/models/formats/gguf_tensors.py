"""The tensors of a GGUF file, with the names and the row order of Hugging Face's llama."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError
from augmlx.core.records import Json
from augmlx.models.formats.gguf_config import ROPE_FREQS
from augmlx.models.formats.gguf_file import GgufFile

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
_LISTED = 8  # tensors named in a message


def source_names(file: GgufFile, config: Json) -> dict[str, str]:
    """Hugging Face name -> GGUF name of each tensor.

    Raises:
        ModelError: tensors are missing, unknown or of the wrong shape; all are listed at once.
    """
    names = _names(config)
    sources = set(names.values())
    missing = sorted(sources - set(file.tensors))
    unknown = sorted(set(file.tensors) - sources - {ROPE_FREQS})
    wrong = list(_wrong_shapes(file, names, config))
    faults = {
        "missing tensors": missing,
        "tensors of an unknown kind": unknown,
        "wrong shapes": wrong,
    }
    told = [f"{fault}: {_listed(tensors)}" for fault, tensors in faults.items() if tensors]
    if told:
        raise ModelError(f"{file.path}: not a plain llama model. {'; '.join(told)}")
    return names


def read_tensor(file: GgufFile, source: str, config: Json) -> npt.NDArray[np.float32]:
    """A tensor by its GGUF name, in float32 and in Hugging Face's row order."""
    array = file.array(source)
    if source.endswith(".attn_q.weight"):
        return unpermute(array, config["num_attention_heads"])
    if source.endswith(".attn_k.weight"):
        return unpermute(array, config["num_key_value_heads"])
    return array


def unpermute(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Undo llama.cpp's row order of q and k: (heads * d, in) -> the same shape in Hugging Face's
    order.

    llama.cpp interleaves the two halves of a head, (d/2, 2), for its kind of rotary embedding.
    """
    rows, width = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, width)
    return pairs.swapaxes(1, 2).reshape(rows, width)


def _names(config: Json) -> dict[str, str]:
    names = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
    }
    if not config["tie_word_embeddings"]:
        names["lm_head.weight"] = "output.weight"
    for layer in range(config["num_hidden_layers"]):
        for ours, theirs in _LAYER.items():
            names[f"model.layers.{layer}.{theirs}.weight"] = f"blk.{layer}.{ours}.weight"
    return names


def _wrong_shapes(file: GgufFile, names: Mapping[str, str], config: Json) -> Iterator[str]:
    """The GGUF name and shape of each tensor that does not have the shape that config.json says."""
    expected = _expected_shapes(config)
    for name, source in names.items():
        if source not in file.tensors:
            continue
        last_part = re.sub(r"^model\.layers\.\d+\.", "", name)
        shape = file.shape(source)
        if shape != expected[last_part]:
            yield f"{source} {shape}"


def _listed(tensors: list[str]) -> str:
    rest = " ..." if len(tensors) > _LISTED else ""
    return ", ".join(tensors[:_LISTED]) + rest


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
        "model.embed_tokens.weight": (vocab, hidden),
        "model.norm.weight": (hidden,),
        "lm_head.weight": (vocab, hidden),
    }
    for name, shape in layer.items():
        shapes[f"{_LAYER[name]}.weight"] = shape
    return shapes
