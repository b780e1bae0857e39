"""A limit lies where the user wrote it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.decimals import times


@pytest.mark.parametrize(
    ("number", "count", "product"),
    [(0.29, 100, 29), (0.56, 25, 14), (0.1, 30, 3), (1.1, 10, 11), (0.0, 7, 0), (2.0, 3, 6)],
)
def test_a_decimal_number_is_taken_as_it_is_written(
    number: float, count: int, product: int
) -> None:
    assert times(number, count) == product


def test_what_is_a_little_less_is_not_rounded_up() -> None:
    assert times(1.9999999999999996, 1) < 2


@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 10**6))
def test_the_product_is_exact(digits: int, places: int, count: int) -> None:
    number = float(Decimal(digits).scaleb(-places))
    assert times(number, count) * 10**places == digits * count
