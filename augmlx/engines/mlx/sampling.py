"""Drawing the next token of each row of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import mlx.core as mx

from augmlx.engines.protocol import Request
from augmlx.models.softmax import softmax

NUCLEUS_LIMIT = 512  # sorting a whole vocabulary for every row costs more than the model's own step


class Draw:
    """How one row draws. It draws from the request's own seed, so the row's choices do not depend
    on its batch.
    """

    def __init__(self, request: Request) -> None:
        self.temperature = request.temperature
        self.top_p = request.top_p
        self.uniform = Random(request.seed).random  # the next number in [0, 1)


def next_tokens(logits: mx.array, draws: Sequence[Draw]) -> mx.array:
    """(B, V) logits -> (B,) tokens, row by row as `draws` say; temperature 0 is greedy."""
    tokens = mx.argmax(logits, axis=-1)  # (B,)
    sampling = [row for row, draw in enumerate(draws) if draw.temperature > 0]
    if sampling:
        rows = mx.array(sampling)
        tokens[rows] = _nucleus(logits[rows], [draws[row] for row in sampling])
    return tokens


def _nucleus(logits: mx.array, draws: Sequence[Draw]) -> mx.array:
    """(B, V) logits -> (B,) tokens by nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751)
    among the NUCLEUS_LIMIT most probable ones.

    One uniform number per token goes through the inverse of the cumulative distribution: unlike
    Gumbel noise over the vocabulary this draws the same on every device.
    """
    temperature = _column([draw.temperature for draw in draws])  # (B, 1)
    top_p = _column([draw.top_p for draw in draws])
    uniform = _column([draw.uniform() for draw in draws])
    probs, _ = softmax(logits.astype(mx.float32) / temperature)  # (B, V)
    kept = min(NUCLEUS_LIMIT, probs.shape[-1])
    likely = mx.argpartition(-probs, kth=kept - 1, axis=-1)[:, :kept]
    part = mx.take_along_axis(probs, likely, axis=-1)
    order = mx.argsort(-part, axis=-1)
    mass = mx.cumsum(mx.take_along_axis(part, order, axis=-1), axis=-1)  # (B, kept)
    # The nucleus ends with the first token that brings its mass to top_p; the draw falls inside it.
    before_end = mx.sum(mass < top_p, axis=-1, keepdims=True)
    end = mx.minimum(before_end, kept - 1)
    draw = uniform * mx.take_along_axis(mass, end, axis=-1)
    before_draw = mx.sum(mass < draw, axis=-1, keepdims=True)
    rank = mx.minimum(before_draw, end)
    place = mx.take_along_axis(order, rank, axis=-1)
    return mx.take_along_axis(likely, place, axis=-1)[:, 0]


def _column(numbers: list[float]) -> mx.array:
    """(B, 1) of B numbers."""
    return mx.array(numbers)[:, None]
