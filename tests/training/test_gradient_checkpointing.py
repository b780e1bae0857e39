"""Gradient checkpointing changes the memory and nothing else, and leaves no trace behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny import load_tiny, write_model

from augmlx.core.settings import TrainSettings
from augmlx.models.heads import Head
from augmlx.training import adapter, layout, packing
from augmlx.training.gradient_checkpointing import layers_recomputed
from augmlx.training.loss import losses_of
from augmlx.training.targets import adapter_spec

from .support import digests, examples, fitted, graded, losses, rows_of, trained, tuned

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip


def classes(model: nn.Module) -> list[type]:
    return [type(module) for module in model.modules()]


def batch(*, packed: bool = False, lengths: tuple[int, ...] = (5, 9, 3)) -> layout.Arrays:
    return layout.arrays(rows_of(lengths), packed=packed)


def same(a: tuple[float, dict[str, mx.array]], b: tuple[float, dict[str, mx.array]]) -> bool:
    return (
        a[0] == pytest.approx(b[0], rel=1e-6)
        and a[1].keys() == b[1].keys()
        and all(bool(mx.allclose(a[1][name], b[1][name], rtol=1e-4, atol=1e-5)) for name in a[1])
    )


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize(
    "kind", ["llama", "llama-sliding", "gemma2", "gemma3_text", "cohere", "granite", "mamba2"]
)
def test_gradients_are_those_of_the_layers_as_they_are(
    tmp_path: Path, kind: str, packed: bool
) -> None:
    model = tuned(tmp_path / "model", kind)
    if packed and packing.why_not(model):
        packed = False  # as in a training
    plain = graded(model, batch(packed=packed))
    with layers_recomputed(model, True):
        recomputed = graded(model, batch(packed=packed))
    assert same(recomputed, plain)
    assert all(bool(mx.abs(gradient).max() > 0) for gradient in recomputed[1].values())


def test_the_weights_of_a_full_training_get_their_gradients(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model")
    adapter.attach(
        loaded.model,
        adapter_spec(loaded, TrainSettings(method="full", layers=-1, targets=("mlp.*",))),
        seed=0,
    )
    plain = graded(loaded.model, batch())
    with layers_recomputed(loaded.model, True):
        assert same(graded(loaded.model, batch()), plain)
    assert len(plain[1]) == 6


@pytest.mark.parametrize("dora", [False, True], ids=["lora", "dora"])
def test_what_is_dropped_on_the_way_forward_is_dropped_on_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dora: bool
) -> None:
    """mlx-lm draws anew there, so that its gradients are of another function than its loss."""
    loaded = load_tiny(tmp_path / "model")
    chosen = TrainSettings(method="dora" if dora else "lora", dropout=0.4, layers=-1)
    adapter.attach(loaded.model, adapter_spec(loaded, chosen), seed=0)
    model = loaded.model
    model.load_weights(
        [(name, value + 0.1) for name, value in trained(model).items()], strict=False
    )
    model.train()
    found = []
    for _ in range(2):
        with layers_recomputed(model, True):
            mx.random.seed(5)
            found.append(graded(model, batch()))
        monkeypatch.setattr(
            mx, "checkpoint", lambda function: function
        )  # the same draws, kept for the way back
    assert same(*found)
    with layers_recomputed(model, True):
        mx.random.seed(6)
        assert not same(graded(model, batch()), found[0])  # another seed drops other things


def test_no_two_modules_drop_the_same_and_evaluation_drops_nothing(tmp_path: Path) -> None:
    model = tuned(tmp_path / "model", dropout=0.5)
    layer = model.model.layers[0].self_attn
    layer.q_proj.dropout, layer.v_proj.dropout = nn.Dropout(0.5), nn.Dropout(0.5)
    seen: list[mx.array] = []
    with layers_recomputed(model, True):
        kind = type(layer.q_proj.dropout)
        real = kind.__call__

        def told(module: nn.Module, x: mx.array) -> mx.array:
            seen.append(real(module, mx.ones((4, 32))))
            return real(module, x)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kind, "__call__", told)
            model(mx.array([[1, 2, 3]]))
        drawn = {tuple(array.reshape(-1).tolist()) for array in seen}
        assert len(drawn) == len(seen) == 6
        model.eval()
        recomputed = model(mx.array([[1, 2, 3]]))
    assert mx.allclose(model(mx.array([[1, 2, 3]])), recomputed, atol=1e-6)


def test_less_is_kept_for_the_way_back(tmp_path: Path) -> None:
    model = tuned(tmp_path / "model", num_hidden_layers=16, intermediate_size=512)
    arrays = batch(lengths=(100,) * 8)
    mx.eval(model.parameters(), arrays)
    peaks = []
    for wanted in (False, True):
        with layers_recomputed(model, wanted):
            graded(model, arrays)  # once before, so that both find the same
            mx.reset_peak_memory()
            before = mx.get_active_memory()
            graded(model, arrays)
            peaks.append(mx.get_peak_memory() - before)
    assert peaks[1] < 0.5 * peaks[0]


def test_classes_are_restored_also_after_an_error(tmp_path: Path) -> None:
    model = tuned(tmp_path / "model", dropout=0.1)
    before = classes(model)
    with layers_recomputed(model, False):
        assert classes(model) == before
    with layers_recomputed(model, True):
        assert (
            sum(now is not then for now, then in zip(classes(model), before, strict=True)) == 2 + 6
        )
    assert classes(model) == before
    with pytest.raises(KeyError), layers_recomputed(model, True):
        raise KeyError
    assert classes(model) == before


def test_other_models_of_the_same_class_are_not_touched(tmp_path: Path) -> None:
    model, other = tuned(tmp_path / "model", dropout=0.1), tuned(tmp_path / "other", dropout=0.1)
    before = classes(other)
    layer = type(other.model.layers[0])
    call = layer.__call__
    with layers_recomputed(model, True):
        assert classes(other) == before
        assert layer.__call__ is call
        assert isinstance(model.model.layers[0], layer)
        assert type(model.model.layers[0]).__module__ == layer.__module__


def checkpoints(model: nn.Module, patch: pytest.MonkeyPatch) -> int:
    """How often a forward pass asks for a recomputation."""
    real, made = mx.checkpoint, []
    patch.setattr(mx, "checkpoint", lambda function: made.append(1) or real(function))
    model(mx.array([[1, 2, 3]]))
    return len(made)


def test_a_second_use_recomputes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mlx-lm's second call wraps the first: each layer is computed four times."""
    model = tuned(tmp_path / "model", dropout=0.1)
    before = classes(model)
    assert checkpoints(model, monkeypatch) == 0
    with layers_recomputed(model, True):
        pass
    with layers_recomputed(model, True):
        inside = classes(model)
        with layers_recomputed(model, True):
            assert classes(model) == inside
            assert checkpoints(model, monkeypatch) == 2
        assert classes(model) == inside  # the outer one is not ended by the inner
    assert classes(model) == before


