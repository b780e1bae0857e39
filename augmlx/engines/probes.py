"""What a model can be trusted with, tried on the model itself and not read from a table of architectures."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import KVCache, make_prompt_cache

from augmlx.models.memory import total_memory_bytes


def batch_tokens(model: nn.Module) -> int:
    """How many tokens of KV cache a tenth of the machine's memory holds, within sensible bounds. It goes by the total,
    not by what is free just now: a resumed run must cut the same batches. The size of a token is measured and not
    read from config.json, whose keys differ from model to model."""
    cache = make_prompt_cache(model)
    model(mx.array([[0]]), cache=cache)  # makes room for KVCache.step tokens
    per_token = max(1, sum(int(layer.nbytes) for layer in cache) // int(KVCache.step))
    return max(2048, min(65536, int(0.1 * total_memory_bytes()) // per_token))


def batches_rightly(model: nn.Module) -> bool:
    """Whether rows of different lengths in one batch get the logits they get alone. Tried and not assumed: some
    models' attention (gemma2 with grouped heads, in mlx-lm 0.32) fails on a mask for each row, or misreads it."""
    rows = [[1, 2, 3, 4, 5, 6, 7], [1], [1, 2, 3]]
    caches = [make_prompt_cache(model) for _ in rows]
    for row, cache in zip(rows, caches, strict=True):
        model(mx.array([row]), cache=cache)
    merged = [type(layers[0]).merge(layers) for layers in zip(*caches, strict=True)]
    try:
        together = model(mx.array([[4]] * len(rows)), cache=merged)[:, -1].astype(mx.float32)
        mx.eval(together)
    except (ValueError, RuntimeError):
        return False
    alone = mx.concatenate([model(mx.array([[4]]), cache=cache)[:, -1].astype(mx.float32) for cache in caches])
    # Far above what rounding does, in 16 bits too; padding that is attended to changes more.
    return bool(mx.abs(together - alone).mean() < 0.1 * mx.var(alone, axis=-1).mean().sqrt())
