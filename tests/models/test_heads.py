from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, load_tiny, write_model

from augmlx.models import heads, loading
from augmlx.models.heads import Head
from augmlx.records import AdapterSpec
from augmlx.training import adapter

import mlx.core as mx  # isort: skip
from mlx.utils import tree_flatten  # isort: skip

TOKENS = mx.array([[5, 6, 7, 8, 9], [300, 20, 1, 4, 0]])
ROWS, COLUMNS = mx.array([0, 0, 1, 1]), mx.array([0, 4, 2, 3])


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


def test_the_head_is_split_off_only_where_the_model_does_nothing_more_to_its_logits(
    tiny: Callable[[str], loading.LoadedModel],
) -> None:
    split = {kind for kind in KINDS if Head(tiny(kind).model).split}
    assert {"llama", "llama-untied", "llama-sliding", "gemma3_text"} <= split
    assert not split & {"gemma2", "cohere", "granite", "mamba2"}


@pytest.mark.parametrize("cap", [30.0, 1e4])
def test_a_cap_is_seen_even_where_all_logits_are_small(tmp_path: Path, cap: float) -> None:
    """tanh(x / cap) * cap is nearly x there, but not on the real texts that come later."""
    model = load_tiny(tmp_path / "model", "gemma2", final_logit_softcapping=cap).model
    model.model.embed_tokens.weight = model.model.embed_tokens.weight * 1e-3
    assert not Head(model).split


def test_dropout_does_not_change_the_choice_nor_the_training_mode(tmp_path: Path) -> None:
    """A resumed training meets the choice with trained weights, an undisturbed one with B = 0."""
    model = load_tiny(tmp_path / "model").model
    spec = AdapterSpec("tiny", None, 4, 2.0, 0.5, ("self_attn.q_proj",), 2, 2)
    adapter.attach(model, spec, seed=0)
    b = {name: value + 1.0 for name, value in tree_flatten(model.trainable_parameters()) if name.endswith("lora_b")}
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
        assert mx.allclose(logits, model(TOKENS)[ROWS, COLUMNS].astype(mx.float32), rtol=0.02, atol=0.05)


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
