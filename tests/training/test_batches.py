from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.errors import BadInput
from augmlx.core.settings import TrainSettings
from augmlx.training.batches import Row, epoch_batches, epoch_steps, taking_turns, text_row
from augmlx.training.plan import planned_steps


def rows_of(lengths: list[int]) -> list[Row]:
    """Rows of so many tokens."""
    return [Row(str(n), (1,) * length, (False,) * length) for n, length in enumerate(lengths)]


LENGTHS = st.lists(st.integers(2, 600), max_size=300)
SIZES = st.integers(1, 40)


@given(LENGTHS, SIZES, st.integers(0, 5), st.integers(1, 5))
def test_every_example_is_in_exactly_one_batch_of_an_epoch(
    lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    batches = epoch_batches(lengths, batch_size, seed=seed, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size)  # one partial batch at most
    assert all(1 <= len(batch) <= batch_size for batch in batches)


@given(LENGTHS, SIZES, st.integers(0, 5))
def test_the_order_comes_from_the_arguments_alone(
    lengths: list[int], batch_size: int, seed: int
) -> None:
    """mlx-lm's own order comes from numpy's global generator."""
    np.random.seed(1)
    first = epoch_batches(lengths, batch_size, seed=seed, epoch=2)
    np.random.seed(2)
    assert epoch_batches(lengths, batch_size, seed=seed, epoch=2) == first


@given(LENGTHS, SIZES, st.integers(1, 6), st.integers(1, 4), st.integers(0, 5))
def test_every_step_of_a_training_is_planned_and_each_example_is_in_one_of_each_epoch(
    lengths: list[int], batch_size: int, accumulate: int, epochs: int, seed: int
) -> None:
    """The last batch of a step and the last step of an epoch may be smaller; mlx-lm drops them."""
    chosen = TrainSettings(batch_size=batch_size, accumulate=accumulate, epochs=epochs)
    steps = planned_steps(rows_of(lengths), chosen, seed)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) == epochs * chosen.steps_per_epoch(len(lengths))
    for epoch in range(1, epochs + 1):
        own = [step for step in steps if step.epoch == epoch]
        assert sorted(index for step in own for batch in step.batches for index in batch) == list(
            range(len(lengths))
        )
        assert [step.last for step in own] == [*[False] * (len(own) - 1), *[True] * bool(own)]
        assert all(len(step.batches) == accumulate for step in own[:-1])
        assert all(1 <= len(step.batches) <= accumulate for step in own)
        assert [batch for step in own for batch in step.batches] == epoch_batches(
            lengths, batch_size, seed=seed, epoch=epoch
        )
        assert [step.batches for step in own] == epoch_steps(
            lengths, batch_size, accumulate, seed=seed, epoch=epoch
        )


@given(LENGTHS, SIZES, st.integers(1, 6), st.integers(0, 5))
def test_a_plan_depends_on_lengths_sizes_and_seed_alone(
    lengths: list[int], batch_size: int, accumulate: int, seed: int
) -> None:
    chosen = TrainSettings(batch_size=batch_size, accumulate=accumulate, epochs=2)
    other = chosen.model_copy(
        update={"rank": 3, "packing": "never", "dropout": 0.3, "optimizer": "adamw", "clip": 1.0}
    )
    np.random.seed(1)
    first = planned_steps(rows_of(lengths), chosen, seed)
    np.random.seed(2)
    assert planned_steps(rows_of(lengths), other, seed) == first
    longer = planned_steps(rows_of(lengths), chosen.model_copy(update={"epochs": 3}), seed)
    assert longer[: len(first)] == first  # an epoch's order does not depend on how many there are


def test_epochs_and_seeds_differ() -> None:
    lengths = list(range(2, 102))
    orders = [
        epoch_batches(lengths, 8, seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (1, 2, 3)
    ]
    assert len({str(order) for order in orders}) == 6
    assert (
        len({str([sorted(batch) for batch in order]) for order in orders}) == 6
    )  # not only the batches' order


def test_rows_of_like_length_share_a_batch() -> None:
    """mlx-lm sorts by the number of a row's dictionary keys, that is: not at all."""
    lengths = [4 + (37 * n) % 200 for n in range(256)]

    def padded(batches: list[list[int]]) -> int:
        return sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)

    shuffled = [list(range(n, n + 8)) for n in range(0, 256, 8)]
    batches = epoch_batches(lengths, 8, seed=0, epoch=1)
    assert padded(batches) - sum(lengths) < 0.35 * (padded(shuffled) - sum(lengths))
    longest = [max(lengths[i] for i in batch) for batch in batches]
    assert longest != sorted(longest)  # short and long batches still come in any order


@given(st.lists(st.integers(1, 99), min_size=1, max_size=50), st.sampled_from([None, 0, 7]))
def test_a_row_learns_every_token_but_the_first_and_the_end_once(
    tokens: list[int], eos: int | None
) -> None:
    if (eos is None and len(tokens) < 2) or tokens == [eos]:
        with pytest.raises(BadInput, match="nothing to learn from"):
            text_row("a", tokens, eos, 64)
        return
    row = text_row("a", tokens, eos, 64)
    assert row.mask == (False, *[True] * (len(row.tokens) - 1))
    assert row.targets == len(row.tokens) - 1
    assert row.tokens[: len(tokens)] == tuple(tokens)
    if eos is not None:
        assert row.tokens[-1] == eos
        assert len(row.tokens) == len(tokens) + (
            tokens[-1] != eos
        )  # one that is there is not doubled


def test_a_text_that_is_too_long_is_refused_and_not_cut() -> None:
    assert len(text_row("a", range(1, 64), 0, 64).tokens) == 64
    with pytest.raises(
        BadInput, match=r"example f7/reversal/2: 65 tokens, more than train.max_length = 64"
    ):
        text_row("f7/reversal/2", range(1, 65), 0, 64)
    for empty in ([], [0]):
        with pytest.raises(BadInput, match="example f7: nothing to learn from"):
            text_row("f7", empty, 0, 64)


@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 5), st.integers(0, 3))
def test_of_several_wordings_each_epoch_has_one_and_all_have_their_turn(
    counts: list[int], size: int, seed: int
) -> None:
    rows = [
        replace(row, wording_of=f"w{n}" if count else "")
        for n, count in enumerate(counts)
        for row in rows_of([5] * max(1, count))
    ]
    chosen = TrainSettings(batch_size=size, epochs=4)
    steps = planned_steps(rows, chosen, seed)
    groups = taking_turns(rows)
    assert sorted(index for group in groups for index in group) == list(range(len(rows)))
    assert len(groups) == len(counts)
    seen: dict[int, set[int]] = {}
    for epoch in range(1, 5):
        own = [i for step in steps if step.epoch == epoch for b in step.batches for i in b]
        assert len(own) == len(groups)
        for number, group in enumerate(groups):
            (one,) = set(own) & set(group)
            seen.setdefault(number, set()).add(one)
    assert all(seen[number] == set(group) for number, group in enumerate(groups))
