"""The MLX engine: prefix-shared, batched generation and scoring with a local model.

What requests share is prefilled once; each distinct prompt is prefilled once more from there, and its samples start
from copies of that cache. Decoding runs in one batch through mlx-lm's BatchGenerator.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import mlx.core as mx
from mlx_lm.generate import BatchGenerator
from mlx_lm.models.cache import make_prompt_cache

from augmlx.engine import Completion, Request, Score
from augmlx.engines import probes
from augmlx.engines.sampling import sampler
from augmlx.engines.scoring import Cache, Scorer, common_prefix
from augmlx.errors import ModelError
from augmlx.models.loading import LoadedModel

log = logging.getLogger(__name__)
_UNBOUNDED = 2**31
_PREFIXES_KEPT = 4  # a word that spans the border of prefix and suffix makes several prefixes of one text


@dataclass(slots=True)
class TokenCount:
    """Tokens the engine has put through the model, or did not have to.

    `prefilled` and `reused` add up to the tokens of all prompts (and of all scored continuations but their last token).
    """

    prefilled: int = 0
    reused: int = 0
    generated: int = 0


@dataclass(slots=True)
class _Row:
    """One row of a batch while it is decoded."""

    request: Request
    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    finish: str = ""


class MlxEngine:
    """An Engine over a loaded model.

    `batch_tokens` bounds the rows x tokens that the KV caches of one batch hold; by default what fits a tenth of the
    machine's memory.

    Raises ModelError where the model keeps caches that cannot be batched.
    """

    name = "mlx"

    def __init__(self, loaded: LoadedModel, *, fingerprint: str | None = None, batch_tokens: int | None = None) -> None:
        self.tokens = TokenCount()
        self.model = loaded.stored.name
        self.fingerprint = fingerprint or loaded.stored.fingerprint
        self._net = loaded.model
        self._tokenizer = loaded.tokenizer
        about = loaded.config.get("text_config") or loaded.config
        self.window = int(about.get("max_position_embeddings") or 2**31)
        self._check_caches()
        self._batch_tokens = batch_tokens or probes.batch_tokens(self._net)
        if not probes.batches_rightly(self._net):
            log.warning("%s: mlx-lm computes batches of this model wrongly, so rows run one by one", self.model)
            self._batch_tokens = 1
        self._prefixes: dict[tuple[int, ...], Cache] = {}

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._net, self._batch_tokens)

    def _check_caches(self) -> None:
        kinds = {type(layer) for layer in make_prompt_cache(self._net)}
        if unsuited := sorted(kind.__name__ for kind in kinds if not hasattr(kind, "merge")):
            raise ModelError(
                f"{self.model}: mlx-lm cannot batch this model's cache ({', '.join(unsuited)})",
                hint="choose another model (augmlx models)",
            )

    def encode(self, text: str) -> list[int]:
        """Token ids, with what the tokenizer puts before every text, but never twice (as mlx-lm does it)."""
        begin = self._tokenizer.bos_token
        special = begin is None or not text.startswith(begin)
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=special)]

    def count(self, text: str) -> int:
        return len(self.encode(text))

    # Generation

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order. A prompt that is empty or does not fit the model's window is an
        "error"."""
        prompts = {r.prompt: self.encode(r.prompt) for r in requests}
        faults = [self._fault(r, len(prompts[r.prompt])) for r in requests]
        sound = [r for r, fault in zip(requests, faults, strict=True) if fault is None]
        before = self.tokens.prefilled
        batches = self._decode_batches(sound, prompts)
        written = iter([completion for batch in batches for completion in self._decode(batch, prompts)])
        self.tokens.reused += sum(len(prompts[r.prompt]) for r in sound) - (self.tokens.prefilled - before)
        for r, fault in zip(requests, faults, strict=True):
            yield next(written) if fault is None else Completion(r.key, fault, "error", 0)

    def _fault(self, request: Request, tokens: int) -> str | None:
        """Why a request cannot be run, or None."""
        if tokens == 0:
            return "the prompt is empty"
        needed = tokens + request.max_tokens
        return f"{needed} tokens do not fit the model's {self.window}" if needed > self.window else None

    def _decode_batches(
        self, requests: Sequence[Request], prompts: dict[str, list[int]]
    ) -> Iterator[Sequence[Request]]:
        """The requests in order, cut so that the caches of a batch stay within `batch_tokens`."""
        longest = max((len(prompts[r.prompt]) + r.max_tokens for r in requests), default=1)
        rows = max(1, self._batch_tokens // longest)
        for start in range(0, len(requests), rows):
            yield requests[start : start + rows]

    def _decode(self, requests: Sequence[Request], prompts: dict[str, list[int]]) -> list[Completion]:
        started = self._prefill(requests, prompts)
        generator = BatchGenerator(
            self._net,
            completion_batch_size=len(requests),
            prefill_batch_size=len(requests),
        )
        try:
            self.tokens.prefilled += len(requests)  # the last token of each prompt starts its decoding
            uids = generator.insert(
                [prompts[r.prompt][-1:] for r in requests],
                [_UNBOUNDED] * len(requests),  # where a row ends is decided in _run
                caches=[started[r.prompt] for r in requests],
                samplers=[sampler(r) for r in requests],
            )
            rows = [_Row(r, prompts[r.prompt]) for r in requests]
            self._run(generator, dict(zip(uids, rows, strict=True)))
        finally:
            generator.close()
        self.tokens.generated += sum(len(row.tokens) for row in rows)
        return [Completion(row.request.key, self._text(row), row.finish, len(row.tokens)) for row in rows]

    def _prefill(self, requests: Sequence[Request], prompts: dict[str, list[int]]) -> dict[str, Cache]:
        """A cache for each distinct prompt that holds all of it but the last token.

        The prefix's own tokens are shared as far as they are a token prefix of the whole prompt: a word may span the
        border. Samples of one prompt share its cache, which the batch copies.
        """
        prefixes = {prefix: self.encode(prefix) for prefix in {r.prefix for r in requests} if prefix}
        caches: dict[str, Cache] = {}
        for r in requests:
            if r.prompt not in caches:
                tokens = prompts[r.prompt]
                shared = common_prefix([prefixes[r.prefix], tokens[:-1]]) if r.prefix else []
                caches[r.prompt] = self._continue(self._prefill_prefix(shared), tokens[len(shared) : -1])
        return caches

    def _run(self, generator: BatchGenerator, rows: dict[int, _Row]) -> None:
        """Decode until every row has ended: at its stop text, at an end-of-text token, or at its length.

        To take rows out, all caches are copied, which costs as much as a step. So rows that have ended are decoded on,
        unheard, until they are a quarter of the batch. Left to itself, BatchGenerator copies for every row that ends,
        and cuts out that row's cache for its caller besides.
        """
        stops = {stop: self._stop_tokens(stop) for stop in {row.request.stop for row in rows.values()}}
        running, ended = set(rows), set[int]()
        while running:
            for response in generator.next_generated():
                if response.uid in running and self._ends(rows[response.uid], response.token, stops):
                    running.discard(response.uid)
                    ended.add(response.uid)
            if running and 4 * len(ended) >= len(running) + len(ended):
                generator.remove(sorted(ended))
                ended.clear()

    def _ends(self, row: _Row, token: int, stops: dict[str, frozenset[int]]) -> bool:
        """Add a token to a row and say whether that ends it."""
        if token in self._tokenizer.eos_token_ids:  # which is no text
            row.finish = "stop"
            return True
        row.tokens.append(token)
        if self._at_stop(row, stops[row.request.stop]):
            row.finish = "stop"
        elif len(row.tokens) == row.request.max_tokens:
            row.finish = "length"
        return bool(row.finish)

    def _at_stop(self, row: _Row, stop_tokens: frozenset[int]) -> bool:
        """Whether the stop text stands in the row's last token, or ends in it."""
        stop = row.request.stop
        if row.tokens[-1] in stop_tokens:
            return True
        # Each token is at least a byte of text, so the stop spans no more tokens than it has bytes.
        return len(stop) > 1 and stop in self._tokenizer.decode(row.tokens[-len(stop.encode()) :])

    def _text(self, row: _Row) -> str:
        """What the row wrote, up to its stop text. Decoded behind its prompt: a tokenizer of the SentencePiece kind
        drops the space before a text's first word."""
        before = self._decoded(row.prompt)
        text = self._decoded(row.prompt + row.tokens)
        text = text[len(before) :] if text.startswith(before) else self._decoded(row.tokens)
        return text.split(row.request.stop, 1)[0] if row.request.stop else text

    def _decoded(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        return text

    def _stop_tokens(self, stop: str) -> frozenset[int]:
        return frozenset(token for token, text in self._vocabulary if stop and stop in text)

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
        before = self.tokens.prefilled
        shared = common_prefix([tokens[: start - 1] for tokens, start in rows])
        base = self._prefill_prefix(shared)
        scores = self._scorer.scores(rows, len(shared), base)
        self.tokens.prefilled += sum(len(tokens) - 1 - len(shared) for tokens, _ in rows)
        self.tokens.reused += sum(len(tokens) - 1 for tokens, _ in rows) - (self.tokens.prefilled - before)
        return scores

    def _span(self, prompt: str, continuation: str) -> tuple[list[int], int]:
        """All tokens of prompt + continuation, and where the continuation starts (at least 1: there must be a
        token before it to predict it from)."""
        whole = self.encode(prompt + continuation)
        start = max(1, len(common_prefix([whole, self.encode(prompt)])))
        if start >= len(whole):
            raise ValueError("a continuation must add at least one token to its prompt")
        return whole, start

    # Caches

    def _prefill_prefix(self, tokens: list[int]) -> Cache:
        """A cache that holds `tokens`. The last few made are kept, since neighbouring rows and batches share them: no
        more tokens than a batch may hold, but the newest in any case."""
        if not tokens:
            return list(make_prompt_cache(self._net))
        key = tuple(tokens)
        cache = self._prefixes.pop(key, None) or self._continue(list(make_prompt_cache(self._net)), tokens)
        self._prefixes[key] = cache  # the newest stands last
        while len(self._prefixes) > 1 and (
            len(self._prefixes) > _PREFIXES_KEPT or sum(map(len, self._prefixes)) > self._batch_tokens
        ):
            del self._prefixes[next(iter(self._prefixes))]
        return cache

    def _continue(self, base: Cache, tokens: list[int], step: int = 2048) -> Cache:
        """A copy of `base` with `tokens` run into it; `base` stays as it was."""
        cache = copy.deepcopy(base)
        self.tokens.prefilled += len(tokens)
        for start in range(0, len(tokens), step):
            self._net(mx.array([tokens[start : start + step]]), cache=cache)
            mx.eval([layer.state for layer in cache])
        return cache
