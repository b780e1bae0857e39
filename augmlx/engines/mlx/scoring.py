"""Scoring: the log-probabilities of continuations, in batches whose logits are bounded.

Continuations of one prompt, such as the choices of a question, are one row of a batch as far as
they are the same, and a row each behind that. At a 150k vocabulary the float32 logits of a batch
would take gigabytes, so the head runs over slices of the positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from augmlx.engines.mlx.prefill import Batching, together
from augmlx.engines.mlx.prefixes import STEP, Cache, Tokens, common_prefix
from augmlx.engines.protocol import Score, TokenCount
from augmlx.models.heads import Head
from augmlx.models.softmax import log_mass


@dataclass(frozen=True, slots=True)
class Span:
    """All tokens of a text, where the part to score starts (at least 1), and what is cached of what
    stands before.
    """

    tokens: Tokens
    start: int
    beginning: Tokens


@dataclass(frozen=True, slots=True)
class _Fork:
    """Spans of one prompt, by their indices, that are the same up to `end` (but for their last
    tokens, which are only ever predicted). What stands there behind their beginning, the stem, is
    run once for all of them.
    """

    spans: dict[int, Span]
    end: int

    @property
    def first(self) -> Span:
        return next(iter(self.spans.values()))

    @property
    def stem(self) -> Tokens:
        return self.first.tokens[len(self.first.beginning) : self.end]

    @property
    def longest(self) -> int:
        """The most tokens that are run of a span by itself."""
        return max(len(span.tokens) for span in self.spans.values()) - 1 - self.end


class Scorer:
    """Scores spans under a model. `batch_tokens` bounds the tokens that the KV caches of one batch
    hold. Only "shared" caches are forked; with others each span is a row by itself from its
    beginning on.
    """

    def __init__(
        self, head: Head, batching: Batching, batch_tokens: int, count: TokenCount
    ) -> None:
        self._head, self._batching, self._count = head, batching, count
        self._batch_tokens = 1 if batching == "alone" else batch_tokens

    def scores(self, spans: Sequence[Span], cached: Callable[[Tokens], Cache]) -> list[Score]:
        """Of each span the score of its part; `cached` gives the cache of its beginning."""
        found: dict[int, Score] = {}
        for batch in self._batches(self._forks(spans)):
            found.update(self._batch(batch, cached))
        return [found[index] for index in range(len(spans))]

    @property
    def _most(self) -> int:
        """Tokens in one pass. A model whose head does not split off makes logits of all of them, so
        there these bound it, too.
        """
        return STEP if self._head.split else min(STEP, self._head.positions)

    def _forks(self, spans: Sequence[Span]) -> Iterator[_Fork]:
        """The spans of each prompt, in as many forks as the limits make of them."""
        groups: dict[Tokens, list[int]] = {}
        for index, span in enumerate(spans):
            groups.setdefault(span.tokens[: span.start], []).append(index)
        for indices in groups.values():
            longest = max(
                len(spans[index].tokens) - len(spans[index].beginning) for index in indices
            )
            fit = (
                max(1, min(self._batch_tokens, self._most) // longest)
                if self._batching == "shared"
                else 1
            )
            for start in range(0, len(indices), fit):
                part = {index: spans[index] for index in indices[start : start + fit]}
                yield _Fork(part, len(common_prefix([span.tokens[:-1] for span in part.values()])))

    def _batches(self, forks: Iterable[_Fork]) -> Iterator[list[_Fork]]:
        """Forks of about the same lengths, so that little is padded, under the limits of a batch.
        Those behind one beginning stand side by side.
        """
        batch: list[_Fork] = []
        for fork in sorted(forks, key=lambda fork: (len(fork.stem), fork.longest, min(fork.spans))):
            if batch and not self._hold([*batch, fork]):
                yield sorted(batch, key=lambda fork: fork.first.beginning)
                batch = []
            batch.append(fork)
        yield sorted(batch, key=lambda fork: fork.first.beginning)

    def _hold(self, forks: Sequence[_Fork]) -> bool:
        """Whether some forks may run together: by what their caches hold, and by what one pass
        takes.
        """
        rows = sum(len(fork.spans) for fork in forks)
        stem, longest = max(len(fork.stem) for fork in forks), max(fork.longest for fork in forks)
        if self._batching == "shared":
            held = sum(map(len, {fork.first.beginning for fork in forks})) + rows * (stem + longest)
        else:
            held = rows * max(fork.end for fork in forks)
        return held <= self._batch_tokens and max(len(forks) * stem, rows * longest) <= self._most

    def _batch(self, forks: Sequence[_Fork], cached: Callable[[Tokens], Cache]) -> dict[int, Score]:
        """One pass over the stems; then each row is taken once for every span that goes on behind
        it.
        """
        cache = together([cached(fork.first.beginning) for fork in forks], self._batching)
        spans = [
            (row, fork, index, span)
            for row, fork in enumerate(forks)
            for index, span in fork.spans.items()
        ]
        values: dict[int, list[float]] = {index: [] for _, _, index, _ in spans}
        stems = [fork.stem for fork in forks]
        going = [
            (row, fork.end, index, span)
            for row, fork, index, span in spans
            if len(span.tokens) - 1 > fork.end
        ]
        longest = max(map(len, stems))
        if going:
            padding = [longest - len(stem) for stem in stems]
            for layer in cache:
                layer.prepare(lengths=[len(stem) for stem in stems], right_padding=padding)
        places = [
            (index, row, position - 1 - len(span.beginning), span.tokens[position])
            for row, fork, index, span in spans
            for position in range(span.start, fork.end + 1)
        ]
        for index, value in self._run(cache, stems, places):
            values[index].append(value)
        if going:
            for layer in cache:
                layer.finalize()
                layer.filter([row for row, *_ in going])
            rest = [span.tokens[end:-1] for _, end, _, span in going]
            places = [
                (index, row, position - 1 - end, span.tokens[position])
                for row, (_, end, index, span) in enumerate(going)
                for position in range(end + 1, len(span.tokens))
            ]
            for index, value in self._run(cache, rest, places):
                values[index].append(value)
        return {index: Score(sum(found), len(found)) for index, found in values.items()}

    def _run(
        self, cache: Cache, inputs: Sequence[Tokens], places: Sequence[tuple[int, int, int, int]]
    ) -> Iterator[tuple[int, float]]:
        """The log-probabilities at some places (index, row, column, token that follows), with their
        indices. Right padding is harmless: attention is causal, and nothing is read behind a row's
        end.
        """
        self._count.prefilled += sum(map(len, inputs))
        longest = max(map(len, inputs))
        padded = mx.array([[*row, *[0] * (longest - len(row))] for row in inputs])  # (B, T)
        indices, *rest = zip(*places, strict=True)
        row, column, target = (mx.array(part) for part in rest)
        hidden = self._head.hidden(padded, row, column, cache=cache)  # (N, D)
        return zip(indices, self._logprobs(hidden, target), strict=True)

    def _logprobs(self, hidden: mx.array, target: mx.array) -> list[float]:
        """(N, D) and (N,) tokens -> N log-probabilities; the logits of one slice are gone before
        the next are made.
        """
        values: list[float] = []
        for part in self._head.slices(target.size):
            logits = self._head.project(hidden[part])  # (n, V)
            chosen = mx.take_along_axis(logits, target[part][:, None], axis=-1)[:, 0]
            values += np.array(chosen - log_mass(logits)).tolist()
        return values
