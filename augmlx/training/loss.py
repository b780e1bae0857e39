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

# of its logits that a slice needs: they themselves, their softmax, the gradient, and room to change
# one
_COPIES = 4


def loss_of(head: Head, batch: Arrays, cache: object = None) -> mx.array:
    """Weighted sum of the cross-entropies (nats) of a batch's targets, in float32. `batch`: see
    layout.arrays.
    """
    hidden = head.hidden(batch["inputs"], batch["row"], batch["column"], cache)  # (N, D)
    slices = head.slices(batch["target"].size, copies=_COPIES)
    return _summed(head, slices, batch["target"], batch["weight"])(hidden)


def _summed(
    head: Head, slices: Sequence[slice], targets: mx.array, weights: mx.array
) -> Callable[[mx.array], mx.array]:
    """hidden (N, D) -> its loss. The gradient for a slice is made together with the slice's loss,
    from the same softmax (as in Liger Kernel's fused linear cross-entropy, Hsu et al. 2024, arXiv
    2410.10989): the head itself is frozen and gets none, so that nothing but (N, D) has to be kept
    for the way back.

    mx.checkpoint would drop each slice's logits, but leaves their order to the scheduler, which may
    make those of all slices first: here each waits for the one before.
    """

    def run(hidden: mx.array) -> tuple[mx.array, mx.array]:
        losses, slopes = [], []
        before = [hidden]
        for part in slices:
            chunk = mx.depends(hidden[part], before)
            loss, slope = _loss_and_slope(head, chunk, targets[part], weights[part])
            losses.append(loss)
            slopes.append(slope)
            before = [loss, slope]
        return mx.stack(losses).sum(), mx.concatenate(slopes)

    made = mx.custom_function(run)
    made.vjp(lambda _, cotangents, outputs: outputs[1] * cotangents[0].astype(outputs[1].dtype))
    return lambda hidden: cast(Sequence[mx.array], made(hidden))[0]


def _loss_and_slope(
    head: Head, hidden: mx.array, targets: mx.array, weights: mx.array
) -> tuple[mx.array, mx.array]:
    """The weighted loss of a slice, and its gradient with respect to hidden (n, D)."""
    logits = head.project(hidden)  # (n, V)
    shares, mass = softmax(logits)
    places = mx.arange(targets.size)
    loss = ((mass - logits[places, targets]) * weights).sum()
    _, (slope,) = mx.vjp(head.project, [hidden], [shares.at[places, targets].add(-1.0)])
    return loss, slope * weights[:, None].astype(slope.dtype)
