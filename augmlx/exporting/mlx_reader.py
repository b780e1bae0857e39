"""What MLX says with an adapter, as the side that every export is held against: the adapter over
its base, or worked into it by mlx-lm's own `fuse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.exporting.comparison import LogitsArray, Material, Reading, Record, Reply
from augmlx.exporting.forms import WeightType
from augmlx.exporting.trained_matrices import Array
from augmlx.models.loading import LoadedModel, load
from augmlx.models.store.folder import StoredModel

ANSWER = 24  # tokens of the longest answer


def record(stored: StoredModel, adapter: Path | None, material: Material) -> Record:
    """What the model says with its adapter, in float32 on a GPU as well as on a CPU.

    In bfloat16 the two sides would differ by about 0.1 whatever the adapter, and the bound would
    prove nothing.
    """
    import mlx.core as mx

    said = _said(_in_float32(load(stored, adapter)), material)
    mx.clear_cache()  # the model's memory, for what is loaded next
    return said


def fused_record(
    stored: StoredModel,
    adapter: Path,
    material: Material,
    *,
    weight_type: WeightType = "f32",
    matrices_only: bool = True,
) -> Record:
    """The same with the adapter worked in by mlx-lm's own code, and the matrices rounded to
    `weight_type`, so that the bound is as tight as for float32; all else, too, unless
    `matrices_only`.
    """
    import mlx.core as mx

    kind = gguf.GGMLQuantizationType[weight_type.upper()]
    said = _said(_fused(_in_float32(load(stored, adapter)), kind, matrices_only), material)
    mx.clear_cache()
    return said


def chat_prompt(loaded: LoadedModel, question: str) -> str:
    """A question as the model's chat template puts it; as it is where there is no usable one."""
    frame = ChatTemplate(loaded.tokenizer).frame()
    return question if frame.fault else f"{frame.head}{question}{frame.tail}"


def answer_to(loaded: LoadedModel, tokens: Sequence[int]) -> list[int]:
    """The greedy answer to a prompt, with the token that ends it; cut where it is too long."""
    import mlx.core as mx
    from mlx_lm.models.cache import make_prompt_cache

    cache = make_prompt_cache(loaded.model)
    answer: list[int] = []
    step = mx.array([tokens])
    while len(answer) < ANSWER:
        token = int(loaded.model(step, cache=cache)[0, -1].argmax().item())
        answer.append(token)
        if token in loaded.tokenizer.eos_token_ids:
            break
        step = mx.array([[token]])
    return answer


def _in_float32(loaded: LoadedModel) -> LoadedModel:
    import mlx.core as mx

    if not loaded.config.get("quantization"):
        loaded.model.set_dtype(mx.float32)
    return loaded


def _fused(
    loaded: LoadedModel, kind: gguf.GGMLQuantizationType, matrices_only: bool
) -> LoadedModel:
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_unflatten

    model = loaded.model
    fused = [
        (name, module.fuse(dequantize=True))
        for name, module in model.named_modules()
        if hasattr(module, "fuse")
    ]
    model.update_modules(tree_unflatten(fused))
    if kind == gguf.GGMLQuantizationType.F32:
        return loaded
    arrays: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    for name in list(arrays):
        array = arrays.pop(name)  # which is let go when it is replaced
        if array.ndim == 2 or not matrices_only:
            rounded = mx.array(_rounded(np.array(array.astype(mx.float32)), kind))
            model.update(tree_unflatten([(name, rounded)]))
    return loaded


def _rounded(array: Array, kind: gguf.GGMLQuantizationType) -> Array:
    """A matrix in a type and back in float32."""
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    if array.shape[-1] % block:
        kind = gguf.GGMLQuantizationType.F16
    data = gguf.quants.quantize(array, kind)
    return np.asarray(gguf.quants.dequantize(data, kind), dtype=np.float32)


def _said(loaded: LoadedModel, material: Material) -> Record:
    import mlx.core as mx

    encode = loaded.tokenizer.encode

    def logits(tokens: Sequence[int]) -> LogitsArray:
        batch_logits = loaded.model(mx.array([tokens]))  # (1, T, V)
        return np.array(batch_logits[0].astype(mx.float32))

    cut = [(text, encode(text)) for text in material.texts]
    readings = tuple(Reading(text, tokens, logits(tokens)) for text, tokens in cut if tokens)
    prompts = [chat_prompt(loaded, question) for question in material.questions]
    asked = [(prompt, encode(prompt, add_special_tokens=False)) for prompt in prompts]
    replies = tuple(Reply(prompt, tokens, answer_to(loaded, tokens)) for prompt, tokens in asked)
    return Record(readings, replies)
