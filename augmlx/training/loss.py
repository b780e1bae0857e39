"""The loss of one batch: only positions that carry loss go through the LM head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import mlx.core as mx
import mlx.nn as nn

from augmlx.models.heads import Head
from augmlx.training.batches import Row

_COPIES = 4  # of its logits that a slice needs: they themselves, their softmax, and two on the way back


def batch_arrays(rows: Sequence[Row]) -> tuple[mx.array, mx.array, mx.array, mx.array]:
    """Right-padded inputs (B, T), and for each target its row, its column in the inputs and its token: (N,) each.

    Padding is behind the last token of a row, where causal attention cannot see it from any target.
    """
    width = max(len(row.tokens) for row in rows) - 1
    inputs = [[*row.tokens[:-1], *[0] * (width + 1 - len(row.tokens))] for row in rows]
    places = [(r, t - 1, row.tokens[t]) for r, row in enumerate(rows) for t in range(1, len(row.tokens)) if row.mask[t]]
    index, column, target = zip(*places, strict=True)
    return mx.array(inputs), mx.array(list(index)), mx.array(list(column)), mx.array(list(target))


def mean_loss(head: Head, inputs: mx.array, rows: mx.array, columns: mx.array, targets: mx.array) -> mx.array:
    """Mean cross-entropy (nats) over the targets of a batch; arrays as `batch_arrays` gives them.

    Where the logits of all targets would take more than LOGITS_BYTES, they are made slice by slice, and once more for
    the gradients. The head itself gets none: adapters are on layers, and all else is frozen.
    """
    if targets.size <= head.positions or not head.split:
        return nn.losses.cross_entropy(head.logits(inputs, rows, columns), targets, reduction="mean")
    hidden = head.hidden(inputs, rows, columns)  # (N, D)
    return _sliced_sum(head, hidden, targets, head.slices(targets.size, copies=_COPIES)) / targets.size


def _sliced_sum(head: Head, hidden: mx.array, targets: mx.array, slices: Sequence[slice]) -> mx.array:
    """Summed cross-entropy whose logits never exist whole. mx.checkpoint would drop each slice's logits, but leaves
    their order to the scheduler, which may make those of all slices first: here each waits for the one before."""

    def loss(chunk: mx.array, tokens: mx.array) -> mx.array:
        return nn.losses.cross_entropy(head.project(chunk), tokens, reduction="sum")

    def in_turn(work: Callable[[mx.array, mx.array], mx.array], whole: mx.array, before: mx.array) -> list[mx.array]:
        done = [before]
        for part in slices:
            done.append(work(mx.depends(whole[part], done[-1]), targets[part]))
        return done[1:]

    def forward(whole: mx.array) -> mx.array:
        return mx.stack(in_turn(loss, whole, whole)).sum()

    def slope(whole: mx.array, cotangent: mx.array, total: mx.array) -> mx.array:
        return mx.concatenate(in_turn(mx.grad(loss), whole, total)) * cotangent.astype(whole.dtype)

    summed = mx.custom_function(forward)
    summed.vjp(slope)
    return cast(mx.array, summed(hidden))
