"""A way into the attention of mlx-lm's models without touching them: a cache object that attends by
itself.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import base

_NAME = "scaled_dot_product_attention"


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
    """Let the model's attention ask its caches. mlx-lm's models call the attention function by the
    name that it has in their own module, and that is where it is replaced; with any other cache the
    replacement calls the original.
    """
    for name in {type(module).__module__ for module in model.modules()}:
        if getattr(sys.modules[name], _NAME, None) is base.scaled_dot_product_attention:
            setattr(sys.modules[name], _NAME, _attention)


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
