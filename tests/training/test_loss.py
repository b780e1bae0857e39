from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import VOCABULARY, load_tiny

from augmlx.models import heads
from augmlx.models.heads import Head
from augmlx.records import AdapterSpec
from augmlx.training import adapter
from augmlx.training.batches import Row, text_row
from augmlx.training.loss import batch_arrays, mean_loss

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm.tuner.trainer import default_loss  # isort: skip

TARGETS = ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")


@pytest.fixture(scope="module", params=["llama", "granite"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    """With the head split off, and without; with an adapter that is not at its zero start."""
    made = load_tiny(tmp_path_factory.mktemp("model") / "model", request.param).model
    adapter.attach(made, AdapterSpec("tiny", None, 4, 2.0, 0.0, TARGETS, 2, 2), seed=1)
    lora = dict(tree_flatten(made.trainable_parameters()))
    made.load_weights([(name, mx.random.normal(value.shape) * 0.1) for name, value in lora.items()], strict=False)
    made.train()
    return made


def rows_of(lengths: list[int]) -> list[Row]:
    return [
        text_row(f"r{n}", [(7 * n + 5 * k) % 380 + 2 for k in range(size)], 0, 64) for n, size in enumerate(lengths)
    ]


def ours(model: nn.Module, rows: list[Row]) -> tuple[float, dict[str, mx.array]]:
    head = Head(model)
    value, gradients = nn.value_and_grad(model, lambda *arrays: mean_loss(head, *arrays))(*batch_arrays(rows))
    return value.item(), dict(tree_flatten(gradients))


def masked(model: nn.Module, rows: list[Row], width: int, pad: int) -> tuple[float, dict[str, mx.array]]:
    """The loss written out: cross-entropy at every place of the padded batch, times its mask, over the mask's sum."""
    tokens = mx.array([[*row.tokens, *[pad] * (width - len(row.tokens))] for row in rows])
    mask = mx.array([[*row.mask, *[False] * (width - len(row.tokens))] for row in rows])[:, 1:]

    def loss() -> mx.array:
        each = nn.losses.cross_entropy(model(tokens[:, :-1]).astype(mx.float32), tokens[:, 1:])
        return (each * mask).sum() / mask.sum()

    value, gradients = nn.value_and_grad(model, loss)()
    return value.item(), dict(tree_flatten(gradients))


def close(a: dict[str, mx.array], b: dict[str, mx.array]) -> bool:
    return a.keys() == b.keys() and all(bool(mx.allclose(a[name], b[name], rtol=1e-3, atol=1e-5)) for name in a)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_loss_and_gradients_are_those_of_the_masked_batch_whatever_the_padding(model: nn.Module, data: Any) -> None:
    lengths = data.draw(st.lists(st.integers(2, 20), min_size=1, max_size=5))
    rows = rows_of(lengths)
    value, gradients = ours(model, rows)
    for width, pad in ((max(lengths) + 1, 0), (40, 17)):
        expected, expected_gradients = masked(model, rows, width, pad)
        assert value == pytest.approx(expected, rel=1e-5)
        assert close(gradients, expected_gradients)


def test_a_mask_with_holes_counts_its_own_tokens_alone(model: nn.Module) -> None:
    """A prompt is masked out; the loss is the mean over all tokens of the batch, not over its rows."""
    rows = [
        Row("a", (5, 6, 7, 8, 9, 0), (False, False, False, False, True, True)),
        Row("b", (9, 8, 7), (False, True, True)),
        Row("c", (11, 12), (False, False)),
    ]
    value, gradients = ours(model, rows)
    expected, expected_gradients = masked(model, rows, 8, 3)
    assert value == pytest.approx(expected, rel=1e-5)
    assert close(gradients, expected_gradients)


def test_the_batch_is_padded_to_its_own_longest_and_no_pad_is_a_target() -> None:
    """mlx-lm pads to multiples of 32 and counts one pad token a row in its loss."""
    rows = rows_of([3, 7, 5])
    inputs, index, column, target = batch_arrays(rows)
    assert inputs.shape == (3, 7)  # 7 tokens and the end, which is never an input
    assert target.shape == index.shape == column.shape == (3 + 7 + 5,)
    told = [rows[r].tokens[c + 1] for r, c in zip(index.tolist(), column.tolist(), strict=True)]
    assert target.tolist() == told


def test_mlx_lms_own_loss_counts_a_pad_for_each_row(model: nn.Module) -> None:
    """The fault that ours does not have; when this fails, mlx-lm has mended it."""
    rows = rows_of([3, 7])
    tokens = mx.array([[*row.tokens, *[0] * (33 - len(row.tokens))] for row in rows])
    _, counted = default_loss(model, tokens, mx.array([[0, len(row.tokens)] for row in rows]))
    assert counted.item() == sum(row.targets for row in rows) + len(rows)


def test_a_batch_without_targets_is_no_nan() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        batch_arrays([Row("a", (1, 2, 3), (False, False, False))])


# Slices of the targets


@pytest.mark.parametrize("fits", [1, 7, 20])
def test_slices_of_the_targets_have_the_loss_and_gradients_of_the_whole(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    rows = rows_of([3, 17, 9, 12, 2])
    value, gradients = ours(model, rows)
    seen: list[int] = []
    project = Head.project

    def projected(head: Head, hidden: mx.array) -> mx.array:
        seen.append(hidden.shape[0])
        return project(head, hidden)

    monkeypatch.setattr(heads, "LOGITS_BYTES", fits * 4 * VOCABULARY)
    monkeypatch.setattr(Head, "project", projected)
    sliced, sliced_gradients = ours(model, rows)
    assert sliced == pytest.approx(value, rel=1e-5)
    assert close(sliced_gradients, gradients)
    if Head(model).split:
        assert max(seen) <= fits


def test_the_logits_of_a_large_batch_never_exist_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = load_tiny(tmp_path / "model", vocab_size=40_000).model
    adapter.attach(made, AdapterSpec("tiny", None, 4, 2.0, 0.0, TARGETS, 2, 2), seed=1)
    rows = rows_of([33] * 16)
    peaks = []
    for limit in (heads.LOGITS_BYTES, 4 << 20):
        monkeypatch.setattr(heads, "LOGITS_BYTES", limit)
        head = Head(made)
        arrays = batch_arrays(rows)
        mx.eval(arrays)
        mx.reset_peak_memory()
        before = mx.get_active_memory()
        value, gradients = nn.value_and_grad(made, lambda *given, head=head: mean_loss(head, *given))(*arrays)
        mx.eval(value, gradients)
        peaks.append(mx.get_peak_memory() - before)
    whole = 4 * 40_000 * sum(row.targets for row in rows)
    assert peaks[0] > whole  # 85 MB
    assert peaks[1] < whole / 3
