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
        self.temperature, self.top_p = request.temperature, request.top_p
        self.uniform = Random(request.seed).random


def drawn(logits: mx.array, draws: Sequence[Draw]) -> mx.array:
    """(B, V) logits -> (B,) tokens, row by row as `draws` say; temperature 0 is greedy."""
    greedy = mx.argmax(logits, axis=-1)
    rows = [row for row, draw in enumerate(draws) if draw.temperature > 0]
    if rows:
        greedy[mx.array(rows)] = _nucleus(logits[mx.array(rows)], [draws[row] for row in rows])
    return greedy


def _nucleus(logits: mx.array, draws: Sequence[Draw]) -> mx.array:
    """Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751) among the NUCLEUS_LIMIT most
    probable tokens.

    One uniform number per token goes through the inverse of the cumulative distribution: unlike
    Gumbel noise over the vocabulary this draws the same on every device.
    """
    temperature, top_p, uniform = (
        mx.array(column)[:, None]
        for column in zip(*[(d.temperature, d.top_p, d.uniform()) for d in draws], strict=True)
    )
    probs, _ = softmax(logits.astype(mx.float32) / temperature)  # (B, V)
    kept = min(NUCLEUS_LIMIT, probs.shape[-1])
    likely = mx.argpartition(-probs, kth=kept - 1, axis=-1)[:, :kept]
    part = mx.take_along_axis(probs, likely, axis=-1)
    order = mx.argsort(-part, axis=-1)
    mass = mx.cumsum(mx.take_along_axis(part, order, axis=-1), axis=-1)  # (B, kept)
    # The nucleus ends with the first token that brings its mass to top_p; the draw falls inside it.
    end = mx.minimum(mx.sum(mass < top_p, axis=-1, keepdims=True), kept - 1)
    draw = uniform * mx.take_along_axis(mass, end, axis=-1)
    chosen = mx.minimum(mx.sum(mass < draw, axis=-1, keepdims=True), end)
    return mx.take_along_axis(likely, mx.take_along_axis(order, chosen, axis=-1), axis=-1)[:, 0]
