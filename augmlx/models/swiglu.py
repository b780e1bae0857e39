"""SwiGLU, the activation of most models' layers, faster on a CPU.

As in softmax.py: MLX's CPU backend computes `exp` one number at a time, in more time than the powf
behind `power` takes, and a sigmoid takes longer still: 37 ns for each number of a SwiGLU, 13 so
(docs/LOG.md).
"""

from __future__ import annotations

from math import e, log2
from typing import cast

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import activations

from augmlx.models import blas
from augmlx.models.calls import replace_calls


def quicken(model: nn.Module) -> None:
    """Let a model's layers compute SwiGLU so, where that is faster."""
    if blas.needs_blas():
        replace_calls(model, "swiglu", activations.swiglu, swiglu)


def swiglu(gate: mx.array, x: mx.array) -> mx.array:
    """gate * sigmoid(gate) * x, all of one shape."""
    sigmoid = mx.custom_function(_sigmoid)
    sigmoid.vjp(_slope)
    return gate * cast(mx.array, sigmoid(gate)) * x


def _sigmoid(gate: mx.array) -> mx.array:
    return 1 / (1 + mx.power(2.0, gate * -log2(e)))


def _slope(_: object, cotangent: mx.array, sigmoid: mx.array) -> mx.array:
    return cotangent * sigmoid * (1 - sigmoid)
