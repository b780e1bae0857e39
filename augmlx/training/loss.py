"""The loss of one batch: only positions that carry loss go through the LM head, and their logits
never exist whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import mlx.core as mx

from augmlx.models.heads import Head
from augmlx.models.softmax import softmax
from augmlx.training.layout import Arrays

# A slice needs its logits, their softmax, the gradient, and room to change one.
_COPIES = 4


def loss_of(head: Head, batch: Arrays, cache: object = None) -> mx.array:
    """Weighted sum of the cross-entropies (nats) of a batch's targets: (), in float32.

    Args:
        head: of the model, whose body it runs as well.
        batch: as layout.arrays makes it, with N targets.
        cache: what the model takes for its layers' caches, if anything.
    """
    targets = batch["target"]  # (N,)
    hidden = head.hidden(batch["inputs"], batch["row"], batch["column"], cache)  # (N, D)
    slices = head.slices(targets.size, copies=_COPIES)
    return _summed(head, slices, targets, batch["weight"])(hidden)


def _summed(
    head: Head, slices: Sequence[slice], targets: mx.array, weights: mx.array
) -> Callable[[mx.array], mx.array]:
    """A function hidden (N, D) -> its loss (), for targets (N,) of weights (N,).

    The gradient for a slice is made together with the slice's loss, from the same softmax (as in
    Liger Kernel's fused linear cross-entropy, Hsu et al. 2024, arXiv 2410.10989): the head itself
    is frozen and gets none, so that nothing but (N, D) has to be kept for the way back.

    mx.checkpoint would drop each slice's logits, but leaves their order to the scheduler, which may
    make those of all slices first: here each waits for the one before.
    """

    def run(hidden: mx.array) -> tuple[mx.array, mx.array]:
        """hidden (N, D) -> its loss (), and the gradient (N, D) of that loss."""
        losses: list[mx.array] = []
        slopes: list[mx.array] = []
        before = [hidden]
        for part in slices:
            chunk = mx.depends(hidden[part], before)
            loss, slope = _loss_and_slope(head, chunk, targets[part], weights[part])
            losses.append(loss)
            slopes.append(slope)
            before = [loss, slope]
        return mx.stack(losses).sum(), mx.concatenate(slopes)

    def backward(
        _: object, cotangents: Sequence[mx.array], outputs: Sequence[mx.array]
    ) -> mx.array:
        """The loss's cotangent () -> that of hidden, (N, D)."""
        slope = outputs[1]
        return slope * cotangents[0].astype(slope.dtype)

    with_slope = mx.custom_function(run)
    with_slope.vjp(backward)
    return lambda hidden: cast(Sequence[mx.array], with_slope(hidden))[0]


def _loss_and_slope(
    head: Head, hidden: mx.array, targets: mx.array, weights: mx.array
) -> tuple[mx.array, mx.array]:
    """The weighted loss () of a slice of n places, and its gradient (n, D).

    Args:
        hidden: (n, D)
        targets: (n,) tokens
        weights: (n,)
    """
    logits = head.project(hidden)  # (n, V)
    shares, mass = softmax(logits)  # (n, V), (n,)
    places = mx.arange(targets.size)
    loss = ((mass - logits[places, targets]) * weights).sum()
    slope_of_logits = shares.at[places, targets].add(-1.0)  # (n, V)
    _, (slope,) = mx.vjp(head.project, [hidden], [slope_of_logits])
    return loss, slope * weights[:, None].astype(slope.dtype)
