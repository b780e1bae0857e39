"""Models that have been taught to ask their caches go on as before with every other cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny import KINDS, load_tiny

from augmlx.models.attention_hook import teach

import mlx.core as mx  # isort: skip
from mlx_lm.models import base, cohere, llama  # isort: skip
from mlx_lm.models.cache import QuantizedKVCache, make_prompt_cache  # isort: skip

TOKENS = mx.array([[5, 6, 7, 8, 9, 300, 20]])


@pytest.fixture(autouse=True)
def untaught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules as mlx-lm has them; what is set anew here is undone behind each test."""
    for module in (llama, cohere):
        monkeypatch.setattr(
            module, "scaled_dot_product_attention", base.scaled_dot_product_attention
        )


def logits(model: Any, cache: Any = None) -> list[mx.array]:
    """Of all tokens at once, and of a prompt and each token behind it."""
    found = [model(TOKENS)]
    if cache is not None:
        found += [
            model(part, cache=cache) for part in (TOKENS[:, :3], TOKENS[:, 3:4], TOKENS[:, 4:])
        ]
    mx.eval(found)
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mamba2"])
def test_a_taught_model_answers_as_before_with_the_caches_of_mlx_lm(
    tmp_path: Path, kind: str
) -> None:
    model = load_tiny(tmp_path / "model", kind).model
    before = logits(model, make_prompt_cache(model))
    teach(model)
    after = logits(model, make_prompt_cache(model))
    assert all(mx.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_a_quantised_cache_has_its_own_attention_still(tmp_path: Path) -> None:
    model = load_tiny(tmp_path / "model", head_dim=32).model
    caches = [[QuantizedKVCache(group_size=32, bits=8) for _ in model.layers] for _ in range(2)]
    before = logits(model, caches[0])
    teach(model)
    after = logits(model, caches[1])
    assert all(mx.array_equal(one, other) for one, other in zip(before, after, strict=True))


class Asked:
    """A cache that attends by itself, here as the model would have."""

    offset = 0

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        return keys, values

    def make_mask(self, *_: Any, **__: Any) -> str:
        return "causal"

    def attend(
        self,
        queries: mx.array,
        keys: mx.array,
        values: mx.array,
        scale: float,
        mask: Any,
        sinks: mx.array | None,
    ) -> mx.array:
        self.shapes += [queries.shape, keys.shape, values.shape]
        return base.scaled_dot_product_attention(queries, keys, values, None, scale, mask, sinks)


@pytest.mark.parametrize("kind", ["llama", "cohere"])
def test_a_cache_that_attends_is_asked_by_every_layer(tmp_path: Path, kind: str) -> None:
    model = load_tiny(tmp_path / "model", kind).model
    asked = Asked()
    model(TOKENS, cache=[asked] * len(model.layers))
    assert asked.shapes == []  # not before it is taught
    teach(model)
    assert mx.allclose(model(TOKENS, cache=[asked] * len(model.layers)), model(TOKENS), atol=1e-5)
    assert asked.shapes == [(1, 4, 7, 8), (1, 2, 7, 8), (1, 2, 7, 8)] * len(model.layers)


def test_only_the_models_own_module_is_touched_and_once(tmp_path: Path) -> None:
    original = base.scaled_dot_product_attention
    model = load_tiny(tmp_path / "model").model
    teach(model)
    taught = llama.scaled_dot_product_attention
    assert taught is not original
    assert base.scaled_dot_product_attention is original
    assert cohere.scaled_dot_product_attention is original
    teach(model)
    assert llama.scaled_dot_product_attention is taught


def test_an_attention_of_the_models_own_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own(*_: Any, **__: Any) -> mx.array:
        raise AssertionError

    monkeypatch.setattr(llama, "scaled_dot_product_attention", own)
    teach(load_tiny(tmp_path / "model").model)
    assert llama.scaled_dot_product_attention is own
