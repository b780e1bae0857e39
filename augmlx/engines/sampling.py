"""Drawing the next token of one row."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import mlx.core as mx

from augmlx.engine import Request

NUCLEUS_LIMIT = 512  # sorting a whole vocabulary for every row costs more than the model's own step


def sampler(request: Request) -> Callable[[mx.array], mx.array]:
    """A sampler of one row. It draws from the request's own seed, so the row's choices do not depend on its batch.

    Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751) among the NUCLEUS_LIMIT most probable tokens. One uniform
    number per token goes through the inverse of the cumulative distribution: unlike Gumbel noise over the vocabulary
    this draws the same on every device.
    """
    if request.temperature == 0:
        return lambda logprobs: mx.argmax(logprobs, axis=-1)
    rng = Random(request.seed)

    def sample(logprobs: mx.array) -> mx.array:
        """(1, V) log-probabilities -> (1,) token."""
        probs = mx.softmax(logprobs.astype(mx.float32) / request.temperature, axis=-1)
        kept = min(NUCLEUS_LIMIT, probs.shape[-1])
        likely = mx.argpartition(-probs, kth=kept - 1, axis=-1)[:, :kept]
        part = mx.take_along_axis(probs, likely, axis=-1)
        order = mx.argsort(-part, axis=-1)
        mass = mx.cumsum(mx.take_along_axis(part, order, axis=-1), axis=-1)  # (1, kept)
        # The nucleus ends with the first token that brings its mass to top_p; the draw falls inside it.
        end = mx.minimum(mx.sum(mass < request.top_p, axis=-1, keepdims=True), kept - 1)
        draw = rng.random() * mx.take_along_axis(mass, end, axis=-1)
        drawn = mx.minimum(mx.sum(mass < draw, axis=-1, keepdims=True), end)
        return mx.take_along_axis(likely, mx.take_along_axis(order, drawn, axis=-1), axis=-1)[:, 0]

    return sample
