"""The mean of the last weights: it is the mean, it is what is kept, and a resumed training has the
same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import write_model

from augmlx.core.errors import RunError
from augmlx.core.settings import TrainSettings
from augmlx.training import loop
from augmlx.training.averaging import TailMean

from .support import fitted, trained

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny").path


def saved(folder: Path) -> dict[str, mx.array]:
    arrays = mx.load(str(folder / "adapter" / "adapters.safetensors"))
    assert isinstance(arrays, dict)
    return arrays


@given(
    st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=12),
    st.integers(1, 12),
    st.sampled_from([mx.float32, mx.bfloat16]),
)
def test_it_is_the_mean_of_the_weights_from_a_step_on(
    values: list[float], first: int, kind: mx.Dtype
) -> None:
    layer = nn.Linear(2, 1, bias=False)
    mean = TailMean(layer, first)
    seen: list[float] = []
    for step, value in enumerate(values, start=1):
        layer.weight = mx.array([[value, -value]]).astype(kind)
        mean.add(step)
        assert mean.has(step) == (step >= first)
        if step >= first:
            seen.append(float(layer.weight[0, 0].astype(mx.float32).item()))
            found = np.array(mean.arrays["weight"])
            assert found == pytest.approx(np.array([[1, -1]]) * np.mean(seen), abs=1e-4)
    if seen:
        mean.restore()
        assert layer.weight.dtype == kind
        assert layer.weight[0, 0].item() == pytest.approx(np.mean(seen), abs=0.05)
    else:
        assert mean.arrays == {}


def weights_behind_each_step(patch: pytest.MonkeyPatch) -> list[dict[str, np.ndarray]]:
    seen: list[dict[str, np.ndarray]] = []
    taken = loop.Training._taken

    def watched(self: loop.Training, *args: Any) -> Any:
        result = taken(self, *args)
        seen.append({name: np.array(array) for name, array in trained(self._model).items()})
        return result

    patch.setattr(loop.Training, "_taken", watched)
    return seen


@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (0.1, 3), (1.0, 24)])
def test_the_adapter_is_the_mean_behind_the_last_steps(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, count: int
) -> None:
    seen = weights_behind_each_step(monkeypatch)
    assert fitted(model, tmp_path, average=share)["steps"] == len(seen) == 24
    for name, array in saved(tmp_path).items():
        wanted = np.mean([weights[name] for weights in seen[-count:]], axis=0)
        assert np.allclose(np.array(array), wanted, atol=1e-6)
        assert count == 1 or not np.array_equal(np.array(array), seen[-1][name])


@pytest.mark.parametrize("every", [1, 5, 7])
def test_a_resumed_training_has_the_same_mean(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    changes: dict[str, Any] = {"average": 0.5, "checkpoint_every": 2}
    fitted(model, tmp_path / "whole", **changes)
    taken = loop.Training._taken
    count = 0

    def stops(self: loop.Training, *args: Any) -> Any:
        nonlocal count
        count += 1
        if count % (2 + every) == 0:
            raise KeyboardInterrupt
        return taken(self, *args)

    monkeypatch.setattr(loop.Training, "_taken", stops)
    for _ in range(24):
        try:
            fitted(model, tmp_path / "cut", **changes)
            break
        except KeyboardInterrupt:
            continue
    found, wanted = saved(tmp_path / "cut"), saved(tmp_path / "whole")
    assert found.keys() == wanted.keys()
    assert all(mx.array_equal(found[name], wanted[name]) for name in wanted)


def test_a_checkpoint_without_its_mean_is_damaged(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = loop.Training._taken

    def stops(self: loop.Training, step: Any, *args: Any) -> Any:
        if step.number == 23:
            raise KeyboardInterrupt
        return taken(self, step, *args)

    monkeypatch.setattr(loop.Training, "_taken", stops)
    with pytest.raises(KeyboardInterrupt):
        fitted(model, tmp_path, average=0.5, checkpoint_every=2)
    newest = max((tmp_path / "checkpoints").glob("step-*"))
    (newest / "mean.safetensors").unlink()
    with pytest.raises(RunError, match="damaged checkpoint"):
        fitted(model, tmp_path, average=0.5, checkpoint_every=2)


def test_whole_layers_and_the_best_validation_have_none(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"train\.average is of adapters"):
        TrainSettings(method="full", average=0.5)
    fitted(model, tmp_path / "full", method="full", epochs=1)
    best: dict[str, Any] = {"best": "loss", "valid": [{"id": "v/original", "text": "Venn"}]}
    fitted(model, tmp_path / "mean", average=1.0, **best)
    fitted(model, tmp_path / "none", average=0.0, **best)
    one, other = saved(tmp_path / "mean"), saved(tmp_path / "none")
    assert all(mx.array_equal(one[name], other[name]) for name in one)
