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

_FEWEST, _MOST = 2048, 65536  # tokens of KV cache, whatever the memory
_NEXT = [4]  # the token that follows each row of the trial


def batch_tokens(model: nn.Module) -> int:
    """How many tokens of KV cache a tenth of the machine's memory holds, within sensible bounds.

    It goes by the total, not by what is free just now: a resumed run must cut the same batches. The
    size of a token is measured and not read from config.json, whose keys differ from model to
    model.
    """
    cache = make_prompt_cache(model)
    model(mx.array([[0]]), cache=cache)  # makes room for KVCache.step tokens
    cache_bytes = sum(int(layer.nbytes) for layer in cache)
    bytes_per_token = max(1, cache_bytes // int(KVCache.step))
    fitting = int(0.1 * total_memory_bytes()) // bytes_per_token
    return max(_FEWEST, min(_MOST, fitting))


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
    beginning = _run(model, [1, 2, 3, 4, 5, 6, 7])
    beginnings = [beginning, beginning, _run(model, [])]
    suffixes = [list(range(1, length)) for length in (9, 10, 10)]
    prefill = Prefill(model, head, batching)
    try:
        cache, first = prefill.run(beginnings, suffixes)
        second = _last_logits(model, [_NEXT] * len(suffixes), cache)
        mx.eval(first, second)
    except (ValueError, RuntimeError):
        return False
    first_alone = []
    second_alone = []
    for begun, suffix in zip(beginnings, suffixes, strict=True):
        alone = copy.deepcopy(begun)
        first_alone.append(_last_logits(model, [suffix], alone))
        second_alone.append(_last_logits(model, [_NEXT], alone))
    return _agree(first, first_alone) and _agree(second, second_alone)


def _agree(together: mx.array, alone: list[mx.array]) -> bool:
    """Whether logits (B, V) are about those (1, V) of each row alone."""
    expected = mx.concatenate(alone)
    difference = mx.abs(together - expected).mean()
    spread = mx.var(expected, axis=-1).mean().sqrt()
    # Far above what rounding does, in 16 bits too; padding that is attended to changes more.
    return bool(difference < 0.1 * spread)


def _last_logits(model: nn.Module, rows: list[list[int]], cache: Cache) -> mx.array:
    """(B, V) logits in float32 behind B rows of tokens of one length."""
    logits: mx.array = model(mx.array(rows), cache=cache)[:, -1]
    return logits.astype(mx.float32)


def _run(model: nn.Module, tokens: list[int]) -> Cache:
    """The cache of one row."""
    cache: Cache = list(make_prompt_cache(model))
    if tokens:
        model(mx.array([tokens]), cache=cache)
    return cache
