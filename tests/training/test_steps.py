"""One optimizer step: the same whichever way its rows are cut into batches, packed or compiled."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.settings import TrainSettings
from augmlx.training import layout
from augmlx.training.batches import Row
from augmlx.training.plan import Step, make_plan
from augmlx.training.steps import Stepper
from augmlx.training.team import Team

from .support import close, rows_of, trained, tuned, written_out

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_unflatten  # isort: skip

RATE = 0.125
LENGTHS = (9, 3, 14, 1, 6, 6, 2, 20)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tuned(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tuned(tmp_path_factory.mktemp("model") / "model", dropout=0.3)


class Run:
    """Steps from the weights that a model has, which it has again behind them."""

    def __init__(
        self,
        model: nn.Module,
        rows: list[Row],
        steps: list[list[list[int]]],
        *,
        seed: int = 0,
        first: int = 1,
        rate: float = RATE,
        **changes: Any,
    ) -> None:
        self.before = trained(model)
        chosen = TrainSettings(
            **{
                "optimizer": "sgd",
                "learning_rate": rate,
                "compile": "never",
                "clip": 0.0,
                **changes,
            }
        )
        plan = make_plan(model, rows, chosen, peak=rate, seed=seed)
        stepper = Stepper(model, plan, Team())
        told = [
            stepper.run(Step(number, 1, batches, last=False), rate)
            for number, batches in enumerate(steps, start=first)
        ]
        self.losses, self.norms = [taken.loss for taken in told], [taken.norm for taken in told]
        self.after = trained(model)
        model.update(tree_unflatten(list(self.before.items())))

    @property
    def moved(self) -> dict[str, mx.array]:
        return {name: self.after[name] - array for name, array in self.before.items()}


def norm(arrays: dict[str, mx.array]) -> float:
    return float(sum(mx.square(array).sum().item() for array in arrays.values())) ** 0.5


def equal(a: dict[str, mx.array], b: dict[str, mx.array]) -> bool:
    return a.keys() == b.keys() and all(bool(mx.array_equal(a[name], b[name])) for name in a)


# Accumulation


@st.composite
def partitions(draw: st.DrawFn) -> list[list[int]]:
    """Rows 0..n-1 in any order, cut into micro-batches of unlike sizes."""
    order = draw(st.permutations(range(draw(st.integers(1, len(LENGTHS))))))
    cuts = sorted(draw(st.sets(st.integers(1, len(order))))) if len(order) > 1 else []
    ends = [0, *(cut for cut in cuts if cut < len(order)), len(order)]
    return [order[start:end] for start, end in pairwise(ends)]


@settings(max_examples=12, deadline=None)
@given(partitions(), st.sampled_from(["never", "always", "auto"]))
def test_accumulating_over_batches_equals_one_batch(
    model: nn.Module, batches: list[list[int]], packing: str
) -> None:
    """By token: mlx-lm averages its batches, however few tokens one has, and drops a window that is
    not full.
    """
    rows = rows_of(LENGTHS)
    whole = Run(
        model, rows, [[sorted(index for batch in batches for index in batch)]], packing="never"
    )
    parts = Run(model, rows, [batches], packing=packing)
    assert parts.losses == pytest.approx(whole.losses, rel=1e-5)
    assert parts.norms == pytest.approx(whole.norms, rel=1e-4)
    assert close(parts.after, whole.after)


def test_a_step_is_the_mean_over_tokens_written_out(model: nn.Module) -> None:
    rows = [
        *rows_of([9, 3]),
        Row("holes", (5, 6, 7, 8, 9, 0), (False, False, False, True, False, True)),
    ]
    value, gradients = written_out(model, rows)
    run = Run(model, rows, [[[0, 1], [2]]])
    assert run.losses == [pytest.approx(value, rel=1e-5)]
    assert run.norms == [pytest.approx(norm(gradients), rel=1e-4)]
    assert close(run.moved, {name: -RATE * gradient for name, gradient in gradients.items()})


def test_the_mean_of_two_means_would_be_seen(model: nn.Module) -> None:
    """What the law above is to rule out is far outside its bounds."""
    rows = rows_of([1, 20])
    alone = [Run(model, rows, [[[index]]]).losses[0] for index in (0, 1)]
    assert abs(sum(alone) / 2 - Run(model, rows, [[[0], [1]]]).losses[0]) > 0.05


@pytest.mark.parametrize(("dtype", "error"), [(mx.float16, 0.03), (mx.bfloat16, 0.2)])
def test_a_base_of_sixteen_bits_moves_its_adapter_as_the_full_one_does(
    tmp_path: Path, dtype: mx.Dtype, error: float
) -> None:
    rows, steps = rows_of([40] * 24), [[list(range(12)), list(range(12, 24))]]
    base = tuned(tmp_path / "model")
    wide = Run(base, rows, steps)
    base.set_dtype(dtype)
    base.update(
        tree_unflatten([(name, array.astype(mx.float32)) for name, array in wide.before.items()])
    )
    narrow = Run(base, rows, steps)
    assert narrow.losses == pytest.approx(wide.losses, rel=0.02)
    assert norm(
        {name: narrow.moved[name] - wide.moved[name] for name in wide.moved}
    ) < error * norm(wide.moved)


def test_rows_without_a_target_are_an_error_and_no_nan(model: nn.Module) -> None:
    """encoding.py refuses them before."""
    rows = [Row("a", (1, 2, 3), (False, False, False))]
    plan = make_plan(model, rows, TrainSettings(packing="never"), peak=RATE, seed=0)
    stepper = Stepper(model, plan, Team())
    before = trained(model)
    with pytest.raises((ZeroDivisionError, ValueError)):
        stepper.run(Step(1, 1, [[0]], last=True), RATE)
    assert equal(trained(model), before)


# Clipping


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 2.0), st.integers(1, 4), st.sampled_from([2.0, 1e-3]))
def test_a_clipped_step_is_as_long_as_its_limit_and_points_where_it_did(
    model: nn.Module, limit: float, count: int, scale: float
) -> None:
    """Whether the gradients are long or, with a small scale of the adapter, short."""
    rows, steps = rows_of(LENGTHS[:count]), [[list(range(count))]]
    adapted = [module for module in model.modules() if hasattr(module, "lora_a")]
    for module in adapted:
        module.scale = scale
    free = Run(model, rows, steps)
    clip = limit * free.norms[0]
    clipped = Run(model, rows, steps, clip=clip)
    for module in adapted:
        module.scale = 2.0
    assert clipped.norms == free.norms  # what is told is the norm before
    assert norm(clipped.moved) == pytest.approx(RATE * min(clip, free.norms[0]), rel=1e-2)
    for name, moved in free.moved.items():
        assert mx.allclose(clipped.moved[name], min(1.0, limit) * moved, rtol=1e-2, atol=1e-6)


# Randomness


def test_dropout_depends_on_seed_step_and_batch_alone(dropping: nn.Module) -> None:
    rows, steps = rows_of(LENGTHS), [[[0, 1], [2]]]
    mx.random.seed(1)
    first = Run(dropping, rows, steps)
    mx.random.seed(2)
    again = Run(dropping, rows, steps)
    assert (again.losses, again.norms) == (first.losses, first.norms)
    assert equal(again.after, first.after)
    others = [Run(dropping, rows, steps, seed=5), Run(dropping, rows, steps, first=2)]
    assert len({run.losses[0] for run in (first, *others)}) == 3
    twice = Run(dropping, [rows[0], rows[0]], [[[0], [1]]])
    once = Run(dropping, [rows[0], rows[0]], [[[0]]])
    assert twice.losses[0] != pytest.approx(
        once.losses[0], rel=1e-6
    )  # its batches drop other things


def test_a_step_goes_on_from_the_state_before_it(model: nn.Module) -> None:
    rows, steps = rows_of(LENGTHS), [[[0, 1]], [[2, 3]]]
    together = Run(model, rows, steps)
    model.update(tree_unflatten(list(Run(model, rows, steps[:1]).after.items())))
    second = Run(model, rows, steps[1:], first=2)
    model.update(tree_unflatten(list(together.before.items())))
    assert together.losses[1] == second.losses[0]
    assert not close(together.after, second.after)  # the momentum is part of that state


# Compiled


@pytest.mark.parametrize("packing", ["always", "never"])
def test_a_compiled_training_equals_the_other(model: nn.Module, packing: str) -> None:
    rows = rows_of(LENGTHS)
    steps = [[[0, 1], [2]], [[3, 4], [5]], [[6], [7]]]
    for changes in ({}, {"clip": 0.5, "optimizer": "adamw", "weight_decay": 0.1}):
        plain, compiled = (
            Run(model, rows, steps, rate=0.01, packing=packing, compile=which, **changes)
            for which in ("never", "always")
        )
        assert compiled.losses == pytest.approx(plain.losses, rel=1e-5)
        assert compiled.norms == pytest.approx(plain.norms, rel=1e-4)
        assert close(compiled.after, plain.after)


def test_a_compiled_step_draws_its_dropout_anew(dropping: nn.Module) -> None:
    """What is traced must not be one mask for all steps."""
    rows, steps = rows_of([8, 8]), [[[0, 1]]] * 3
    compiled = Run(dropping, rows, steps, rate=1e-9, compile="always")
    one, two, three = sorted(compiled.losses)
    assert min(two - one, three - two) > 1e-3  # far more than such a rate changes
    again = Run(dropping, rows, steps, rate=1e-9, compile="always")
    assert again.losses == compiled.losses


def shapes(model: nn.Module, lengths: list[int], **changes: Any) -> set[tuple[Any, ...]]:
    """Of what a compiled step is given in an epoch."""
    rows = rows_of(lengths)
    chosen = TrainSettings(batch_size=8, epochs=1, compile="always", **changes)
    plan = make_plan(model, rows, chosen, peak=1e-3, seed=0)
    stepper = Stepper(model, plan, Team())
    batches = [batch for step in plan.steps for batch in step.batches]
    assert len(batches) == len(lengths) // 8
    return {
        tuple((name, array.shape) for name, array in arrays.items())
        for batch in batches
        for arrays in stepper.arrays(batch)
    }


@pytest.mark.parametrize("packing", ["always", "never", "auto"])
def test_the_shapes_of_an_epoch_are_few(model: nn.Module, packing: str) -> None:
    rng = Random(0)
    facts = [rng.randrange(8, 24) for _ in range(1600)]
    mixed = [rng.randrange(8, 120) for _ in range(1600)]
    found = [len(shapes(model, lengths, packing=packing)) for lengths in (facts, mixed)]
    assert found[0] <= 30  # of 200 batches
    assert found[1] <= 60


# Padding


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
    st.sampled_from(["always", "never", "auto"]),
    st.sampled_from(["always", "never"]),
)
def test_the_share_of_padding_is_that_of_the_arrays(
    model: nn.Module, lengths: list[int], packing: str, compiled: str
) -> None:
    rows = rows_of(lengths)
    chosen = TrainSettings(batch_size=3, accumulate=2, epochs=2, packing=packing, compile=compiled)
    plan = make_plan(model, rows, chosen, peak=1e-3, seed=0)
    stepper = Stepper(model, plan, Team())
    made: list[layout.Arrays] = [
        arrays for step in plan.steps for batch in step.batches for arrays in stepper.arrays(batch)
    ]
    tokens = 2 * sum(len(row.tokens) - 1 for row in rows)
    assert stepper.padding(plan.steps) == pytest.approx(
        1 - tokens / sum(arrays["inputs"].size for arrays in made)
    )
    if packing == "always" and compiled == "never":
        assert stepper.padding(plan.steps) == 0
