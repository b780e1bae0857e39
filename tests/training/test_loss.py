from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import VOCABULARY

from augmlx.models import heads
from augmlx.models.heads import Head
from augmlx.training import layout
from augmlx.training.batches import Row

from .support import close, graded, rows_of, tuned, written_out

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx_lm.tuner.trainer import default_loss  # isort: skip


@pytest.fixture(scope="module", params=["llama", "granite", "gemma2", "mamba2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    """With the head split off, with a scale or a cap behind it, and without; the adapter is not at
    its zero start.
    """
    return tuned(tmp_path_factory.mktemp("model") / "model", request.param)


def ours(model: nn.Module, rows: list[Row]) -> tuple[float, dict[str, mx.array]]:
    return graded(model, layout.arrays(rows, 1 / sum(row.targets for row in rows)))


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_loss_and_gradients_are_those_of_the_masked_batch_whatever_the_padding(
    model: nn.Module, data: Any
) -> None:
    lengths = data.draw(st.lists(st.integers(2, 20), min_size=1, max_size=5))
    rows = rows_of(lengths)
    value, gradients = ours(model, rows)
    for width, pad in ((max(lengths) + 1, 0), (40, 17)):
        expected, expected_gradients = written_out(model, rows, width, pad)
        assert value == pytest.approx(expected, rel=1e-5)
        assert close(gradients, expected_gradients)


def test_a_mask_with_holes_counts_its_own_tokens_alone(model: nn.Module) -> None:
    """A prompt is masked out; the loss is the mean over all tokens of the batch, not over its
    rows.
    """
    rows = [
        Row("a", (5, 6, 7, 8, 9, 0), (False, False, False, False, True, True)),
        Row("b", (9, 8, 7), (False, True, True)),
        Row("c", (11, 12), (False, False)),
    ]
    value, gradients = ours(model, rows)
    expected, expected_gradients = written_out(model, rows, 8, 3)
    assert value == pytest.approx(expected, rel=1e-5)
    assert close(gradients, expected_gradients)


def test_the_batch_is_padded_to_its_own_longest_and_no_pad_is_a_target() -> None:
    """mlx-lm pads to multiples of 32 and counts one pad token a row in its loss."""
    rows = rows_of([3, 7, 5])
    made = layout.arrays(rows, 1.0)
    assert made["inputs"].shape == (3, 7)  # 7 tokens and the end, which is never an input
    assert (
        made["target"].shape
        == made["row"].shape
        == made["column"].shape
        == made["weight"].shape
        == (3 + 7 + 5,)
    )
    told = [
        rows[r].tokens[c + 1]
        for r, c in zip(made["row"].tolist(), made["column"].tolist(), strict=True)
    ]
    assert made["target"].tolist() == told


def test_mlx_lms_own_loss_counts_a_pad_for_each_row(model: nn.Module) -> None:
    """The fault that ours does not have; when this fails, mlx-lm has mended it."""
    rows = rows_of([3, 7])
    tokens = mx.array([[*row.tokens, *[0] * (33 - len(row.tokens))] for row in rows])
    _, counted = default_loss(model, tokens, mx.array([[0, len(row.tokens)] for row in rows]))
    assert counted.item() == sum(row.targets for row in rows) + len(rows)


def test_what_fills_a_bucket_up_has_no_loss_and_no_gradient(model: nn.Module) -> None:
    rows = rows_of([3, 7, 5])
    value, gradients = ours(model, rows)
    filled, filled_gradients = graded(model, layout.arrays(rows, 1 / 15, bucketed=True))
    assert filled == pytest.approx(value, rel=1e-5)
    assert close(filled_gradients, gradients)


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


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("llama", False),
        ("llama", True),
        ("llama-untied", False),
        ("gemma2", False),
        ("cohere", True),
        ("granite", False),
    ],
)
def test_the_logits_of_a_large_batch_never_exist_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, packed: bool
) -> None:
    made = tuned(tmp_path / "model", kind, vocab_size=40_000)
    rows = rows_of([33] * 16)
    peaks = []
    for limit in (heads.LOGITS_BYTES, 4 << 20):
        monkeypatch.setattr(heads, "LOGITS_BYTES", limit)
        arrays = layout.arrays(rows, 1.0, packed=packed)
        mx.eval(arrays)
        mx.reset_peak_memory()
        before = mx.get_active_memory()
        graded(made, arrays)
        peaks.append(mx.get_peak_memory() - before)
    whole = 4 * 40_000 * sum(row.targets for row in rows)
    assert peaks[0] > whole  # 85 MB
    assert peaks[1] < whole / 3
