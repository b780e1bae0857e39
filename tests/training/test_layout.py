"""The arrays of a batch: every token in its place, every target told right, and few shapes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.training import layout
from augmlx.training.batches import Row

import numpy as np  # isort: skip

LENGTHS = st.lists(st.integers(1, 90), min_size=1, max_size=9)


@st.composite
def batches(draw: st.DrawFn) -> list[Row]:
    """Rows of 1 input token and up, whose masks have holes; some have no target at all."""
    rng, share = Random(draw(st.integers(0, 99))), draw(st.sampled_from([0.1, 0.5, 1.0]))
    return [
        Row(
            f"r{n}",
            tuple(rng.randrange(1, 10**5) for _ in range(size + 1)),
            (False, *(rng.random() < share for _ in range(size))),
            first=rng.choice([1.0, 3.0]),
        )
        for n, size in enumerate(draw(LENGTHS))
    ]


def numpied(made: layout.Arrays) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in made.items()}


@settings(max_examples=60, deadline=None)
@given(batches(), st.booleans(), st.booleans(), st.floats(1e-4, 1.0))
def test_every_target_is_told_where_it_is_predicted(
    rows: list[Row], packed: bool, bucketed: bool, weight: float
) -> None:
    made = numpied(layout.arrays(rows, weight, packed=packed, bucketed=bucketed))
    starts = np.cumsum([0, *[len(row.tokens) - 1 for row in rows]])
    expected = [
        (0, starts[n] + place - 1, row.tokens[place - 1], row.tokens[place])
        if packed
        else (n, place - 1, row.tokens[place - 1], row.tokens[place])
        for n, row in enumerate(rows)
        for place in range(len(row.tokens))
        if row.mask[place]
    ]
    heaviness = [
        row.first if first else 1.0
        for row in rows
        for first in [True, *[False] * row.targets][: row.targets]
    ]
    count = len(expected)
    found = zip(
        made["row"],
        made["column"],
        made["inputs"][made["row"], made["column"]],
        made["target"],
        strict=True,
    )
    assert list(found)[:count] == expected
    assert made["weight"][:count] == pytest.approx(weight * np.array(heaviness))
    assert (made["weight"][count:] == 0).all()
    assert made["weight"].size == (layout.bucket(count) if bucketed else count)


@settings(max_examples=60, deadline=None)
@given(batches(), st.booleans(), st.booleans())
def test_every_input_token_is_there_once_and_the_rest_is_filled_with_nothing(
    rows: list[Row], packed: bool, bucketed: bool
) -> None:
    made = numpied(layout.arrays(rows, 1.0, packed=packed, bucketed=bucketed))
    lengths = [len(row.tokens) - 1 for row in rows]
    inputs = made["inputs"]
    if packed:
        joined = [token for row in rows for token in row.tokens[:-1]]
        assert inputs[0, : len(joined)].tolist() == joined
    else:
        assert [inputs[n, :size].tolist() for n, size in enumerate(lengths)] == [
            list(row.tokens[:-1]) for row in rows
        ]
    assert np.count_nonzero(inputs) == sum(lengths)  # no token is 0 here
    assert inputs.size == layout.positions(lengths, packed=packed, bucketed=bucketed)
    if bucketed:
        assert layout.bucket(inputs.shape[1]) == inputs.shape[1]


@settings(max_examples=60, deadline=None)
@given(batches(), st.booleans())
def test_the_grid_lays_each_packed_row_by_itself_and_flat_is_its_inverse(
    rows: list[Row], bucketed: bool
) -> None:
    made = numpied(layout.arrays(rows, 1.0, packed=True, bucketed=bucketed))
    lengths = [len(row.tokens) - 1 for row in rows]
    inputs, grid, flat = made["inputs"][0], made["grid"], made["flat"]
    for n, row in enumerate(rows):
        own = grid[n][grid[n] >= 0]
        assert inputs[own].tolist() == list(row.tokens[:-1])
        assert (grid[n, lengths[n] :] == -1).all()
    assert grid.reshape(-1)[flat].tolist() == list(
        range(inputs.size)
    )  # filling included: nothing is computed of none
    assert (grid >= 0).sum() == inputs.size
    width = max(lengths)
    assert grid.shape[1] == (
        layout.bucket(width) if bucketed else width
    )  # filling is in no longer rows
    if bucketed:
        assert grid.shape[0] > len(
            rows
        )  # always, so that a bucket that is just full is no shape of its own
    else:
        assert grid.shape[0] == len(rows)
    assert "grid" not in layout.arrays(rows, 1.0, packed=False, bucketed=bucketed)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_bucket_wastes_an_eighth_at_most(size: int, other: int) -> None:
    made = layout.bucket(size)
    assert size <= made
    assert made - size < max(8, size / 8)
    assert layout.bucket(made) == made
    assert (layout.bucket(other) >= made) or other < size  # a longer one has no smaller bucket


def test_buckets_are_few() -> None:
    assert len({layout.bucket(size) for size in range(1, 65)}) == 8
    for doubling in range(6, 16):
        assert (
            len({layout.bucket(size) for size in range((1 << doubling) + 1, (2 << doubling) + 1)})
            == 8
        )


@given(LENGTHS, st.booleans())
def test_packing_is_worth_it_only_where_it_saves_positions(
    lengths: list[int], bucketed: bool
) -> None:
    packed, padded = (
        layout.positions(lengths, packed=packed, bucketed=bucketed) for packed in (True, False)
    )
    assert layout.worth_packing(lengths, bucketed=bucketed) == (packed <= 0.95 * padded)
    assert not layout.worth_packing([lengths[0]] * 4, bucketed=False)


@pytest.mark.parametrize("bucketed", [False, True])
def test_short_rows_beside_a_long_one_are_worth_packing(bucketed: bool) -> None:
    assert layout.worth_packing([200, 8, 8, 8], bucketed=bucketed)
