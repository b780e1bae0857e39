"""The losses of one batch: only positions that carry loss go through the LM head, and their logits
never exist whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import mlx.core as mx

from augmlx.models.heads import Head
from augmlx.models.softmax import softmax
from augmlx.training.layout import Arrays

# A slice needs its logits, their softmax, the gradient, and room to change one; beside a base model
# the logits of that, their softmax, and what is summed of both.
_COPIES, _COPIES_BESIDE = 4, 8
# Logits (n, V) of the n places of a slice -> their losses (n,), and the slopes of these (n, V).
_Objective = Callable[[mx.array, slice], tuple[mx.array, mx.array]]


def losses_of(head: Head, batch: Arrays, cache: object = None) -> tuple[mx.array, mx.array]:
    """Of a batch the weighted sum of the cross-entropies of its targets, and that of KL(base ||
    model) at its anchors' places: both () in float32, in nats.

    The gradient of a place's logits is p less 1 for the target, or q - p, with q the model's
    distribution and p the base model's. No logits exist whole.

    Args:
        head: of the model, whose body it runs as well; it is the base model's too, for what is
            trained stands in the body.
        batch: as layout.arrays makes it, of N targets, and of M places of anchors behind them if it
            has any: `teacher` (M, D) is what the base model's body gave there.
        cache: what the model takes for its layers' caches, if anything.
    """
    targets = batch["target"]  # (N,)
    hidden = head.hidden(batch["inputs"], batch["row"], batch["column"], cache)  # (N + M, D)
    loss = divergence = mx.array(0.0)
    if targets.size:
        slices = head.slices(targets.size, copies=_COPIES)
        summed = _summed(head, slices, _cross_entropy(targets), batch["weight"])
        loss = summed(hidden[: targets.size])
    if "teacher" in batch:
        base = batch["teacher"]  # (M, D)
        slices = head.slices(base.shape[0], copies=_COPIES_BESIDE)
        summed = _summed(head, slices, _divergence(head, base), batch["pull"])
        divergence = summed(mx.depends(hidden[targets.size :], loss))
    return loss, divergence


def _cross_entropy(targets: mx.array) -> _Objective:
    """Of the targets (N,)."""

    def objective(logits: mx.array, part: slice) -> tuple[mx.array, mx.array]:
        own = targets[part]
        places = mx.arange(own.size)
        shares, mass = softmax(logits)  # (n, V), (n,)
        return mass - logits[places, own], shares.at[places, own].add(-1.0)

    return objective


def _divergence(head: Head, base: mx.array) -> _Objective:
    """From the base model, whose hidden states are `base` (M, D)."""

    def objective(logits: mx.array, part: slice) -> tuple[mx.array, mx.array]:
        base_logits = head.project(base[part])  # (n, V)
        base_shares, base_mass = softmax(base_logits)
        shares, mass = softmax(logits)
        gaps = (base_shares * (base_logits - logits)).sum(axis=-1)  # (n,)
        return gaps + mass - base_mass, shares - base_shares

    return objective


def _summed(
    head: Head, slices: Sequence[slice], objective: _Objective, weights: mx.array
) -> Callable[[mx.array], mx.array]:
    """A function hidden (N, D) -> its loss (), the sum over N places of weights (N,).

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
            loss, slope = _loss_and_slope(head, chunk, part, objective, weights[part])
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
    head: Head, hidden: mx.array, part: slice, objective: _Objective, weights: mx.array
) -> tuple[mx.array, mx.array]:
    """The weighted loss () of a slice of n places, and its gradient (n, D).

    Args:
        hidden: (n, D)
        part: which places of the batch these are.
        weights: (n,)
    """
    losses, slopes_of_logits = objective(head.project(hidden), part)  # (n,), (n, V)
    _, (slopes,) = mx.vjp(head.project, [hidden], [slopes_of_logits])
    return (losses * weights).sum(), slopes * weights[:, None].astype(slopes.dtype)
