"""The MLX engine: prefix-shared, batched generation and scoring with a local model.

What requests share is prefilled once; each distinct prompt is prefilled once more from there, and its samples start
from copies of that cache. Decoding runs in one batch through mlx-lm's BatchGenerator.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.generate import BatchGenerator
from mlx_lm.models.cache import make_prompt_cache

from augmlx.engine import Completion, Request, Score
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel, working_dtype
from augmlx.models.memory import kv_bytes_per_token, total_memory_bytes

log = logging.getLogger(__name__)
Cache = list[Any]


@dataclass(slots=True)
class TokenCount:
    """Tokens the engine has put through the model, or did not have to."""

    prefilled: int = 0
    reused: int = 0
    generated: int = 0


class MlxEngine:
    """An Engine over a loaded model.

    `batch_tokens` bounds the rows x tokens that the KV caches of one batch hold; by default what fits a tenth of the
    machine's memory.
    """

    name = "mlx"

    def __init__(self, loaded: LoadedModel, *, fingerprint: str | None = None, batch_tokens: int | None = None) -> None:
        self.tokens = TokenCount()
        self.model = loaded.stored.name
        self.fingerprint = fingerprint or loaded.stored.fingerprint
        self._net = loaded.model
        self._tokenizer = loaded.tokenizer
        self.window = int(loaded.config.get("max_position_embeddings") or 2**31)
        self._batch_tokens = batch_tokens or _batch_tokens(loaded)
        self._prefix: tuple[list[int], Cache] = ([], [])

    @cached_property
    def _head(self) -> Head:
        return Head(self._net)

    def encode(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text)]

    def count(self, text: str) -> int:
        return len(self.encode(text))

    # Generation

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order. A prompt that does not fit the model's window is an "error"."""
        prompts = {r.prompt: self.encode(r.prompt) for r in requests}
        fitting = [r for r in requests if len(prompts[r.prompt]) + r.max_tokens <= self.window]
        written: dict[str, Completion] = {}
        for batch in self._decode_batches(fitting, prompts):
            written |= self._decode(batch, prompts)
        for r in requests:
            if r.key in written:
                yield written[r.key]
            else:
                needed = len(prompts[r.prompt]) + r.max_tokens
                yield Completion(r.key, f"{needed} tokens do not fit the model's {self.window}", "error", 0)

    def _decode_batches(
        self, requests: Sequence[Request], prompts: dict[str, list[int]]
    ) -> Iterator[Sequence[Request]]:
        """The requests in order, cut so that the caches of a batch stay within `batch_tokens`."""
        longest = max((len(prompts[r.prompt]) + r.max_tokens for r in requests), default=1)
        rows = max(1, self._batch_tokens // longest)
        for start in range(0, len(requests), rows):
            yield requests[start : start + rows]

    def _decode(self, requests: Sequence[Request], prompts: dict[str, list[int]]) -> dict[str, Completion]:
        started = self._prefill(requests, prompts)
        generator = BatchGenerator(
            self._net,
            completion_batch_size=len(requests),
            prefill_batch_size=len(requests),
            stop_tokens=[[token] for token in sorted(self._tokenizer.eos_token_ids)],
        )
        try:
            uids = generator.insert(
                [prompts[r.prompt][-1:] for r in requests],
                [r.max_tokens for r in requests],
                caches=[started[r.prompt] for r in requests],
                samplers=[sampler(r) for r in requests],
            )
            return self._collect(generator, dict(zip(uids, requests, strict=True)))
        finally:
            generator.close()

    def _prefill(self, requests: Sequence[Request], prompts: dict[str, list[int]]) -> dict[str, Cache]:
        """A cache for each distinct prompt that holds all of it but the last token.

        The prefix's own tokens are shared as far as they are a token prefix of the whole prompt: a word may span the
        border. Samples of one prompt share its cache, which the batch copies.
        """
        caches: dict[str, Cache] = {}
        for r in requests:
            tokens = prompts[r.prompt]
            if r.prompt not in caches:
                shared = common_prefix([self.encode(r.prefix), tokens[:-1]]) if r.prefix else []
                caches[r.prompt] = self._continue(self._prefill_prefix(shared), tokens[len(shared) : -1])
                self.tokens.reused += len(shared)
            else:
                self.tokens.reused += len(tokens)
        return caches

    def _collect(self, generator: BatchGenerator, rows: dict[int, Request]) -> dict[str, Completion]:
        stops = {stop: self._stop_tokens(stop) for stop in {r.stop for r in rows.values()}}
        tokens: dict[int, list[int]] = {uid: [] for uid in rows}
        done: dict[str, Completion] = {}
        while len(done) < len(rows):
            ended = []
            for response in generator.next_generated():
                request, finish = rows[response.uid], response.finish_reason
                if finish != "stop":  # an end-of-text token is no text
                    tokens[response.uid].append(response.token)
                if response.token in stops[request.stop]:
                    if finish is None:
                        ended.append(response.uid)
                    finish = "stop"
                if finish is not None:
                    text = self._tokenizer.decode(tokens[response.uid]).split(request.stop, 1)[0]
                    done[request.key] = Completion(request.key, text, finish, len(tokens[response.uid]))
            if ended:
                generator.remove(ended)
        self.tokens.generated += sum(len(row) for row in tokens.values())
        return done

    def _stop_tokens(self, stop: str) -> frozenset[int]:
        return frozenset(token for token, text in self._vocabulary if stop in text)

    @cached_property
    def _vocabulary(self) -> list[tuple[int, str]]:
        """Every token beside its text. A stop text may stand inside a longer token, such as ".\\n"."""
        ids = sorted(self._tokenizer.get_vocab().values())
        return list(zip(ids, self._tokenizer.batch_decode([[token] for token in ids]), strict=True))

    # Scoring

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[Score]:
        """Summed log-probability (nats) and token count of each continuation after its prompt.

        The span of the continuation is found by tokenising the whole text: it starts where that differs from the
        prompt's own tokens. Raises ValueError where a continuation adds no token.
        """
        rows = [self._span(prompt, text) for prompt, text in zip(prompts, continuations, strict=True)]
        if not rows:
            return []
        shared = common_prefix([tokens[: start - 1] for tokens, start in rows])
        base = self._prefill_prefix(shared)
        self.tokens.reused += len(shared) * len(rows)
        scores: dict[int, Score] = {}
        for batch in self._score_batches([len(tokens) for tokens, _ in rows]):
            part = [rows[index] for index in batch]
            scores.update(zip(batch, self._score_batch(part, len(shared), base), strict=True))
        return [scores[index] for index in range(len(rows))]

    def _span(self, prompt: str, continuation: str) -> tuple[list[int], int]:
        """All tokens of prompt + continuation, and where the continuation starts (at least 1: there must be a
        token before it to predict it from)."""
        whole = self.encode(prompt + continuation)
        start = max(1, len(common_prefix([whole, self.encode(prompt)])))
        if start >= len(whole):
            raise ValueError("a continuation must add at least one token to its prompt")
        return whole, start

    def _score_batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Row indices grouped by length, so that little is padded, under `batch_tokens` a batch."""
        batch: list[int] = []
        for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
            if batch and (len(batch) + 1) * lengths[index] > self._batch_tokens:
                yield batch
                batch = []
            batch.append(index)
        yield batch

    def _score_batch(self, rows: Sequence[tuple[list[int], int]], offset: int, base: Cache) -> list[Score]:
        """`base` holds the `offset` tokens that all rows share; only what follows is run. Right padding is harmless:
        attention is causal and nothing is read behind a row's end."""
        inputs = [tokens[offset:-1] for tokens, _ in rows]
        width = max(map(len, inputs))
        self.tokens.prefilled += sum(map(len, inputs))
        cache = [type(layer).merge([layer] * len(rows)) for layer in base] if offset else make_prompt_cache(self._net)
        padded = mx.array([row + [0] * (width - len(row)) for row in inputs])  # (B, T)
        places = [
            (index, position - 1 - offset, tokens[position])
            for index, (tokens, start) in enumerate(rows)
            for position in range(start, len(tokens))
        ]
        row, column, target = (mx.array(list(part)) for part in zip(*places, strict=True))
        logits = self._head.logits(padded, row, column, cache=cache)  # (N, V)
        logprobs = mx.take_along_axis(logits, target[:, None], axis=-1)[:, 0] - mx.logsumexp(logits, axis=-1)
        values = iter(np.array(logprobs).tolist())
        result = []
        for tokens, start in rows:
            count = len(tokens) - start
            result.append(Score(sum(next(values) for _ in range(count)), count))
        return result

    # Caches

    def _prefill_prefix(self, tokens: list[int]) -> Cache:
        """A cache that holds `tokens`; the last one made is kept, since neighbouring batches share it."""
        if not tokens:
            return list(make_prompt_cache(self._net))
        if self._prefix[0] != tokens:
            self._prefix = (tokens, self._continue(list(make_prompt_cache(self._net)), tokens))
        return self._prefix[1]

    def _continue(self, base: Cache, tokens: list[int], step: int = 2048) -> Cache:
        """A copy of `base` with `tokens` run into it; `base` stays as it was."""
        cache = copy.deepcopy(base)
        self.tokens.prefilled += len(tokens)
        for start in range(0, len(tokens), step):
            self._net(mx.array([tokens[start : start + step]]), cache=cache)
            mx.eval([layer.state for layer in cache])
        return cache


def _batch_tokens(loaded: LoadedModel) -> int:
    """How many tokens of KV cache a tenth of the machine's memory holds, within sensible bounds. It goes by the total,
    not by what is free just now: a resumed run must cut the same batches."""
    itemsize = 4 if working_dtype() == "float32" else 2
    tokens = int(0.1 * total_memory_bytes()) // kv_bytes_per_token(loaded.config, itemsize)
    return max(2048, min(65536, tokens))


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all rows start with."""
    low, high = min(map(list, rows)), max(map(list, rows))  # where any two rows differ, the extremes do
    length = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:length]


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
