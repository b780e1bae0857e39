"""The tensors of a GGUF file, with the names, the row order and the values that Hugging Face's
model of its architecture has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import gguf
import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError
from augmlx.core.records import Json
from augmlx.models.formats.gguf_config import ROPE_FREQS
from augmlx.models.formats.gguf_file import GgufFile

_EMBEDDING, _NORM, _HEAD = "model.embed_tokens", "model.norm", "lm_head"
_LISTED = 8  # tensors named in a message


def source_names(file: GgufFile, config: Json) -> dict[str, str]:
    """Hugging Face name -> GGUF name of each tensor.

    Raises:
        ModelError: tensors are missing, unknown or of the wrong shape; all are listed at once.
    """
    names = _names(file, config)
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
        raise ModelError(f"{file.path}: not a plain {file.architecture} model. {'; '.join(told)}")
    return names


def read_tensor(file: GgufFile, source: str, config: Json) -> npt.NDArray[np.float32]:
    """A tensor by its GGUF name, in float32, with Hugging Face's row order and values."""
    array, kind = file.array(source), file.kind
    if kind.norm_offset and source.endswith("norm.weight"):
        return array - np.float32(kind.norm_offset)
    if kind.interleaved and source.endswith(".attn_q.weight"):
        return unpermute(array, config["num_attention_heads"])
    if kind.interleaved and source.endswith(".attn_k.weight"):
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


def _names(file: GgufFile, config: Json) -> dict[str, str]:
    layers = config["num_hidden_layers"]
    table = gguf.get_tensor_name_map(file.kind.tensors, layers)
    modules = [(_EMBEDDING, "weight"), (_NORM, "weight")]
    if not config["tie_word_embeddings"]:
        modules.append((_HEAD, "weight"))
    for layer in range(layers):
        place = f"model.layers.{layer}"
        modules += [(f"{place}.{module}", "weight") for module in file.kind.weights]
        modules += [(f"{place}.{module}", "bias") for module in file.kind.biases]
    return {f"{module}.{part}": f"{table.get_name(module)}.{part}" for module, part in modules}


def _wrong_shapes(file: GgufFile, names: Mapping[str, str], config: Json) -> Iterator[str]:
    """The GGUF name and shape of each tensor that does not have the shape that config.json says."""
    expected = _expected_shapes(config)
    for name, source in names.items():
        if source not in file.tensors:
            continue
        module, _, part = re.sub(r"^model\.layers\.\d+\.", "", name).rpartition(".")
        of_weight = expected[module]
        shape = file.shape(source)
        if shape != (of_weight if part == "weight" else of_weight[:1]):
            yield f"{source} {shape}"


def _listed(tensors: list[str]) -> str:
    rest = " ..." if len(tensors) > _LISTED else ""
    return ", ".join(tensors[:_LISTED]) + rest


def _expected_shapes(config: Json) -> dict[str, tuple[int, ...]]:
    """Shape of a module's weight, by the part of its name after "model.layers.N."."""
    hidden, ffn, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    head_dim = config["head_dim"]
    q, kv = config["num_attention_heads"] * head_dim, config["num_key_value_heads"] * head_dim
    return {
        _EMBEDDING: (vocab, hidden),
        _NORM: (hidden,),
        _HEAD: (vocab, hidden),
        "input_layernorm": (hidden,),
        "post_attention_layernorm": (hidden,),
        "pre_feedforward_layernorm": (hidden,),
        "post_feedforward_layernorm": (hidden,),
        "self_attn.q_proj": (q, hidden),
        "self_attn.k_proj": (kv, hidden),
        "self_attn.v_proj": (kv, hidden),
        "self_attn.qkv_proj": (q + 2 * kv, hidden),
        "self_attn.o_proj": (hidden, q),
        "self_attn.q_norm": (head_dim,),
        "self_attn.k_norm": (head_dim,),
        "mlp.gate_proj": (ffn, hidden),
        "mlp.up_proj": (ffn, hidden),
        "mlp.gate_up_proj": (2 * ffn, hidden),
        "mlp.down_proj": (hidden, ffn),
    }
