from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, VOCABULARY, load_tiny, write_model
from training.support import tuned

from augmlx.core.records import AdapterSpec
from augmlx.models import heads, loading
from augmlx.models.heads import Head
from augmlx.training import adapter

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm.models import llama  # isort: skip

TOKENS = mx.array([[5, 6, 7, 8, 9], [300, 20, 1, 4, 0]])
ROWS, COLUMNS = mx.array([0, 0, 1, 1]), mx.array([0, 4, 2, 3])
SPLIT = [kind for kind in KINDS if kind != "mamba2"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], loading.LoadedModel]:
    return lru_cache(lambda kind: load_tiny(tmp_path_factory.mktemp("models") / kind, kind))


@pytest.mark.parametrize("kind", list(KINDS))
def test_logits_at_chosen_positions_are_those_of_the_whole_model(
    tiny: Callable[[str], loading.LoadedModel], kind: str
) -> None:
    model = tiny(kind).model
    chosen = Head(model).logits(TOKENS, ROWS, COLUMNS)
    assert chosen.dtype == mx.float32
    assert mx.allclose(chosen, model(TOKENS)[ROWS, COLUMNS], atol=1e-5)


def test_the_head_is_split_off_wherever_there_is_a_body_before_it(
    tiny: Callable[[str], loading.LoadedModel],
) -> None:
    """With the caps and scales that some models put on their logits. The body of mamba2 is called
    otherwise.
    """
    assert {kind for kind in KINDS if Head(tiny(kind).model).split} == set(KINDS) - {"mamba2"}


@pytest.mark.parametrize("adapted", [False, True], ids=["plain", "adapted"])
@pytest.mark.parametrize("kind", SPLIT)
def test_logits_of_the_split_head_are_the_models_own(
    tmp_path: Path, kind: str, adapted: bool
) -> None:
    """To the bit where the same is computed; a place at a time the sums may be taken in another
    order.
    """
    model = (
        tuned(tmp_path / "model", kind) if adapted else load_tiny(tmp_path / "model", kind).model
    )
    head = Head(model)
    assert head.split
    for tokens in (mx.array([[1, 2, 3, 4]]), TOKENS[:1]):
        columns = mx.arange(tokens.shape[1])
        assert mx.array_equal(
            head.logits(tokens, mx.zeros_like(columns), columns), model(tokens)[0]
        )
    for row, column in ((0, 3), (1, 4)):
        alone = head.logits(TOKENS, mx.array([row]), mx.array([column]))[0]
        assert mx.allclose(alone, model(TOKENS)[row, column], atol=1e-5)


