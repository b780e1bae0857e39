"""Scoring: the log-probabilities of continuations, in batches whose logits are bounded.

At a 150k vocabulary the float32 logits of a batch would take gigabytes, so the head runs over slices of the positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from augmlx.engine import Score
from augmlx.engines.prefill import Batching, together
from augmlx.engines.prefixes import Cache, Tokens
from augmlx.models.heads import Head


@dataclass(frozen=True, slots=True)
class Span:
    """All tokens of a text, where the part to score starts (at least 1), and what is cached of what stands before."""

    tokens: Tokens
    start: int
    beginning: Tokens


class Scorer:
    """Scores spans under a model. `batch_tokens` bounds the rows x tokens that the KV caches of one batch hold."""

    def __init__(self, head: Head, batching: Batching, batch_tokens: int) -> None:
        self._head, self._batching = head, batching
        self._batch_tokens = 1 if batching == "alone" else batch_tokens

    def scores(self, spans: Sequence[Span], cached: Callable[[Tokens], Cache]) -> list[Score]:
        """Of each span the score of its part; `cached` gives the cache of its beginning."""
        found: dict[int, Score] = {}
        for batch in self._batches(spans):
            found.update(zip(batch, self._batch([spans[index] for index in batch], cached), strict=True))
        return [found[index] for index in range(len(spans))]

    def _batches(self, spans: Sequence[Span]) -> Iterator[list[int]]:
        """Indices grouped by length, so that little is padded, under `batch_tokens` a batch. A model whose head does
        not split off makes logits of all that is run, so there a batch is bounded by these, too."""
        most = None if self._head.split else self._head.positions
        batch: list[int] = []
        longest = 0  # of what is run of a row
        for index in sorted(range(len(spans)), key=lambda i: (len(spans[i].tokens), i)):
            count, span = len(batch) + 1, spans[index]
            longest = max(longest, len(span.tokens) - 1 - len(span.beginning))
            full = count * len(span.tokens) > self._batch_tokens or (most is not None and count * longest > most)
            if batch and full:
                yield batch
                batch, longest = [], len(span.tokens) - 1 - len(span.beginning)
            batch.append(index)
        yield batch

    def _batch(self, spans: Sequence[Span], cached: Callable[[Tokens], Cache]) -> list[Score]:
        """Only what follows the cached beginnings is run. Right padding is harmless: attention is causal and nothing
        is read behind a row's end."""
        inputs = [list(span.tokens[len(span.beginning) : -1]) for span in spans]
        width = max(map(len, inputs))
        cache = together([cached(span.beginning) for span in spans], self._batching)
        padded = mx.array([row + [0] * (width - len(row)) for row in inputs])  # (B, T)
        places = [
            (index, position - 1 - len(span.beginning), span.tokens[position])
            for index, span in enumerate(spans)
            for position in range(span.start, len(span.tokens))
        ]
        row, column, target = (mx.array(list(part)) for part in zip(*places, strict=True))
        hidden = self._head.hidden(padded, row, column, cache=cache)  # (N, D)
        values = iter(self._logprobs(hidden, target))
        result = []
        for span in spans:
            count = len(span.tokens) - span.start
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
