"""The loss of one batch: only positions that carry loss go through the LM head."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import mlx.nn as nn

from augmlx.models.heads import Head
from augmlx.training.batches import Row


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
    """Mean cross-entropy (nats) over the targets of a batch; arrays as `batch_arrays` gives them."""
    return nn.losses.cross_entropy(head.logits(inputs, rows, columns), targets, reduction="mean")
