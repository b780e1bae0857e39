"""SwiGLU as MLX has it, another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny import load_tiny

from augmlx.models import blas
from augmlx.models.swiglu import quicken, swiglu

import mlx.core as mx  # isort: skip
import numpy as np  # isort: skip
from mlx_lm.models import activations, llama  # isort: skip

GATES = mx.concatenate([mx.linspace(-120, 120, 4001), mx.array([0.0, -0.0, 1e-30, 1e4, -1e4])])


def graded(function: Any, gate: mx.array) -> list[mx.array]:
    """The values, and the gradients of a weighted sum of them."""
    x = mx.linspace(-2, 2, gate.size).astype(gate.dtype)
    weights = mx.cos(mx.arange(gate.size)).astype(gate.dtype)
    value = function(gate, x)
    slopes = mx.grad(lambda g, y: (function(g, y) * weights).sum(), argnums=(0, 1))(gate, x)
    return [value, *slopes]


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16, mx.float16])
def test_value_and_gradients_are_mlxs(dtype: mx.Dtype) -> None:
    gates = GATES.astype(dtype)
    exact = {mx.float32: 2e-6, mx.bfloat16: 2e-2, mx.float16: 3e-3}[dtype]
    mine = graded(swiglu, gates)
    theirs = graded(lambda gate, x: gate * mx.sigmoid(gate) * x, gates)
    for found, wanted in zip(mine, theirs, strict=True):
        assert found.dtype == dtype
        found, wanted = (np.array(part.astype(mx.float32)) for part in (found, wanted))
        np.testing.assert_allclose(found, wanted, rtol=exact, atol=exact)


def test_a_model_gives_the_same_with_it_and_a_gpu_keeps_mlxs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama, "swiglu", activations.swiglu)
    monkeypatch.setattr(blas, "needs_blas", lambda: False)
    model = load_tiny(tmp_path / "model").model
    assert llama.swiglu is activations.swiglu
    tokens = mx.array([[5, 6, 7, 8, 9, 300, 20]])
    before = model(tokens)
    monkeypatch.setattr(blas, "needs_blas", lambda: True)
    quicken(model)
    assert llama.swiglu is swiglu
    assert mx.allclose(model(tokens), before, rtol=1e-5, atol=1e-4).item()
