"""The MLX engine: prefix-shared, batched generation and scoring with a local model.

What requests share is prefilled once and kept (prefixes); what each prompt adds is prefilled in
batches (prefill); all rows are decoded together, and the next take the places of those that end
(decoding).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

from mlx_lm.models.cache import make_prompt_cache

from augmlx.core.errors import ModelError
from augmlx.engines.mlx import probes
from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.decoding import Decoder, Limits, Row
from augmlx.engines.mlx.endings import Endings
from augmlx.engines.mlx.prefill import Prefill
from augmlx.engines.mlx.prefixes import (
    STEP,
    CachePlan,
    Prefixes,
    Tokens,
    common_prefix,
    plan_caches,
)
from augmlx.engines.mlx.prompts import PromptKey, Prompts
from augmlx.engines.mlx.sampling import Draw
from augmlx.engines.mlx.scoring import Scorer, Span
from augmlx.engines.protocol import (
    WAYS,
    Completion,
    Prompting,
    Request,
    Score,
    TokenCount,
)
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel, device
from augmlx.models.store.catalogue import CATALOGUE

log = logging.getLogger(__name__)
_UNBOUNDED = 2**31  # the window of a model whose config names none


class MlxEngine:
    """An Engine over a loaded model.

    Args:
        fingerprint: of model and adapter; by default that of the stored model.
        batch_tokens: bounds the tokens that the KV caches of rows decoded together hold, and those
            of the kept prefixes; by default what fits a tenth of the machine's memory.
        width: how many rows are decoded together.

    Raises:
        ModelError: the model keeps caches that cannot be batched.
    """

    name = "mlx"
    can_score = True

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        fingerprint: str | None = None,
        batch_tokens: int | None = None,
        width: int = 64,
    ) -> None:
        self.tokens = TokenCount()
        self.model = loaded.stored.name
        self.fingerprint = fingerprint or loaded.stored.fingerprint
        config = loaded.config.get("text_config") or loaded.config
        self.window = int(config.get("max_position_embeddings") or _UNBOUNDED)
        self._net = loaded.model
        self._check_caches()
        self._batch_tokens = batch_tokens or probes.batch_tokens(self._net)
        self._head = Head(self._net)
        self._batching = probes.batching(self._net, self._head)
        self._width = width
        if self._batching == "alone":
            self._width = 1
            log.warning(
                "%s: mlx-lm computes batches of this model wrongly, so rows run one by one",
                self.model,
            )
        self._template = ChatTemplate(loaded.tokenizer)
        self._prompts = Prompts(loaded.tokenizer, self._template, self.window)
        self._endings = Endings(loaded.tokenizer, self._template)
        self._prefixes = Prefixes(self._net, self._batch_tokens, self.tokens)

    def _check_caches(self) -> None:
        kinds = {type(layer) for layer in make_prompt_cache(self._net)}
        unsuited = sorted(kind.__name__ for kind in kinds if not hasattr(kind, "merge"))
        if unsuited:
            raise ModelError(
                f"{self.model}: mlx-lm cannot batch this model's cache ({', '.join(unsuited)})",
                hint="choose another model (augmlx models)",
            )

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(
            self._net,
            Prefill(self._net, self._head, self._batching),
            self._prefixes,
            self.tokens,
            Limits(self._width, self._batch_tokens, shared=self._batching == "shared"),
            ahead=device() == "gpu",
        )

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._head, self._batching, self._batch_tokens, self.tokens)

    @cached_property
    def prompting(self) -> Prompting:
        """As the catalogue says of its own models; else as far as there is a chat template and it
        takes turns.
        """
        entry = CATALOGUE.get(self.model)
        if entry is not None and entry.prompting is not None:
            return entry.prompting
        return next(way for way in WAYS if self.fault_of(way) is None)

    def fault_of(self, prompting: Prompting) -> str | None:
        if prompting == "raw":
            return None
        return self._template.fault or (
            self._template.fault_of_turns if prompting == "turns" else None
        )

    # Texts and tokens

    def encode(self, text: str) -> list[int]:
        """Token ids, with what the tokenizer puts before every text, but never twice."""
        return self._prompts.encode(text)

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def prompt_tokens(self, request: Request) -> Tokens:
        """The whole prompt, as the model is given it."""
        return self._prompts.tokens(request)

    def prefix_tokens(self, request: Request) -> Tokens:
        """The tokens of a request's prefix, standing by itself, with all that a chat has before
        it.
        """
        return self._prompts.prefix_tokens(request)

    def stop_tokens(self, stop: str) -> frozenset[int]:
        """The tokens that hold a stop text whole."""
        return self._endings.stop_tokens(stop)

    # Generation

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order, each as soon as those before it are there.

        A prompt that is empty or does not fit the model's window is an "error", and so is a chat
        request where there is no chat template, or one that does not take its turns.
        """
        request_of_key = {PromptKey.of(request): request for request in requests}
        prompts = {key: self.prompt_tokens(request) for key, request in request_of_key.items()}
        faults = [self._prompts.fault(r, prompts[PromptKey.of(r)]) for r in requests]
        sound = [r for r, fault in zip(requests, faults, strict=True) if fault is None]
        rows, plan = self._rows(sound, prompts)
        ended = self._decoder.run(rows, plan, self._endings.ends)
        coming = iter(rows)
        for request, fault in zip(requests, faults, strict=True):
            if fault is not None:
                yield Completion(request.key, fault, "error", 0)
                continue
            row = next(coming)
            while not row.finish:
                next(ended)
            yield self._completion(row)
        # None is left: what the decoder holds goes now and not when it is collected.
        for _ in ended:
            pass

    def stream(self, request: Request) -> Generator[str, None, Completion]:
        """What `generate` gives for one request, which is returned, in pieces as it is written.

        The prompts of a chat's earlier turns are kept as beginnings: not all of it is run each
        time.
        """
        prompt = self.prompt_tokens(request)
        fault = self._prompts.fault(request, prompt)
        if fault is not None:
            return Completion(request.key, fault, "error", 0)
        row, plan = self._row_behind(request, prompt)
        given = 0  # letters
        for _ in self._decoder.steps([row], plan, self._endings.ends):
            text = self._endings.settled(row)
            if len(text) > given:
                yield text[given:]
                given = len(text)
        return self._completion(row)

    def _rows(
        self, requests: Sequence[Request], prompts: Mapping[PromptKey, Tokens]
    ) -> tuple[list[Row], CachePlan]:
        """The rows of some requests, and what is cached of their prompts."""
        beginnings = self._prompts.beginnings(requests, prompts)
        plan = plan_caches(beginnings.values(), beginnings.values())
        rows = []
        for request in requests:
            key = PromptKey.of(request)
            cached = plan.beginning[beginnings[key]]
            rows.append(self._row(request, prompts[key], cached))
        return rows, plan

    def _row_behind(self, request: Request, prompt: Tokens) -> tuple[Row, CachePlan]:
        """The row of a request that follows its chat's turns, and what is cached of its prompt."""
        key = PromptKey.of(request)
        beginning = self._prompts.beginnings([request], {key: prompt})[key]
        earlier_prompts = self._prompts.of_earlier(request)
        shared = [tuple(common_prefix([tokens, prompt[:-1]])) for tokens in earlier_prompts]
        longest = max([beginning, *shared], key=len)
        plan = plan_caches([longest], [beginning, *shared])
        return self._row(request, prompt, plan.beginning[longest]), plan

    def _row(self, request: Request, prompt: Tokens, beginning: Tokens) -> Row:
        may_think = request.chat and self._template.start and not request.opening
        phase: Literal["open", "answer"] = "open" if may_think else "answer"
        return Row(request, prompt, beginning, Draw(request), phase=phase)

    def _completion(self, row: Row) -> Completion:
        text = self._endings.text(row)
        return Completion(row.request.key, text, row.finish, len(row.tokens))

    # Scoring

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        """Summed log-probability (nats) and token count of each continuation after its prompt.

        The span of the continuation is found by tokenising the whole text: it starts where that
        differs from the prompt's own tokens. Raises ValueError where a continuation adds no token.
        """
        texts = [
            self._prompts.with_continuation(prompt, continuation)
            for prompt, continuation in zip(prompts, continuations, strict=True)
        ]
        if not texts:
            return []
        plan = self._plan_for_scoring([tokens[: start - 1] for tokens, start in texts], prefix)
        spans = []
        for tokens, start in texts:
            spans.append(Span(tokens, start, plan.beginning[tokens[: start - 1]]))
        before = self.tokens.prefilled
        scores = self._scorer.scores(spans, lambda tokens: self._prefixes.cache(tokens, plan))
        prefilled = self.tokens.prefilled - before
        self.tokens.reused += sum(len(span.tokens) - 1 for span in spans) - prefilled
        return scores

    def _plan_for_scoring(self, contexts: Sequence[Tokens], prefix: str) -> CachePlan:
        """What is to be cached of what stands before some spans; all that begins with `prefix` will
        be asked for again.
        """
        times = Counter(contexts)
        prefix_tokens = self.encode(prefix) if prefix else []
        ends = {tuple(common_prefix([prefix_tokens, tokens])) for tokens in times}
        # What a question's choices share is run once by the scorer, but not with caches that it
        # cannot fork.
        forked = self._batching == "shared"
        for tokens, count in times.items():
            if len(tokens) > STEP or (count > 1 and not forked):
                ends.add(tokens)
        return plan_caches(times, ends)
