"""A training that no longer learns is told from one that does."""

from __future__ import annotations

import math

import pytest

from augmlx.training.divergence import fault


def lines(losses: list[float], norm: float = 0.5) -> list[dict[str, float]]:
    """Metrics of a training, two steps for each of the losses."""
    return [{"loss": loss, "gradient_norm": norm} for loss in losses for _ in range(2)]


@pytest.mark.parametrize(
    "losses",
    [
        [7.4, 6.1, 5.0, 4.4, 4.0, 3.1, 2.5, 2.0],
        [2.0, 2.6, 1.8, 2.4, 1.9, 1.2, 1.7, 1.1],
        [0.3, 0.1, 0.05, 0.2, 0.02, 0.3, 0.01, 0.4],
        [7.3, 4.5, 7.3, 3.1, 6.9, 2.8, 5.5, 3.9, 5.1],  # hard and easy batches in turn
        [0.3, 0.2, 0.9, 0.3, 0.8, 1.3, 0.2, 1.4, 1.2],
        [9.0, 30.0],
        [],
    ],
)
def test_a_loss_that_falls_or_only_trembles_is_none(losses: list[float]) -> None:
    assert fault(lines(losses)) is None


def test_a_loss_above_its_beginning_or_risen_again_is_one() -> None:
    assert "above its beginning of " in (fault(lines([7.4, 7.2, 9, 12, 14, 16, 18.5, 18.6])) or "")
    assert "risen again" in (fault(lines([17, 16, 9, 8, 7.5, 14, 15, 15])) or "")


def test_gradients_that_are_gone_are_one_unless_all_is_learnt() -> None:
    stuck = [math.log(49152)] * 8
    assert "the gradients are gone" in (fault(lines(stuck, norm=0.0)) or "")
    assert fault(lines([0.0001] * 8, norm=0.0)) is None
