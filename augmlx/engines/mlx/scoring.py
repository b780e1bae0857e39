"""Scoring: the log-probabilities of continuations, in batches whose logits are bounded.

Continuations of one prompt, such as the choices of a question, are one row of a batch as far as
they are the same, and a row each behind that. At a 150k vocabulary the float32 logits of a batch
would take gigabytes, so the head runs over slices of the positions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import mlx.core as mx
import numpy as np

from augmlx.engines.mlx.prefill import Batching, finalize, padded, prepare_padding, together
from augmlx.engines.mlx.prefixes import STEP, Cache, Tokens, common_prefix
from augmlx.engines.protocol import Score, TokenCount
from augmlx.models.heads import Head
from augmlx.models.softmax import log_mass

CacheOf = Callable[[Tokens], Cache]  # of a beginning


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
    def beginning(self) -> Tokens:
        first = next(iter(self.spans.values()))
        return first.beginning

    @property
    def stem(self) -> Tokens:
        first = next(iter(self.spans.values()))
        return first.tokens[len(first.beginning) : self.end]

    @property
    def longest(self) -> int:
        """The most tokens that are run of a span by itself."""
        longest = max(len(span.tokens) for span in self.spans.values())
        return longest - 1 - self.end


class _Branch(NamedTuple):
    """One span of a fork: its index among all spans, the row that its fork's stem has in the batch,
    and where the stem ends.
    """

    span_index: int
    span: Span
    row: int
    end: int

    @property
    def rest(self) -> Tokens:
        """What is run of it behind the stem."""
        return self.span.tokens[self.end : -1]


class _Place(NamedTuple):
    """Where a log-probability of a span is read: of the token `target`, at a row and a column of a
    batch.
    """

    span_index: int
    row: int
    column: int
    target: int


class Scorer:
    """Scores spans under a model. `batch_tokens` bounds the tokens that the KV caches of one batch
    hold. Only "shared" caches are forked; with others each span is a row by itself from its
    beginning on.
    """

    def __init__(
        self, head: Head, batching: Batching, batch_tokens: int, count: TokenCount
    ) -> None:
        self._head = head
        self._batching = batching
        self._count = count
        self._batch_tokens = 1 if batching == "alone" else batch_tokens
        # Tokens in one pass. A model whose head does not split off makes logits of all of them, so
        # there these bound it, too.
        self._most = STEP if head.split else min(STEP, head.positions)

    def scores(self, spans: Sequence[Span], cached: CacheOf) -> list[Score]:
        """Of each span the score of its part; `cached` gives the cache of its beginning."""
        score_of_span: dict[int, Score] = {}
        for batch in self._batches(self._forks(spans)):
            score_of_span.update(self._batch(batch, cached))
        return [score_of_span[index] for index in range(len(spans))]

    def _forks(self, spans: Sequence[Span]) -> Iterator[_Fork]:
        """The spans of each prompt, in as many forks as the limits make of them."""
        indices_of_prompt: dict[Tokens, list[int]] = defaultdict(list)
        for index, span in enumerate(spans):
            indices_of_prompt[span.tokens[: span.start]].append(index)
        for indices in indices_of_prompt.values():
            size = self._fork_size([spans[index] for index in indices])
            for start in range(0, len(indices), size):
                part = {index: spans[index] for index in indices[start : start + size]}
                shared = common_prefix([span.tokens[:-1] for span in part.values()])
                yield _Fork(part, len(shared))

    def _fork_size(self, spans: Sequence[Span]) -> int:
        """How many spans of one prompt may be one fork."""
        if self._batching != "shared":
            return 1
        longest = max(len(span.tokens) - len(span.beginning) for span in spans)
        return max(1, min(self._batch_tokens, self._most) // longest)

    def _batches(self, forks: Iterable[_Fork]) -> Iterator[list[_Fork]]:
        """Forks of about the same lengths, so that little is padded, under the limits of a batch.
        Those behind one beginning stand side by side.
        """
        batch: list[_Fork] = []
        for fork in sorted(forks, key=_by_length):
            if batch and not self._hold([*batch, fork]):
                yield sorted(batch, key=lambda fork: fork.beginning)
                batch = []
            batch.append(fork)
        yield sorted(batch, key=lambda fork: fork.beginning)

    def _hold(self, forks: Sequence[_Fork]) -> bool:
        """Whether some forks may run together: by what their caches hold, and by what one pass
        takes.
        """
        rows = sum(len(fork.spans) for fork in forks)
        stem = max(len(fork.stem) for fork in forks)
        rest = max(fork.longest for fork in forks)
        if self._batching == "shared":
            beginnings = {fork.beginning for fork in forks}
            held = sum(map(len, beginnings)) + rows * (stem + rest)
        else:
            held = rows * max(fork.end for fork in forks)
        run = max(len(forks) * stem, rows * rest)
        return held <= self._batch_tokens and run <= self._most

    def _batch(self, forks: Sequence[_Fork], cached: CacheOf) -> dict[int, Score]:
        """One pass over the stems; then each row is taken once for every span that goes on behind
        it.
        """
        cache = together([cached(fork.beginning) for fork in forks], self._batching)
        stems = [fork.stem for fork in forks]
        branches = list(_branches(forks))
        going = [branch for branch in branches if branch.rest]
        logprobs: dict[int, list[float]] = {branch.span_index: [] for branch in branches}
        if going:
            prepare_padding(cache, [len(stem) for stem in stems])
        for index, logprob in self._run(cache, stems, _places_in_stems(branches)):
            logprobs[index].append(logprob)
        if going:
            finalize(cache)
            for layer in cache:
                layer.filter([branch.row for branch in going])
            rests = [branch.rest for branch in going]
            for index, logprob in self._run(cache, rests, _places_in_rests(going)):
                logprobs[index].append(logprob)
        return {index: Score(sum(values), len(values)) for index, values in logprobs.items()}

    def _run(
        self, cache: Cache, inputs: Sequence[Tokens], places: Iterable[_Place]
    ) -> Iterator[tuple[int, float]]:
        """Put B rows through the model; of each place its span's index and the log-probability in
        nats. Right padding is harmless: attention is causal, and nothing is read behind a row's
        end.
        """
        self._count.prefilled += sum(map(len, inputs))
        indices, rows, columns, targets = zip(*places, strict=True)
        tokens = padded(inputs)  # (B, T)
        hidden = self._head.hidden(tokens, mx.array(rows), mx.array(columns), cache=cache)  # (N, D)
        logprobs = self._logprobs(hidden, mx.array(targets))
        return zip(indices, logprobs, strict=True)

    def _logprobs(self, hidden: mx.array, targets: mx.array) -> list[float]:
        """(N, D) and (N,) tokens -> N log-probabilities; the logits of one slice are gone before
        the next are made.
        """
        logprobs: list[float] = []
        for part in self._head.slices(targets.size):
            logits = self._head.project(hidden[part])  # (n, V)
            columns = targets[part][:, None]  # (n, 1)
            chosen = mx.take_along_axis(logits, columns, axis=-1)[:, 0]
            values = chosen - log_mass(logits)  # (n,)
            logprobs += np.array(values).tolist()
        return logprobs


def _by_length(fork: _Fork) -> tuple[int, int, int]:
    return len(fork.stem), fork.longest, min(fork.spans)


def _branches(forks: Sequence[_Fork]) -> Iterator[_Branch]:
    for row, fork in enumerate(forks):
        for index, span in fork.spans.items():
            yield _Branch(index, span, row, fork.end)


def _places_in_stems(branches: Iterable[_Branch]) -> Iterator[_Place]:
    """Where the tokens of each span's part are predicted, up to the first behind its stem."""
    for index, span, row, end in branches:
        first = len(span.beginning)  # the position of column 0
        for position in range(span.start, end + 1):
            yield _Place(index, row, position - 1 - first, span.tokens[position])


def _places_in_rests(branches: Iterable[_Branch]) -> Iterator[_Place]:
    """The same behind that, in a batch whose rows are these branches' rests."""
    for row, (index, span, _, end) in enumerate(branches):
        for position in range(end + 1, len(span.tokens)):
            yield _Place(index, row, position - 1 - end, span.tokens[position])