@pytest.mark.parametrize("kind", SPLIT)
def test_gradients_through_the_split_head_are_those_of_the_whole_model(
    tmp_path: Path, kind: str
) -> None:
    model = tuned(tmp_path / "model", kind)
    head = Head(model)
    weights = mx.random.normal((ROWS.size, VOCABULARY), key=mx.random.key(4))
    found = []
    for logits in (
        lambda: head.logits(TOKENS, ROWS, COLUMNS),
        lambda: model(TOKENS)[ROWS, COLUMNS],
    ):
        value, gradients = nn.value_and_grad(
            model, lambda logits=logits: (logits() * weights).sum()
        )()
        found.append((value.item(), dict(tree_flatten(gradients))))
    (ours, our_gradients), (theirs, their_gradients) = found
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert our_gradients.keys() == their_gradients.keys()
    assert all(bool(mx.abs(gradient).max() > 0) for gradient in their_gradients.values())
    for name, gradient in our_gradients.items():
        assert mx.allclose(gradient, their_gradients[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.parametrize("cap", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0])
def test_a_cap_is_kept_whatever_the_size_of_the_logits(
    tmp_path: Path, cap: float, size: float
) -> None:
    """tanh(x / cap) * cap is nearly x where they are small, but not on the real texts that come
    later.
    """
    model = load_tiny(tmp_path / "model", "gemma2", final_logit_softcapping=cap).model
    model.model.embed_tokens.weight = model.model.embed_tokens.weight * size
    head = Head(model)
    assert head.split
    chosen = head.logits(TOKENS, ROWS, COLUMNS)
    assert mx.abs(chosen).max() <= cap
    assert mx.allclose(chosen, model(TOKENS)[ROWS, COLUMNS], rtol=1e-4, atol=1e-6)


def test_a_scale_is_kept(tmp_path: Path) -> None:
    for kind, change in (("cohere", {"logit_scale": 0.5}), ("granite", {"logits_scaling": 2.0})):
        found = []
        for name, changes in (("one", {}), ("other", change)):
            model = load_tiny(tmp_path / kind / name, kind, **changes).model
            assert Head(model).split
            found.append(Head(model).logits(TOKENS, ROWS, COLUMNS))
        assert mx.allclose(2 * found[0], found[1], rtol=1e-5, atol=1e-6)


class LooksBack(llama.Model):
    """What follows its body also looks at the tokens, which a head alone does not have."""

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        return super().__call__(inputs, cache=cache) + inputs[..., None]


def test_a_model_with_more_behind_its_body_than_a_head_stays_whole(tmp_path: Path) -> None:
    model = load_tiny(tmp_path / "model").model
    model.__class__ = LooksBack
    head = Head(model)
    assert not head.split
    assert mx.allclose(head.logits(TOKENS, ROWS, COLUMNS), model(TOKENS)[ROWS, COLUMNS], atol=1e-5)


def test_splitting_leaves_the_model_as_it_was_and_keeps_no_hidden_states(tmp_path: Path) -> None:
    model = load_tiny(tmp_path / "model", "granite").model
    before, parts = model(TOKENS), list(model)
    head = Head(model)
    head.logits(TOKENS, ROWS, COLUMNS)
    assert head._behind is not None
    assert head._behind._body.hidden is None
    assert list(model) == parts
    assert mx.array_equal(model(TOKENS), before)
    model.model.embed_tokens.weight = model.model.embed_tokens.weight * 2  # a tied head is no copy
    assert mx.allclose(head.logits(TOKENS, ROWS, COLUMNS), model(TOKENS)[ROWS, COLUMNS], atol=1e-5)


def test_dropout_does_not_change_the_choice_nor_the_training_mode(tmp_path: Path) -> None:
    """A resumed training meets the choice with trained weights, an undisturbed one with B = 0."""
    model = load_tiny(tmp_path / "model").model
    spec = AdapterSpec("tiny", None, 4, 2.0, 0.5, ("self_attn.q_proj",), 2, 2)
    adapter.attach(model, spec, seed=0)
    b = {
        name: value + 1.0
        for name, value in tree_flatten(model.trainable_parameters())
        if name.endswith("lora_b")
    }
    model.load_weights(list(b.items()), strict=False)
    model.train()
    assert Head(model).split
    assert model.training
    assert model.model.layers[0].self_attn.q_proj.dropout.training
    model.eval()
    assert Head(model).split
    assert not model.model.layers[0].self_attn.q_proj.dropout.training


def test_a_quantised_and_a_bfloat16_model_give_float32_logits(tmp_path: Path) -> None:
    quantised = loading.load(write_model(tmp_path / "four", bits=4)).model
    sixteen = load_tiny(tmp_path / "sixteen").model
    sixteen.set_dtype(mx.bfloat16)
    for model in (quantised, sixteen):
        head = Head(model)
        assert head.split
        logits = head.logits(TOKENS, ROWS, COLUMNS)
        assert logits.dtype == mx.float32
        assert mx.allclose(
            logits, model(TOKENS)[ROWS, COLUMNS].astype(mx.float32), rtol=0.02, atol=0.05
        )


@given(st.integers(1, 5000), st.integers(1, 900), st.integers(1, 5))
def test_slices_cover_all_positions_once_and_fit(count: int, fits: int, copies: int) -> None:
    head = Head.__new__(Head)
    head._vocabulary = 11
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "LOGITS_BYTES", fits * 4 * 11)
        assert head.positions == fits
        parts = head.slices(count, copies=copies)
    covered = [position for part in parts for position in range(part.start, part.stop)]
    assert covered == list(range(count))
    assert max(part.stop - part.start for part in parts) <= max(1, fits // copies)


def test_the_head_of_a_language_model_inside_another_is_split_off_too(tmp_path: Path) -> None:
    """As the models are built that can also see."""

    class Wrapped(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.language_model = inner

        def __call__(self, tokens: mx.array, cache: object = None) -> mx.array:
            logits: mx.array = self.language_model(tokens, cache=cache)
            return logits

    model = Wrapped(load_tiny(tmp_path / "model", "gemma2").model)
    head = Head(model)
    assert head.split
    assert mx.allclose(head.logits(TOKENS, ROWS, COLUMNS), model(TOKENS)[ROWS, COLUMNS], atol=1e-5)
