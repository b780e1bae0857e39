"""Training that is held at anchors: the loss, its gradient, resuming, and that it holds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples_of
from hypothesis import strategies as st
from tiny import write_model

from augmlx.core.progress import Silent
from augmlx.core.records import Json
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.models.store import folder as store
from augmlx.training import anchoring, fit, layout, loop, packing
from augmlx.training.anchoring import Anchors, drawn
from augmlx.training.batches import Row
from augmlx.training.loss import losses_of

from .support import examples, rows_of, settings, trained, tuned

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten  # isort: skip

ANCHORS: list[Json] = [
    {"id": f"anchor/{n}", "text": f"The tide turns at {n} and the gulls come back."}
    for n in range(9)
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny").path


def held(
    model: Path, folder: Path, anchors: list[Json] = ANCHORS, **changes: Any
) -> tuple[Json, dict[str, mx.array]]:
    """A training that is held at anchors, and its adapter."""
    changes = {"anchor": 1.0, **changes}
    ready = fit.prepare(store.find(model), examples(), settings(**changes), (), anchors)
    file = folder / "anchors.safetensors"
    counts = fit.fit(ready, folder, progress=Silent(), label="Training", remembered=file)
    weights = mx.load(str(folder / "adapter" / "adapters.safetensors"))
    assert isinstance(weights, dict)
    return counts, weights


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# The loss


def whole(
    model: nn.Module, base: nn.Module, rows: list[Row], weights: list[float]
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The logits (T, V) of both models on each row, and KL(base || model) written out."""
    total = np.zeros(())
    logits = []
    for row, weight in zip(rows, weights, strict=True):
        tokens = mx.array([row.tokens[:-1]])
        pair = [np.array(m(tokens)[0].astype(mx.float32), np.float64) for m in (base, model)]
        p, q = (x - np.logaddexp.reduce(x, axis=-1, keepdims=True) for x in pair)
        total = total + weight * (np.exp(p) * (p - q)).sum()
        logits.append((pair[0], pair[1]))
    return total, logits


@pytest.mark.parametrize("packed", [False, True])
def test_the_divergence_is_the_one_written_out(tmp_path: Path, packed: bool) -> None:
    model = tuned(tmp_path / "tiny")
    model.eval()
    base = loading.load(store.find(tmp_path / "tiny")).model
    rows = rows_of([9, 14, 3])
    anchors = anchoring.remembered(base, rows, None, "")
    lies = layout.BatchLayout(packing="always" if packed else "never", bucketed=packed)
    (arrays,) = anchors.arrays([2, 0], 3.0, lies)
    none, found = losses_of(Head(model), arrays, packing.caches(model, arrays))
    assert none.item() == 0
    chosen = [rows[2], rows[0]]
    wanted, _ = whole(model, base, chosen, [3.0 / row.targets for row in chosen])
    assert found.item() == pytest.approx(float(wanted), rel=1e-4)
    (itself,) = anchoring.remembered(model, rows, None, "").arrays([0, 1, 2], 1.0, lies)
    _, found = losses_of(Head(model), itself, packing.caches(model, itself))
    assert found.item() == pytest.approx(0.0, abs=1e-5)


def test_value_and_gradient_are_those_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = tuned(tmp_path / "tiny")
    model.eval()
    base = loading.load(store.find(tmp_path / "tiny")).model
    rows = rows_of([6, 11])
    anchors = anchoring.remembered(base, rows, None, "")
    (arrays,) = anchors.arrays([0, 1], 1.0, layout.BatchLayout())
    head = Head(model)
    hidden = head.hidden(arrays["inputs"], arrays["row"], arrays["column"])

    class Fixed(Head):
        """The head, and hidden states that are given."""

        def __init__(self) -> None:
            super().__init__(model)

        def hidden(self, *_: Any) -> mx.array:
            return given_hidden[0]

    given_hidden = [hidden]
    fixed = Fixed()

    def loss(states: mx.array) -> mx.array:
        given_hidden[0] = states
        return losses_of(fixed, arrays)[1]

    value, slope = mx.value_and_grad(loss)(hidden)
    weight = torch.tensor(np.array(arrays["pull"]))
    matrix = torch.tensor(np.array(fixed.project(mx.eye(hidden.shape[1]))))  # (D, V)
    states = torch.tensor(np.array(hidden), requires_grad=True)
    target = torch.log_softmax(torch.tensor(np.array(arrays["teacher"])) @ matrix, -1)
    parts = torch.nn.functional.kl_div(
        torch.log_softmax(states @ matrix, -1), target, log_target=True, reduction="none"
    ).sum(-1)
    whole_loss = (parts * weight).sum()
    whole_loss.backward()
    assert value.item() == pytest.approx(whole_loss.item(), rel=1e-4)
    wanted = states.grad.numpy()
    assert np.abs(np.array(slope) - wanted).max() <= 1e-4 * np.abs(wanted).max()


