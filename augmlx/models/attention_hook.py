"""A way into the attention of mlx-lm's models without touching them: a cache object that attends by
itself.
"""

from __future__ import annotations

from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import base

from augmlx.models.calls import replace_calls


class Attending(Protocol):
    """A layer's cache that says how its model's attention is computed."""

    def attend(
        self,
        queries: mx.array,
        keys: mx.array,
        values: mx.array,
        scale: float,
        mask: Any,
        sinks: mx.array | None,
    ) -> mx.array:
        """queries (B, H, L, D), keys and values (B, G, T, D) of G groups of heads -> (B, H, L,
        D)
        """


def teach(model: nn.Module) -> None:
    """Let the model's attention ask its caches; with any other cache the original is called."""
    original = base.scaled_dot_product_attention
    replace_calls(model, "scaled_dot_product_attention", original, _attention)


def _attention(
    queries: mx.array,
    keys: mx.array,
    values: mx.array,
    cache: Any,
    scale: float,
    mask: Any,
    sinks: mx.array | None = None,
) -> mx.array:
    attend = getattr(cache, "attend", None)
    found: mx.array = (
        base.scaled_dot_product_attention(queries, keys, values, cache, scale, mask, sinks)
        if attend is None
        else attend(queries, keys, values, scale, mask, sinks)
    )
    return found
