from __future__ import annotations

from typing import Any

import pytest
from tiny import write_model

from augmlx.core.errors import BadSettings
from augmlx.core.settings import TrainSettings
from augmlx.models import loading
from augmlx.models.loading import device
from augmlx.training.batches import Row
from augmlx.training.plan import TrainingPlan, make_plan

from .support import rows_of

import mlx.nn as nn  # isort: skip


@pytest.fixture(scope="module", params=["llama", "mamba2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    folder = tmp_path_factory.mktemp("models") / request.param
    return loading.load(write_model(folder, request.param)).model


def planned(model: nn.Module, *, seed: int = 0, **changes: Any) -> TrainingPlan:
    chosen = TrainSettings(batch_size=2, epochs=3, **changes)
    return make_plan(model, rows_of([3, 9, 5]), chosen, peak=1e-3, seed=seed)


def test_what_is_auto_is_decided(model: nn.Module) -> None:
    plan = planned(model)
    packable = plan.unpacked is None
    assert packable == (model.model_type == "llama")
    assert plan.layout.packing == ("auto" if packable else "never")
    assert plan.compiled == plan.layout.bucketed == (device() == "gpu")


def test_what_is_ordered_is_done_or_refused(model: nn.Module) -> None:
    assert planned(model, compile="always", packing="never").layout.bucketed
    assert planned(model, compile="never", packing="never").unpacked is None  # nobody wanted it
    if model.model_type == "mamba2":
        with pytest.raises(BadSettings, match="cannot be packed"):
            planned(model, packing="always")
    else:
        assert planned(model, packing="always").layout.packing == "always"


def test_each_step_has_a_rate_and_without_rows_for_it_none_is_validated(model: nn.Module) -> None:
    plan = planned(model, packing="never")
    assert len(plan.rates) == len(plan.steps) == 6
    assert max(plan.rates) == plan.peak
    assert not plan.validated


def test_the_same_training_has_the_same_fingerprint_and_another_has_not(model: nn.Module) -> None:
    def fingerprint(**changes: Any) -> str:
        return planned(model, packing="never", **changes).fingerprint

    assert fingerprint() == fingerprint(checkpoint_every=3, checkpoints=5, validate_every=2)
    others = {fingerprint(seed=1), fingerprint(rank=3), fingerprint(clip=0.5)}
    assert len({fingerprint(), *others}) == 4


def test_other_rows_are_another_training(model: nn.Module) -> None:
    settings = TrainSettings(packing="never")

    def fingerprint(rows: list[Row], identity: str = "") -> str:
        plan = make_plan(model, rows, settings, peak=1e-3, seed=0, identity=identity)
        return plan.fingerprint

    rows = rows_of([3, 4])
    marks = {fingerprint(rows), fingerprint(rows_of([3, 5])), fingerprint(rows, "another base")}
    assert len(marks) == 3