@examples_of(max_examples=50)
@given(st.integers(1, 30), st.integers(0, 40), st.integers(1, 7), st.integers(0, 5))
def test_all_anchors_come_in_turn(anchors: int, steps: int, count: int, seed: int) -> None:
    batches = drawn(anchors, steps, count, seed=str(seed))
    assert [len(batch) for batch in batches] == [count] * steps
    order = [index for batch in batches for index in batch]
    for start in range(0, len(order) - anchors + 1, anchors):
        assert sorted(order[start : start + anchors]) == list(range(anchors))
    assert drawn(anchors, steps + 1, count, seed=str(seed))[:steps] == batches


def test_a_place_of_a_short_anchor_weighs_more(model: Path) -> None:
    rows = rows_of([4, 8])
    hidden = mx.zeros((12, 5))
    (arrays,) = Anchors(rows, hidden).arrays([0, 1], 1.0, layout.BatchLayout(bucketed=True))
    weights = np.array(arrays["pull"])
    assert weights.sum() == pytest.approx(2.0)
    assert weights[:4].sum() == pytest.approx(1.0)
    assert arrays["teacher"].shape == (weights.size, 5)


# Training


@pytest.mark.parametrize("kind", ["lora", "dora", "full"])
def test_a_held_training_stays_nearer_to_its_base(model: Path, tmp_path: Path, kind: str) -> None:
    ends = {}
    for weight in (0.0, 20.0):
        folder = tmp_path / str(weight)
        changes = {"method": kind, "anchor": weight, "epochs": 6}
        if kind == "full":
            changes["learning_rate"] = 1e-3
        held(model, folder, **changes)
        loaded = loading.load(store.find(model), folder / "adapter")
        base = loading.load(store.find(model)).model
        rows = rows_of([12, 20])
        ends[weight], _ = whole(loaded.model, base, rows, [1.0, 1.0])
    assert ends[20.0] < 0.8 * ends[0.0]


def test_the_metrics_tell_the_divergence(model: Path, tmp_path: Path) -> None:
    held(model, tmp_path / "with")
    told = [line["divergence"] for line in lines(tmp_path / "with") if "divergence" in line]
    assert told[0] == pytest.approx(0.0, abs=1e-5)  # before the first update
    assert all(math.isfinite(value) for value in told)
    assert max(told) > 1e-4
    held(model, tmp_path / "without", anchor=0.0)
    assert all("divergence" not in line for line in lines(tmp_path / "without"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"packing": "always"},
        {"compile": "always"},
        {"accumulate": 2},
        {"checkpoint_layers": True},
    ],
    ids=str,
)
def test_a_resumed_training_ends_with_the_same_bytes(
    model: Path, tmp_path: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, wanted = held(model, tmp_path / "whole", **changes)
    taken = loop.Training._taken
    count = 0

    def stops(self: loop.Training, *args: Any) -> Any:
        nonlocal count
        count += 1
        if count % 7 == 0:
            raise KeyboardInterrupt
        return taken(self, *args)

    monkeypatch.setattr(loop.Training, "_taken", stops)
    for _ in range(9):
        try:
            _, found = held(model, tmp_path / "cut", **changes)
            break
        except KeyboardInterrupt:
            continue
    assert found.keys() == wanted.keys()
    assert all(mx.array_equal(found[name], wanted[name]) for name in wanted)
    told = [
        [line.get("divergence") for line in lines(tmp_path / name)] for name in ("cut", "whole")
    ]
    assert told[0] == told[1]
    assert any(told[0])


def test_what_the_base_model_gave_is_kept_and_made_anew_where_it_is_torn(
    model: Path, tmp_path: Path
) -> None:
    held(model, tmp_path, epochs=1)
    file = tmp_path / "anchors.safetensors"
    before = file.read_bytes()
    file.write_bytes(before[:100])
    held(model, tmp_path, epochs=1)
    assert file.read_bytes() == before
    held(model, tmp_path, ANCHORS[:4], epochs=1)
    assert file.read_bytes() != before
    assert file.stat().st_mode & 0o777 == 0o600


def test_anchors_are_another_training(model: Path) -> None:
    def mark(anchors: list[Json], **changes: Any) -> str:
        return fit.prepare(
            store.find(model), examples(), settings(**{"anchor": 1.0, **changes}), (), anchors
        ).plan.fingerprint

    assert len({mark(ANCHORS), mark(ANCHORS[1:]), mark([]), mark(ANCHORS, anchor=0.5)}) == 4


def test_a_head_that_cannot_be_run_apart_is_told_and_trained_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = write_model(tmp_path / "tiny")
    monkeypatch.setattr(Head, "split", property(lambda _: False))
    ready = fit.prepare(stored, examples(), settings(epochs=1, anchor=1.0), (), ANCHORS)
    assert ready.plan.unanchored
    assert not any(step.anchors for step in ready.plan.steps)


def test_only_what_is_trained_moves(model: Path, tmp_path: Path) -> None:
    ready = fit.prepare(store.find(model), examples(), settings(epochs=1, anchor=1.0), (), ANCHORS)
    before = dict(tree_flatten(ready.loaded.model.parameters()))
    fit.fit(ready, tmp_path, progress=Silent(), label="x", remembered=tmp_path / "a.safetensors")
    moving = trained(ready.loaded.model)
    after = dict(tree_flatten(ready.loaded.model.parameters()))
    assert all(
        mx.array_equal(after[n], before[n]) for n in before if n in after and n not in moving
    )
