"""What a model can be trusted with, tried on the model itself and not read from a table of
architectures.
"""

from __future__ import annotations

import copy

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import KVCache, make_prompt_cache

from augmlx.engines.mlx.prefill import Batching, Prefill
from augmlx.engines.mlx.prefixes import Cache
from augmlx.models.attention_hook import teach
from augmlx.models.heads import Head
from augmlx.models.memory import total_memory_bytes


def batch_tokens(model: nn.Module) -> int:
    """How many tokens of KV cache a tenth of the machine's memory holds, within sensible bounds. It
    goes by the total, not by what is free just now: a resumed run must cut the same batches. The
    size of a token is measured and not read from config.json, whose keys differ from model to
    model.
    """
    cache = make_prompt_cache(model)
    model(mx.array([[0]]), cache=cache)  # makes room for KVCache.step tokens
    per_token = max(1, sum(int(layer.nbytes) for layer in cache) // int(KVCache.step))
    return max(2048, min(65536, int(0.1 * total_memory_bytes()) // per_token))


def batching(model: nn.Module, head: Head) -> Batching:
    """The best way to batch rows of this model that gives each the logits that it gets alone."""
    if all(type(layer) is KVCache for layer in make_prompt_cache(model)):
        teach(model)
        if _batches_rightly(model, head, "shared"):
            return "shared"
    return "merged" if _batches_rightly(model, head, "merged") else "alone"


def _batches_rightly(model: nn.Module, head: Head, batching: Batching) -> bool:
    """Whether rows of different lengths behind different beginnings get the logits they get alone.
    Tried and not assumed: some models' attention (gemma2 with grouped heads, in mlx-lm 0.32) fails
    on a mask for each row, or misreads it; others do not call the attention that was taught to
    share.
    """
    beginning, suffixes = (
        _run(model, [1, 2, 3, 4, 5, 6, 7]),
        [[*range(1, length)] for length in (9, 10, 10)],
    )
    begun = [beginning, beginning, _run(model, [])]
    prefill = Prefill(model, head, batching)
    try:
        cache, first = prefill.run(begun, suffixes)
        second = model(mx.array([[4]] * len(suffixes)), cache=cache)[:, -1].astype(mx.float32)
        mx.eval(first, second)
    except (ValueError, RuntimeError):
        return False
    rows = []
    for behind, suffix in zip(begun, suffixes, strict=True):
        alone = copy.deepcopy(behind)
        rows.append(
            [
                model(mx.array([part]), cache=alone)[:, -1].astype(mx.float32)
                for part in (suffix, [4])
            ]
        )
    for found, *expected_rows in zip((first, second), *rows, strict=True):
        expected = mx.concatenate(expected_rows)
        # Far above what rounding does, in 16 bits too; padding that is attended to changes more.
        if not mx.abs(found - expected).mean() < 0.1 * mx.var(expected, axis=-1).mean().sqrt():
            return False
    return True


def _run(model: nn.Module, tokens: list[int]) -> Cache:
    cache: Cache = list(make_prompt_cache(model))
    if tokens:
        model(mx.array([tokens]), cache=cache)
    return cache
