"""Scoring: the log-probabilities of continuations, in batches whose logits are bounded.

At a 150k vocabulary the float32 logits of a batch would take gigabytes, so the head runs over slices of the positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from augmlx.engine import Score
from augmlx.models.heads import Head

Cache = list[Any]
Span = tuple[list[int], int]  # all tokens of a text, and where the part to score starts: at least 1


class Scorer:
    """Scores rows under a model. `batch_tokens` bounds the rows x tokens that the KV caches of one batch hold."""

    def __init__(self, model: nn.Module, batch_tokens: int) -> None:
        self._net, self._batch_tokens = model, batch_tokens
        self._head = Head(model)

    def scores(self, rows: Sequence[Span], offset: int, base: Cache) -> list[Score]:
        """Of each row the score of its part; `base` holds the `offset` tokens that all rows share."""
        found: dict[int, Score] = {}
        for batch in self._batches([len(tokens) for tokens, _ in rows], offset):
            found.update(zip(batch, self._batch([rows[index] for index in batch], offset, base), strict=True))
        return [found[index] for index in range(len(rows))]

    def _batches(self, lengths: Sequence[int], offset: int) -> Iterator[list[int]]:
        """Row indices grouped by length, so that little is padded, under `batch_tokens` a batch. A model whose head
        does not split off makes logits of all that is run, so there a batch is bounded by these, too."""
        most = None if self._head.split else self._head.positions
        batch: list[int] = []
        for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
            count, length = len(batch) + 1, lengths[index]
            full = count * length > self._batch_tokens or (most is not None and count * (length - 1 - offset) > most)
            if batch and full:
                yield batch
                batch = []
            batch.append(index)
        yield batch

    def _batch(self, rows: Sequence[Span], offset: int, base: Cache) -> list[Score]:
        """Only what follows the `offset` shared tokens is run. Right padding is harmless: attention is causal and
        nothing is read behind a row's end."""
        inputs = [tokens[offset:-1] for tokens, _ in rows]
        width = max(map(len, inputs))
        cache = [type(layer).merge([layer] * len(rows)) for layer in base] if offset else make_prompt_cache(self._net)
        padded = mx.array([row + [0] * (width - len(row)) for row in inputs])  # (B, T)
        places = [
            (index, position - 1 - offset, tokens[position])
            for index, (tokens, start) in enumerate(rows)
            for position in range(start, len(tokens))
        ]
        row, column, target = (mx.array(list(part)) for part in zip(*places, strict=True))
        hidden = self._head.hidden(padded, row, column, cache=cache)  # (N, D)
        values = iter(self._logprobs(hidden, target))
        result = []
        for tokens, start in rows:
            count = len(tokens) - start
            result.append(Score(sum(next(values) for _ in range(count)), count))
        return result

    def _logprobs(self, hidden: mx.array, target: mx.array) -> list[float]:
        """(N, D) and (N,) tokens -> N log-probabilities; the logits of one slice are gone before the next are made."""
        values: list[float] = []
        for part in self._head.slices(target.size):
            logits = self._head.project(hidden[part])  # (n, V)
            chosen = mx.take_along_axis(logits, target[part][:, None], axis=-1)[:, 0]
            values += np.array(chosen - mx.logsumexp(logits, axis=-1)).tolist()
        return values


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all rows start with."""
    low, high = min(map(list, rows)), max(map(list, rows))  # where any two rows differ, the extremes do
    length = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:length]
