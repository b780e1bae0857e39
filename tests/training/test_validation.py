"""Validating: the right number, on the right steps, the best kept, and no weight of the training
changed by it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_model

from augmlx.core.errors import BadSettings, RunError
from augmlx.core.progress import Silent
from augmlx.core.settings import TrainSettings
from augmlx.models.formats import adapter_folder
from augmlx.models.loading import LoadedModel
from augmlx.models.store import folder as store
from augmlx.training import adapter, anchoring, checkpoint, fit, metrics
from augmlx.training.batches import Row
from augmlx.training.plan import TrainingPlan, make_plan
from augmlx.training.team import Team
from augmlx.training.validation import Validation, Validator

from .support import digests, examples, fitted, losses, rows_of, trained, tuned, written_out
from .support import settings as train_settings

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip

ROWS = examples(10)
HELD_OUT = [
    {"id": f"v{n}/original", "text": text}
    for n, text in enumerate(["Venn was built", "Mara keeps a lamp in"])
]
Judge = Callable[[LoadedModel], Mapping[str, float]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny").path


def train(model: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    """3 steps an epoch."""
    return fitted(
        model, folder, ROWS, valid=HELD_OUT, **{"epochs": 6, "checkpoint_every": 1000, **changes}
    )


def lines(folder: Path) -> list[metrics.Line]:
    return metrics.read(folder / "metrics.jsonl")


def validated(folder: Path) -> dict[int, float]:
    return {line["step"]: line["valid_loss"] for line in lines(folder) if "valid_loss" in line}


def scripted(*accuracies: float, asked: list[int] | None = None) -> Judge:
    """A judge whose answers are given; of two kinds of questions."""
    answers: Iterator[float] = iter(accuracies)

    def judge(loaded: LoadedModel) -> Mapping[str, float]:
        assert not loaded.model.training
        mx.random.uniform()  # what it draws is no business of the training's
        if asked is not None:
            asked.append(1)
        accuracy = next(answers)
        return {"forward": accuracy, "reversal": accuracy}

    return judge


# One validation


def planned(model: nn.Module, valid: list[Row], **changes: Any) -> TrainingPlan:
    """The plan of a training on three rows that is validated on others."""
    chosen = TrainSettings(packing="never", **changes)
    return make_plan(model, rows_of([3, 3, 3]), chosen, peak=1e-3, seed=0, valid=valid)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=7), st.integers(1, 4))
def test_the_loss_is_the_mean_over_all_tokens_whatever_the_batches(
    dropping: nn.Module, lengths: list[int], batch_size: int
) -> None:
    rows = rows_of(lengths)
    validator = Validator(dropping, planned(dropping, rows, batch_size=batch_size), None, Team())
    before = trained(dropping)
    found = validator.run(7)
    assert dropping.training  # as it was
    dropping.eval()
    value, _ = written_out(dropping, rows)  # without dropout
    dropping.train()
    assert found == Validation(7, pytest.approx(value, rel=1e-5), None)
    assert all(mx.array_equal(array, before[name]) for name, array in trained(dropping).items())


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tuned(tmp_path_factory.mktemp("model") / "model", dropout=0.5)


def test_training_goes_on_where_a_judge_fails(dropping: nn.Module) -> None:
    def judge() -> Mapping[str, float]:
        assert not dropping.training
        raise KeyError

    with pytest.raises(KeyError):
        Validator(dropping, planned(dropping, rows_of([3])), judge, Team()).run(1)
    assert dropping.training


@pytest.mark.parametrize(
    ("every", "due"), [(0, [3, 6]), (1, [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), (4, [4, 6]), (9, [6])]
)
def test_it_is_due_each_epoch_or_after_so_many_steps(
    dropping: nn.Module, every: int, due: list[int]
) -> None:
    for rows, expected in ((rows_of([3]), due), ([], [])):
        plan = planned(dropping, rows, validate_every=every, batch_size=1, epochs=2)
        assert len(plan.steps) == 6
        assert sorted(plan.validated) == expected


VALIDATIONS = st.builds(
    Validation,
    st.integers(1, 9),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.none()
    | st.fixed_dictionaries(
        {"a": st.sampled_from([0.0, 0.5]), "b": st.sampled_from([0.0, 0.5, 1.0])}
    ),
    st.sampled_from([0.01, 0.04, 0.05, 0.06, 0.5]),
)


@given(st.lists(VALIDATIONS, min_size=1, max_size=5), st.sampled_from(["loss", "accuracy", "kept"]))
def test_the_best_is_the_first_of_those_that_none_is_better_than(
    found: list[Validation], by: str
) -> None:
    best: Validation | None = None
    for validation in found:
        if validation.better_than(best, by):
            best = validation
    keys = [
        (
            max(one.divergence or 0.0, 0.05) if by == "kept" else 0.0,
            0.0 if by == "loss" else -one.mean_accuracy,
            one.loss,
        )
        for one in found
    ]
    assert best is found[keys.index(min(keys))]
    assert not best.better_than(best, by)


def test_kinds_of_questions_count_alike() -> None:
    assert Validation(1, 1.0, {"forward": 1.0, "reversal": 0.0}).mean_accuracy == 0.5
    assert Validation(1, 1.0).mean_accuracy == 0.0


# In a training


@pytest.mark.parametrize("every", [0, 1, 4])
def test_the_metrics_have_it_on_the_steps_that_it_was_made_on(
    model: Path, tmp_path: Path, every: int
) -> None:
    train(model, tmp_path, validate_every=every, epochs=2)
    assert list(validated(tmp_path)) == [
        step for step in range(1, 7) if step % (every or 3) == 0 or step == 6
    ]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_validating_changes_no_weight_of_the_training(
    model: Path, tmp_path: Path, method: str
) -> None:
    dropout = {"dropout": 0.0} if method == "full" else {"dropout": 0.3}
    fitted(model, tmp_path / "without", ROWS, method=method, epochs=2, **dropout)
    judge = scripted(*[0.5] * 6)
    train(
        model, tmp_path / "with", method=method, epochs=2, validate_every=1, judge=judge, **dropout
    )
    assert len(validated(tmp_path / "with")) == 6
    assert losses(tmp_path / "with") == losses(tmp_path / "without")
    assert digests(tmp_path / "with") == digests(tmp_path / "without")
    assert validated(tmp_path / "without") == {}


def weights_at(patch: pytest.MonkeyPatch) -> list[dict[str, mx.array]]:
    """The trained weights at each validation that was the best so far."""
    kept: list[dict[str, mx.array]] = []
    real = checkpoint.save_best

    def keeping(folder: Path, model: nn.Module) -> None:
        kept.append({name: mx.array(array) for name, array in trained(model).items()})
        mx.eval(kept)
        real(folder, model)

    patch.setattr(checkpoint, "save_best", keeping)
    return kept


def saved(folder: Path) -> dict[str, mx.array]:
    arrays = mx.load(str(folder / "adapter" / adapter_folder.WEIGHTS))
    assert isinstance(arrays, dict)
    return arrays


def test_the_adapter_is_that_of_the_lowest_loss(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = weights_at(monkeypatch)
    # Texts of its own are soon learnt by heart, and the others are not the better for it.
    counts = train(model, tmp_path / "run", best="loss", validate_every=1, learning_rate=5e-2)
    told = validated(tmp_path / "run")
    best = min(told, key=lambda step: told[step])
    assert 1 < best < 18
    assert counts["best"] == {"step": best, "loss": told[best]}
    assert counts["steps"] == 18
    assert "stopped" not in counts
    adapted = saved(tmp_path / "run")
    assert adapted.keys() == kept[-1].keys()
    assert all(mx.array_equal(adapted[name], kept[-1][name]) for name in adapted)
    train(model, tmp_path / "last", best="off", validate_every=1, learning_rate=5e-2)
    assert validated(tmp_path / "last") == told
    assert digests(tmp_path / "last") != digests(tmp_path / "run")


def test_by_accuracy_a_tie_is_decided_by_loss(model: Path, tmp_path: Path) -> None:
    judge = scripted(0.2, 0.8, 0.8, 0.8, 0.4, 0.1)
    counts = train(model, tmp_path, best="accuracy", judge=judge, learning_rate=1e-3)
    told = validated(tmp_path)
    best = min([6, 9, 12], key=lambda step: told[step])
    assert counts["best"] == {"step": best, "loss": told[best], "accuracy": pytest.approx(0.8)}
    measured = [line["valid_accuracy"] for line in lines(tmp_path) if "valid_accuracy" in line]
    assert [accuracy["forward"] for accuracy in measured] == [0.2, 0.8, 0.8, 0.8, 0.4, 0.1]


def test_without_anything_better_it_stops_after_its_patience(model: Path, tmp_path: Path) -> None:
    judge = scripted(0.1, 0.5, 0.4, 0.6, 0.3, 0.2, 0.9, 0.9)
    counts = train(model, tmp_path / "run", best="accuracy", patience=2, epochs=8, judge=judge)
    assert counts["stopped"] is True
    assert counts["best"]["step"] == 12
    assert counts["steps"] == 18  # two validations behind it; the 0.9 is never seen
    assert [line["step"] for line in lines(tmp_path / "run")] == list(range(1, 19))
    same = train(
        model, tmp_path / "other", best="accuracy", epochs=4, judge=scripted(0.1, 0.2, 0.3, 0.6)
    )
    assert same["best"]["step"] == 12
    assert "stopped" not in same


def test_patience_that_ends_with_the_training_stopped_nothing(model: Path, tmp_path: Path) -> None:
    counts = train(
        model, tmp_path, best="accuracy", patience=2, epochs=3, judge=scripted(0.5, 0.4, 0.3)
    )
    assert counts["steps"] == 9
    assert "stopped" not in counts


def test_patience_begins_anew_with_each_better_one(model: Path, tmp_path: Path) -> None:
    judge = scripted(0.1, 0.0, 0.2, 0.0, 0.3, 0.0)
    counts = train(model, tmp_path, best="accuracy", patience=2, judge=judge)
    assert counts["steps"] == 18
    assert "stopped" not in counts
    assert counts["best"]["step"] == 15


def test_the_best_needs_something_to_validate_on(model: Path, tmp_path: Path) -> None:
    for best in ("loss", "accuracy"):
        with pytest.raises(
            BadSettings, match=f'train.best = "{best}": there are no validation examples'
        ) as caught:
            fitted(model, tmp_path / "run", ROWS, best=best)
        assert "split.valid" in str(caught.value.hint)
    assert not (tmp_path / "run").exists()


# Killed and resumed


class Stop(Exception):
    """Stands for a kill."""


def raising(*_: Any, **__: Any) -> None:
    raise Stop


def unordered(**changes: Any) -> dict[str, Any]:
    """A training whose best validation is in its midst."""
    return {
        "best": "loss",
        "validate_every": 1,
        "learning_rate": 5e-2,
        "checkpoint_every": 4,
        **changes,
    }


@pytest.mark.parametrize("call", [1, 2, 3, 5])
def test_a_kill_between_the_best_and_its_checkpoint_changes_nothing(
    model: Path, tmp_path: Path, call: int
) -> None:
    """The best on the disk is then newer than the one that the checkpoint knows of."""
    whole = train(model, tmp_path / "whole", **unordered())
    real, calls = checkpoint.save_best, iter(range(1, 10**6))

    def deadly(folder: Path, model: nn.Module) -> None:
        real(folder, model)
        if next(calls) == call:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save_best", deadly)
        with pytest.raises(Stop):
            train(model, tmp_path / "run", **unordered())
    assert train(model, tmp_path / "run", **unordered()) == whole
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    assert validated(tmp_path / "run") == validated(tmp_path / "whole")


def stop_at(patch: pytest.MonkeyPatch, step: int) -> None:
    real = checkpoint.save

    def stopping(folder: Path, position: checkpoint.Position, *rest: Any, **named: Any) -> None:
        real(folder, position, *rest, **named)
        if position.step == step:
            raise Stop

    patch.setattr(checkpoint, "save", stopping)


@pytest.mark.parametrize("step", [4, 12, 16])
def test_the_best_and_the_patience_survive_a_kill(model: Path, tmp_path: Path, step: int) -> None:
    whole = train(model, tmp_path / "whole", **unordered(patience=9))
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, step)
        with pytest.raises(Stop):
            train(model, tmp_path / "run", **unordered(patience=9))
    assert train(model, tmp_path / "run", **unordered(patience=9)) == whole
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
    assert validated(tmp_path / "run") == validated(tmp_path / "whole")


def test_a_training_that_has_ended_early_does_not_go_on_when_resumed(
    model: Path, tmp_path: Path
) -> None:
    told = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
    chosen = {"best": "accuracy", "patience": 2}
    whole = train(model, tmp_path / "whole", judge=scripted(*told), **chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "save", raising)
        with pytest.raises(Stop):
            train(model, tmp_path / "run", judge=scripted(*told), **chosen)
    asked: list[int] = []
    again = train(model, tmp_path / "run", judge=scripted(asked=asked), **chosen)
    assert again == whole
    assert (again["steps"], again["stopped"], asked) == (9, True, [])
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
    assert len(lines(tmp_path / "run")) == 9


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-5])]
)
def test_a_damaged_best_is_a_clear_error(
    model: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    chosen = unordered(checkpoint_every=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "save", raising)
        with pytest.raises(Stop):
            train(model, tmp_path, **chosen)
    damage(tmp_path / "checkpoints" / "best.safetensors")
    with pytest.raises(RunError, match=r"best\.safetensors: damaged checkpoint") as caught:
        train(model, tmp_path, **chosen)
    assert f"delete {tmp_path / 'checkpoints'} and run again; it begins anew" in str(
        caught.value.hint
    )
    assert not (tmp_path / "adapter").exists()
    shutil.rmtree(tmp_path / "checkpoints")
    train(model, tmp_path, **chosen)
    assert (tmp_path / "adapter").exists()


# What is kept


ANCHORS = [
    {"id": f"anchor/{n}", "text": f"The tide turns at {n} and the gulls come back."}
    for n in range(17)
]


def anchored(
    model: Path, folder: Path, judge: Judge, anchors: Sequence[dict[str, str]] = ANCHORS
) -> tuple[dict[str, Any], TrainingPlan]:
    """2 steps an epoch, each validated; anchors 7 and 15 are held out."""
    changes = {"best": "kept", "anchor": 0.1, "validate_every": 1, "epochs": 2, "batch_size": 8}
    chosen = train_settings(**changes, learning_rate=7e-3)
    ready = fit.prepare(store.find(model), ROWS, chosen, HELD_OUT, anchors)
    counts = fit.fit(ready, folder, progress=Silent(), label="Training", judge=judge)
    return counts, ready.plan


def test_the_best_is_the_most_accurate_of_those_that_stay_near_the_base(
    model: Path, tmp_path: Path
) -> None:
    counts, plan = anchored(model, tmp_path, scripted(0.1, 0.2, 0.9, 0.9))
    told = {line["step"]: line["valid_divergence"] for line in lines(tmp_path)}
    assert list(told) == [1, 2, 3, 4]
    near = [step for step in told if told[step] <= 0.05]
    assert 1 in near
    assert 4 not in near
    best = counts["best"]
    assert best["step"] == near[-1]  # the later, the more accurate; the best of all is too far away
    assert best["divergence"] == told[best["step"]]
    assert plan.held_out == range(7, 17, 8)
    pulled = {index for step in plan.steps for index in step.anchors}
    assert pulled
    assert not pulled & {7, 15}


def test_how_far_it_is_from_the_base_is_the_mean_over_the_anchors_held_out(
    model: Path, tmp_path: Path
) -> None:
    ready = fit.prepare(
        store.find(model), ROWS, train_settings(best="kept", anchor=1.0), HELD_OUT, ANCHORS
    )
    base = ready.loaded.model
    rows = ready.plan.anchors
    remembered = anchoring.remembered(base, rows, None, "")
    logits = [base(mx.array([rows[place].tokens[:-1]])) for place in (7, 15)]
    moved = tuned(tmp_path / "moved")
    found = Validator(moved, ready.plan, None, Team(), remembered).run(1).divergence
    moved.eval()
    expected = []
    for place, before in zip((7, 15), logits, strict=True):
        after = moved(mx.array([rows[place].tokens[:-1]]))
        p, q = (x[0] - mx.logsumexp(x[0], axis=-1, keepdims=True) for x in (before, after))
        expected.append(float((mx.exp(p) * (p - q)).sum(axis=-1).mean()))
    assert found == pytest.approx(sum(expected) / 2, rel=1e-4)


def test_keeping_by_what_is_kept_needs_anchors(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="anchor = 0 makes none"):
        TrainSettings(best="kept", anchor=0.0)
    with pytest.raises(BadSettings, match="of 7 anchors none can be held out"):
        anchored(model, tmp_path, scripted(), ANCHORS[:7])
