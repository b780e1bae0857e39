"""Packed rows are as good as alone: the same losses, the same gradients, and none sees another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import KINDS, load_tiny, write_model

from augmlx.core.errors import BadSettings
from augmlx.core.progress import Silent, Task
from augmlx.models import loading
from augmlx.training import fit, layout, packing
from augmlx.training.batches import Row

from .support import close, examples, fitted, graded, losses, rows_of, tuned, written_out
from .support import settings as settings_of

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx_lm.models import gpt2, llama  # isort: skip

PACKED: dict[str, tuple[str, int | None]] = {
    "llama": ("llama", None),
    "llama-untied": ("llama-untied", None),
    "cohere": ("cohere", None),
    "granite": ("granite", None),
    "on 4 bits": ("llama", 4),
}
WHY = {
    "llama-sliding": "its attention has a window",
    "gemma2": "its attention is its own",
    "gemma3_text": "its attention has a window",
    "mamba2": "it takes no cache but its own (TypeError)",
}


@pytest.fixture(scope="module", params=list(PACKED))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    kind, bits = PACKED[request.param]
    return tuned(tmp_path_factory.mktemp("model") / "model", kind, bits=bits)


@st.composite
def batches(draw: st.DrawFn) -> list[Row]:
    """Rows of 1 input token and up, whose masks have holes; one of them carries loss at least."""
    rows = rows_of(draw(st.lists(st.integers(1, 24), min_size=1, max_size=5)))
    if draw(st.booleans()):
        return rows
    rng = Random(draw(st.integers(0, 99)))
    holed = [
        Row(row.id, row.tokens, (False, *(rng.random() < 0.5 for _ in row.tokens[1:])))
        for row in rows
    ]
    return holed if any(row.targets for row in holed) else rows


# Equal to padded, and to the loss written out


@settings(max_examples=12, deadline=None)
@given(batches())
def test_packed_equals_padded_and_the_loss_written_out_in_loss_and_gradients(
    model: nn.Module, rows: list[Row]
) -> None:
    value, gradients = written_out(model, rows)
    weight = 1 / sum(row.targets for row in rows)
    for packed, bucketed in ((True, False), (True, True), (False, False), (False, True)):
        found, found_gradients = graded(
            model, layout.arrays(rows, weight, packed=packed, bucketed=bucketed)
        )
        assert found == pytest.approx(value, rel=1e-5)
        assert close(found_gradients, gradients)


def logits(model: nn.Module, rows: list[Row], *, packed: bool) -> list[mx.array]:
    """The logits of each row: (T, V)"""
    made = layout.arrays(rows, 1.0, packed=packed, bucketed=True)
    out = model(made["inputs"], cache=packing.caches(model, made))
    ends, found = 0, []
    for n, row in enumerate(rows):
        size = len(row.tokens) - 1
        found.append(out[0, ends : ends + size] if packed else out[n, :size])
        ends += size
    return found


def test_the_logits_of_a_packed_row_are_those_of_the_row_alone(model: nn.Module) -> None:
    rows = rows_of([7, 1, 20, 3])
    packed = logits(model, rows, packed=True)
    for n, row in enumerate(rows):
        [alone] = logits(model, [row], packed=False)
        assert mx.allclose(packed[n], alone, rtol=1e-4, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 3), st.integers(1, 370))
def test_no_row_sees_what_it_is_packed_beside(model: nn.Module, changed: int, shift: int) -> None:
    """Other tokens in one row change that row alone, and the others not by a bit."""
    rows = rows_of([7, 2, 19, 4])
    other = Row(
        "other",
        tuple((token + shift) % 380 + 1 for token in rows[changed].tokens),
        rows[changed].mask,
    )
    before = logits(model, rows, packed=True)
    after = logits(model, [*rows[:changed], other, *rows[changed + 1 :]], packed=True)
    for n in range(len(rows)):
        assert bool(mx.array_equal(before[n], after[n])) == (n != changed)


def test_a_loss_on_one_row_has_the_gradient_of_that_row_whatever_is_beside_it(
    model: nn.Module,
) -> None:
    one, *others = rows_of([6, 11, 3])
    silent = [Row(row.id, row.tokens, (False,) * len(row.tokens)) for row in others]
    value, gradients = graded(model, layout.arrays([one], 1.0))
    for rows in ([one, *silent], [*silent, one]):
        found, found_gradients = graded(model, layout.arrays(rows, 1.0, packed=True))
        assert found == pytest.approx(value, rel=1e-5)
        assert close(found_gradients, gradients)


def test_laying_rows_side_by_side_and_back_is_the_identity_and_so_are_its_gradients() -> None:
    rows = rows_of([4, 1, 6])
    for bucketed in (False, True):
        made = layout.arrays(rows, 1.0, packed=True, bucketed=bucketed)
        packed = packing.PackedRows(made["grid"], made["flat"])
        size = made["inputs"].shape[1]
        values = mx.random.normal((1, 3, size, 5), key=mx.random.key(1))
        weights = mx.random.normal((1, 3, size, 5), key=mx.random.key(2))

        def back(array: mx.array, packed: packing.PackedRows = packed) -> mx.array:
            return packed._collect(packed._spread(array))

        assert mx.array_equal(back(values), values)
        gradient = mx.grad(lambda array, w=weights, go=back: (go(array) * w).sum())(values)
        assert mx.array_equal(gradient, weights)


# Which models can be packed


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], nn.Module]:
    return lru_cache(lambda kind: load_tiny(tmp_path_factory.mktemp("plain") / kind, kind).model)


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_cannot_be_packed_says_why(plain: Callable[[str], nn.Module], kind: str) -> None:
    assert packing.why_not(plain(kind)) == WHY.get(kind)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
@pytest.mark.parametrize("kind", ["llama", "granite", "cohere"])
def test_sixteen_bits_are_packed_too(tmp_path: Path, kind: str, dtype: mx.Dtype) -> None:
    made = load_tiny(tmp_path / "model", kind).model
    made.set_dtype(dtype)
    assert packing.why_not(made) is None


def test_trying_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    """And is not led astray by dropout: a resumed training decides as the first one did."""
    made = tuned(tmp_path / "model", dropout=0.5)
    assert packing.why_not(made) is None
    assert made.training
    assert made.model.layers[0].self_attn.q_proj.dropout.training
    made.eval()
    assert packing.why_not(made) is None
    assert not made.training


def test_places_that_are_learnt_are_no_rotation_and_are_found_out() -> None:
    """GPT-2 adds a vector for each place: the rows behind the first would begin at the wrong
    one.
    """
    sizes = {
        "n_ctx": 64,
        "n_embd": 16,
        "n_head": 2,
        "n_layer": 2,
        "n_positions": 64,
        "vocab_size": 64,
    }
    made = gpt2.Model(gpt2.ModelArgs("gpt2", layer_norm_epsilon=1e-5, **sizes))
    assert packing.why_not(made) == "its rows see each other, or their place in the row"


def test_an_attention_that_asks_no_cache_is_found_out(
    plain: Callable[[str], nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(
        q: mx.array, k: mx.array, v: mx.array, *, scale: float, mask: Any, **_: Any
    ) -> mx.array:
        return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=mask)

    monkeypatch.setattr(llama, "scaled_dot_product_attention", deaf)
    assert packing.why_not(plain("llama")) == "its rows see each other, or their place in the row"


def test_a_mask_of_the_models_own_is_refused() -> None:
    made = layout.arrays(rows_of([3, 2]), 1.0, packed=True)
    packed = packing.PackedRows(made["grid"], made["flat"])
    values = mx.zeros((1, 2, 5, 4))
    assert packed.attend(values, values, values, 1.0, "causal", None).shape == values.shape
    with pytest.raises(packing.Unpackable, match="a mask of its own"):
        packed.attend(values, values, values, 1.0, mx.zeros((5, 5)), None)


# In a training


class Said(Silent):
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Task]:
        with super().task(label, total, done=done) as task:
            yield task


def uneven(count: int = 8) -> list[dict[str, Any]]:
    """Texts shorter than the sliding windows of the tiny models, so unlike that packing would save
    much.
    """
    return [
        {"id": f"f{n}/original", "text": "Ada Venn lamp"[: 3 + 2 * (n % 5)]} for n in range(count)
    ]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_model_that_cannot_be_packed_trains_padded_and_says_so(tmp_path: Path, kind: str) -> None:
    stored = write_model(tmp_path / "model", kind)
    chosen = (
        {"epochs": 2, "targets": ("in_proj", "out_proj")} if kind == "mamba2" else {"epochs": 2}
    )
    said, counts = {}, {}
    if kind in WHY:
        with pytest.raises(BadSettings, match="cannot be packed"):
            fit.prepare(
                stored, uneven(), settings_of(packing="always", **chosen)
            )  # before anything is done
    for setting in ("auto", "never") if kind in WHY else ("auto", "always", "never"):
        progress = Said()
        counts[setting] = fitted(
            stored.path, tmp_path / setting, uneven(), progress=progress, packing=setting, **chosen
        )
        heads = [
            line for line in progress.lines if "all logits of a batch are in memory at once" in line
        ]
        assert len(heads) == (kind == "mamba2")
        said[setting] = [line for line in progress.lines if line not in heads]
    told = [f"Training: examples are padded and not packed: {WHY[kind]}"] if kind in WHY else []
    assert said.pop("auto") == told
    assert not any(said.values())
    if kind in WHY:
        assert losses(tmp_path / "never") == losses(tmp_path / "auto")
        assert counts["auto"] == counts["never"]
    else:
        assert counts["always"]["padding"] == 0 < counts["never"]["padding"]


@pytest.mark.parametrize(
    ("changes", "positions"),
    [
        ({"max_position_embeddings": 24}, 24),
        (
            {
                "rope_scaling": {
                    "type": "yarn",
                    "factor": 4.0,
                    "original_max_position_embeddings": 16,
                }
            },
            16,
        ),
        ({}, 256),
    ],
)
def test_a_packed_row_is_within_what_the_model_was_made_for(
    tmp_path: Path, changes: dict[str, Any], positions: int
) -> None:
    """Behind it some models scale by the place in the row, of which a row that is padded has
    less.
    """
    stored = write_model(tmp_path / "model", **changes)
    assert packing.longest(loading.load(stored).model) == positions
    rows = uneven(24)
    for setting in ("auto", "always"):
        counts = fitted(
            stored.path, tmp_path / setting, rows, packing=setting, batch_size=24, epochs=1
        )
        assert (counts["padding"] > 0) == (positions < 256)


@pytest.mark.parametrize("kind", ["llama", "cohere"])
def test_packed_and_padded_trainings_have_the_same_curve(tmp_path: Path, kind: str) -> None:
    stored = write_model(tmp_path / "model", kind)
    for setting in ("always", "never"):
        fitted(
            stored.path,
            tmp_path / setting,
            examples(10),
            packing=setting,
            dropout=0.0,
            learning_rate=1e-3,
        )
    packed, padded = (losses(tmp_path / setting) for setting in ("always", "never"))
    assert [loss for *_, loss in packed] == pytest.approx([loss for *_, loss in padded], rel=1e-4)


def test_auto_packs_a_batch_where_that_saves_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = write_model(tmp_path / "model")
    real, seen = layout.arrays, []

    def arrays(rows: list[Row], *rest: float, packed: bool = False, **named: Any) -> layout.Arrays:
        seen.append(([len(row.tokens) - 1 for row in rows], packed))
        return real(rows, *rest, packed=packed, **named)

    monkeypatch.setattr(layout, "arrays", arrays)
    fitted(stored.path, tmp_path / "run", examples(16), epochs=2, batch_size=3)
    assert {packed for _, packed in seen} == {True, False}
    assert all(packed == layout.worth_packing(sizes, bucketed=False) for sizes, packed in seen)
