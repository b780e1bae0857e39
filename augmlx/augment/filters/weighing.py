"""Weighing: where grammar does not know a text, what the model says of it decides.

Calibration fits the weights on labelled texts, for each model its own, or none where a model cannot
tell right from wrong. A text passes where the weighted sum is not below 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from augmlx.core.settings import Witness

BIAS: Final = "bias"
UNSURE: Final = "unsure"  # 1 where grammar knows the source and not the text, else 0

Weights = Mapping[Witness, float]


def balance(scores: Mapping[str, float], weights: Weights, *, is_unsure: bool) -> float:
    """The weighted sum of what is known of a text; a measure that says nothing of it weighs
    nothing.
    """
    values: dict[str, float] = {**scores, BIAS: 1.0, UNSURE: float(is_unsure)}
    return sum(weight * values.get(name, 0.0) for name, weight in weights.items())


def objection(scores: Mapping[str, float], weights: Weights, *, is_unsure: bool) -> str | None:
    """Why a text must go that grammar does not know to be right, or None."""
    value = balance(scores, weights, is_unsure=is_unsure)
    return None if value >= 0 else f"what the model says of it weighs {value:.2f}, less than 0"
