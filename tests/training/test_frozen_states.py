"""Where only the upper layers are trained, what the lower ones give is computed once, and nothing
else changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import KINDS, write_model

from augmlx.core.progress import Silent
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.models.trunk import trunk_of
from augmlx.training import adapter, anchoring, frozen_states
from augmlx.training.frozen_states import FrozenStates
from augmlx.training.layout import BatchLayout
from augmlx.training.plan import make_plan
from augmlx.training.steps import Stepper
from augmlx.training.targets import adapter_spec
from augmlx.training.team import Team

from .support import rows_of, settings, trained
from .test_shared_prefix import MIXED

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_unflatten  # isort: skip

ROWS = [*MIXED, *rows_of([4, 4, 12])]


class Upper:
    """A model whose last layers have learnt something already, and a plan for it."""

    def __init__(
        self,
        folder: Path,
        kind: str = "llama",
        *,
        layers: int = 1,
        bits: int | None = None,
        grown: float = 0.1,
        **changes: Any,
    ) -> None:
        loaded = loading.load(write_model(folder, kind, bits=bits))
        targets = ("q_proj", "v_proj", "down_proj")
        rows = {"layers": layers, "anchor": 1.0, "batch_size": 8, "dropout": 0.0}
        train = settings(targets=targets, **{**rows, **changes}).train
        self.model: nn.Module = loaded.model
        plan = make_plan(self.model, ROWS, train, peak=1e-3, seed=1, anchors=rows_of([7, 5]))
        held = None
        if plan.anchors:
            held = anchoring.remembered(self.model, plan.anchors, None, "")
        adapter.attach(self.model, adapter_spec(loaded, train), seed=1)
        fresh = trained(self.model)
        keys = mx.random.split(mx.random.key(2), len(fresh))
        moved = [
            (name, array + grown * mx.random.normal(array.shape, key=key))
            for (name, array), key in zip(fresh.items(), keys, strict=True)
        ]
        self.model.update(tree_unflatten(moved))
        self.model.train()
        self.plan, self.held = plan, held
        self.states: FrozenStates | None = None
        self.taken: list[Any] = []

    def run(self, *, remembers: bool) -> dict[str, mx.array]:
        """What three steps make of the adapter."""
        self.states = self.known_states() if remembers else None
        stepper = Stepper(self.model, self.plan, Team(), self.held, self.states)
        self.taken = [stepper.run(step, 0.01) for step in self.plan.steps[:3]]
        return trained(self.model)

    def known_states(self) -> FrozenStates | None:
        rows, shares = [*self.plan.used.values(), *self.plan.anchors], self.plan.layout.shares
        return FrozenStates.of(self.model, Head(self.model), rows, Silent(), "", shares=shares)

    @property
    def has_states(self) -> bool:
        return self.states is not None


# The head of mamba2 cannot be run apart from its body: its states stay what tokens make them.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mamba2"])
def test_steps_are_those_of_all_layers(tmp_path: Path, kind: str) -> None:
    with_states, whole = Upper(tmp_path / "a", kind), Upper(tmp_path / "b", kind)
    found, wanted = with_states.run(remembers=True), whole.run(remembers=False)
    assert with_states.has_states
    assert not whole.has_states
    for one, other in zip(with_states.taken, whole.taken, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
        if other.divergence is not None:
            assert one.divergence == pytest.approx(other.divergence, rel=1e-3)
    for name, array in wanted.items():
        assert float(mx.abs(found[name] - array).max()) <= 1e-3, name


@pytest.mark.parametrize(
    "changes",
    [
        {"packing": "always"},
        {"compile": "always"},
        {"accumulate": 2, "batch_size": 3},
        {"method": "dora"},
        {"method": "full", "rank": 16},
        {"checkpoint_layers": True},
        {"bits": 4},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_it_goes_with(tmp_path: Path, changes: dict[str, Any]) -> None:
    with_states, whole = Upper(tmp_path / "a", **changes), Upper(tmp_path / "b", **changes)
    found, wanted = with_states.run(remembers=True), whole.run(remembers=False)
    assert with_states.has_states
    for name, array in wanted.items():
        assert float(mx.abs(found[name] - array).max()) <= 1e-3, name


@pytest.mark.parametrize("changes", [{}, {"method": "dora"}, {"packing": "always"}, {"bits": 4}])
def test_anchors_are_those_of_the_whole_base_model(tmp_path: Path, changes: dict[str, Any]) -> None:
    """What is attached has changed nothing yet, and the frozen layers are not run again."""
    made = Upper(tmp_path / "a", grown=0.0, **changes)
    assert made.held is not None
    states = made.known_states()
    assert states is not None
    lies = made.plan.layout
    mine = anchoring.remembered(made.model, made.plan.anchors, None, "", lies, states)
    for place in range(2):
        (found,) = mine.arrays([place], 1.0, BatchLayout())
        (wanted,) = made.held.arrays([place], 1.0, BatchLayout())
        assert mx.allclose(found["teacher"], wanted["teacher"], rtol=1e-4, atol=1e-5)


def test_a_model_that_is_trained_from_its_first_layer_on_has_none(tmp_path: Path) -> None:
    all_of_it = Upper(tmp_path / "a", layers=-1)
    all_of_it.run(remembers=True)
    assert not all_of_it.has_states


def test_what_is_trained_outside_of_the_layers_leaves_none(tmp_path: Path) -> None:
    made = Upper(tmp_path / "a")
    made.model.model.norm.unfreeze()
    assert trunk_of(made.model, Head(made.model).body) is None


def test_states_that_would_not_fit_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_states, "MOST_BYTES", 100)
    made = Upper(tmp_path / "a")
    made.run(remembers=True)
    assert not made.has_states


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple), min_size=1))
def test_places_are_shared_by_what_begins_alike_and_by_nothing_else(
    texts: list[tuple[int, ...]],
) -> None:
    inputs = sorted(set(texts))
    places = frozen_states._places(inputs)
    beginnings: dict[int, set[tuple[int, ...]]] = {}
    for tokens in inputs:
        assert len(places[tokens]) == len(tokens)
        for count, place in enumerate(places[tokens], 1):
            beginnings.setdefault(place, set()).add(tokens[:count])
    assert all(len(found) == 1 for found in beginnings.values())
    assert len(beginnings) == len(
        {tokens[:n] for tokens in inputs for n in range(1, len(tokens) + 1)}
    )


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("count", [1, 3, len(ROWS)])
def test_the_table_holds_what_the_layers_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shares: bool, count: int
) -> None:
    monkeypatch.setattr(frozen_states, "_TOGETHER", count)
    made = Upper(tmp_path / "a")
    head = Head(made.model)
    made.model.eval()
    states = FrozenStates.of(made.model, head, ROWS, Silent(), "", shares=shares)
    assert states is not None
    trunk = trunk_of(made.model, head.body)
    assert trunk is not None
    for row, placed in zip(ROWS, states.placed(ROWS), strict=True):
        wanted = trunk.states(mx.array([row.tokens[:-1]]))
        found = states.put({"inputs": mx.array([placed.given])})["inputs"]
        assert float(mx.abs(found - wanted).max()) <= 1e-4