# In a training


@pytest.mark.parametrize(
    "changes",
    [{"packing": "always"}, {"packing": "never"}, {"method": "full"}, {"method": "dora"}],
    ids=lambda changes: " ".join(changes.values()),
)
def test_a_training_has_the_same_curve(tmp_path: Path, changes: dict[str, Any]) -> None:
    stored = write_model(tmp_path / "model")
    chosen = {"dropout": 0.0, "learning_rate": 1e-3, "epochs": 2, **changes}
    for name, wanted in (("plain", False), ("recomputed", True)):
        fitted(stored.path, tmp_path / name, examples(8), checkpoint_layers=wanted, **chosen)
    plain, recomputed = (losses(tmp_path / name) for name in ("plain", "recomputed"))
    assert [loss for *_, loss in recomputed] == pytest.approx(
        [loss for *_, loss in plain], rel=1e-4
    )


@pytest.mark.parametrize("packed", ["always", "never"])
def test_a_compiled_training_recomputes_too(tmp_path: Path, packed: str) -> None:
    stored = write_model(tmp_path / "model")
    chosen = {"epochs": 1, "packing": packed, "checkpoint_layers": True}
    for name in ("one", "other"):
        fitted(stored.path, tmp_path / name, examples(6), compile="always", **chosen)
    fitted(stored.path, tmp_path / "plain", examples(6), compile="never", dropout=0.0, **chosen)
    fitted(stored.path, tmp_path / "compiled", examples(6), compile="always", dropout=0.0, **chosen)
    plain, compiled = (losses(tmp_path / name) for name in ("plain", "compiled"))
    assert [loss for *_, loss in compiled] == pytest.approx([loss for *_, loss in plain], rel=1e-4)
    assert digests(tmp_path / "one") == digests(tmp_path / "other")  # with dropout


def test_a_head_that_was_split_off_before_works_within(tmp_path: Path) -> None:
    model = tuned(tmp_path / "model", "granite")
    head = Head(model)
    before = losses_of(head, batch())[0]
    with layers_recomputed(model, True):
        assert losses_of(head, batch())[0].item() == pytest.approx(before.item(), rel=1e-6)
