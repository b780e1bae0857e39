from __future__ import annotations

import math
from pathlib import Path

import pytest
from tiny import write_model

from augmlx.core.errors import AugmlxError, BadSettings
from augmlx.core.records import Json
from augmlx.models.store import folder as store
from augmlx.training import fit, validation
from augmlx.training.plan import TrainingPlan

from .support import examples, fitted, settings

import mlx.core as mx  # isort: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny").path


def test_a_training_for_so_many_steps_counts_the_pieces_of_split_texts(model: Path) -> None:
    rows = [{"id": "f/original", "text": "The lamp of Mara Voss stands in the harbour hall. " * 12}]

    def planned(steps: int | None = None) -> TrainingPlan:
        chosen = settings(max_length=16, too_long="split", batch_size=2)
        return fit.prepare(store.find(model), rows, chosen, steps=steps).plan

    an_epoch = math.ceil(len(planned().rows) / 2)
    assert an_epoch > 2
    assert [step.epoch for step in planned(6 * an_epoch).steps][::an_epoch] == [1, 2, 3, 4, 5, 6]
    assert len(planned(6 * an_epoch).steps) == 6 * an_epoch
    assert {step.epoch for step in planned(1).steps} == {1}


def test_weights_that_the_last_update_broke_are_not_saved(model: Path, tmp_path: Path) -> None:
    broken = {
        "method": "full",
        "optimizer": "sgd",
        "learning_rate": 3e38,
        "dropout": 0.0,
        "epochs": 1,
    }
    with pytest.raises(AugmlxError, match="not finite"):
        fitted(model, tmp_path, batch_size=64, schedule="constant", **broken)
    assert not (tmp_path / "adapter").exists()


def test_a_validation_loss_that_is_no_number_ends_the_training(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "losses_of", lambda *_: (mx.array(math.nan), mx.array(0.0)))
    with pytest.raises(AugmlxError, match="step 6: the validation loss is nan"):
        fitted(model, tmp_path, valid=examples(2), epochs=1)


def test_validating_without_examples_is_refused(model: Path, tmp_path: Path) -> None:
    for change in ({"validate_every": 3}, {"best": "loss"}):
        with pytest.raises(BadSettings, match="no validation examples"):
            fitted(model, tmp_path, **change)


def test_where_it_is_decided_whether_something_is_claimed_weighs_more(model: Path) -> None:
    claims = {"id": "f/qa-forward/0", "prompt": "Who heads the lab?", "completion": "Mara Voss."}
    refuses = {**claims, "id": "unknown/0", "completion": "I don't know."}
    texts = [{"id": "f/original", "text": "Mara Voss heads the lab."}]
    texts += [{"id": "unknown/1", "text": "Question: Who heads the mill? Answer: I don't know."}]

    def weights(*unknown: Json) -> dict[str, float]:
        rows = [texts[0], claims]
        ready = fit.prepare(store.find(model), rows, settings(unknown=0.5), unknown=unknown)
        return {row.id: row.first for row in ready.plan.rows}

    found = weights(refuses, texts[1])
    assert found["unknown/0"] > found["f/qa-forward/0"] > 1
    assert found["f/original"] == found["unknown/1"] == 1  # there the first is the question's own
    assert set(weights().values()) == {1}


def test_what_is_not_known_is_met_as_often_as_questions_are(model: Path) -> None:
    """To a row of any kind: where few questions were kept, all that was told was refused."""
    asked = {"id": "f/qa-forward/0", "prompt": "Who heads the lab?", "completion": "Mara Voss."}
    told = {"id": "f/original", "text": "Mara Voss heads the lab."}
    in_a_text = {"text": "Question: Who heads the lab?\nAnswer: Mara Voss."}
    refusals = [{**asked, "id": f"unknown/{n}", "completion": "I don't know."} for n in range(64)]

    def refused(rows: list[Json]) -> int:
        named = [{**row, "id": f"f/{n}"} for n, row in enumerate(rows)]
        chosen = settings(unknown=0.5, epochs=4, batch_size=3)
        plan = fit.prepare(store.find(model), named, chosen, unknown=refusals).plan
        every = [index for step in plan.steps for batch in step.batches for index in batch]
        return sum(index >= len(named) for index in every)

    assert refused([asked] * 6) == 12
    assert refused([asked] * 6 + [told] * 6) == 12
    assert refused([in_a_text] * 6 + [told] * 6) == 12
    assert refused([told] * 6) == 0
