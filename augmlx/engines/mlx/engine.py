"""The MLX engine: prefix-shared, batched generation and scoring with a local model.

What requests share is prefilled once and kept (prefixes); what each prompt adds is prefilled in
batches (prefill); all rows are decoded together, and the next take the places of those that end
(decoding).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal

from mlx_lm.models.cache import make_prompt_cache

from augmlx.core.errors import ModelError
from augmlx.engines.mlx import probes
from augmlx.engines.mlx.chat import ChatTemplate, Turns
from augmlx.engines.mlx.decoding import Decoder, Limits, Row
from augmlx.engines.mlx.endings import Endings
from augmlx.engines.mlx.prefill import Prefill
from augmlx.engines.mlx.prefixes import STEP, Prefixes, Tokens, common_prefix, tree
from augmlx.engines.mlx.sampling import Draw
from augmlx.engines.mlx.scoring import Scorer, Span
from augmlx.engines.protocol import Completion, Request, Score, TokenCount
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel, device
from augmlx.models.store import catalogue

log = logging.getLogger(__name__)
_Asked = tuple[bool, str, str, str]


class MlxEngine:
    """An Engine over a loaded model.

    `width` is how many rows are decoded together; `batch_tokens` bounds the tokens that their KV
    caches hold, and those of the kept prefixes: by default what fits a tenth of the machine's
    memory.

    Raises ModelError where the model keeps caches that cannot be batched.
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
        self._net = loaded.model
        self._tokenizer = loaded.tokenizer
        about = loaded.config.get("text_config") or loaded.config
        self.window = int(about.get("max_position_embeddings") or 2**31)
        self._check_caches()
        self._batch_tokens = batch_tokens or probes.batch_tokens(self._net)
        self._head = Head(self._net)
        self._batching = probes.batching(self._net, self._head)
        if self._batching == "alone":
            log.warning(
                "%s: mlx-lm computes batches of this model wrongly, so rows run one by one",
                self.model,
            )
        self._width = 1 if self._batching == "alone" else width
        self._template = ChatTemplate(self._tokenizer)
        self._endings = Endings(self._tokenizer, self._template)
        self._prefixes = Prefixes(self._net, self._batch_tokens, self.tokens)

    @cached_property
    def _decoder(self) -> Decoder:
        limits = Limits(self._width, self._batch_tokens, shared=self._batching == "shared")
        prefill = Prefill(self._net, self._head, self._batching)
        return Decoder(
            self._net, prefill, self._prefixes, self.tokens, limits, ahead=device() == "gpu"
        )

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self._head, self._batching, self._batch_tokens, self.tokens)

    @cached_property
    def prompting(self) -> Literal["raw", "chat"]:
        """As the catalogue says of its own models; else through the chat template where there is
        one.
        """
        entry = catalogue.CATALOGUE.get(self.model)
        return (entry and entry.prompting) or ("raw" if self._template.fault else "chat")

    @property
    def chat_fault(self) -> str | None:
        """Why the model cannot be asked through a chat template, or None."""
        return self._template.fault

    def _check_caches(self) -> None:
        kinds = {type(layer) for layer in make_prompt_cache(self._net)}
        if unsuited := sorted(kind.__name__ for kind in kinds if not hasattr(kind, "merge")):
            raise ModelError(
                f"{self.model}: mlx-lm cannot batch this model's cache ({', '.join(unsuited)})",
                hint="choose another model (augmlx models)",
            )

    def encode(self, text: str) -> list[int]:
        """Token ids, with what the tokenizer puts before every text, but never twice (as mlx-lm
        does it).
        """
        begin = self._tokenizer.bos_token
        return self._encode(text, special=begin is None or not text.startswith(begin))

    def _encode(self, text: str, *, special: bool) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=special)]

    def count(self, text: str) -> int:
        return len(self.encode(text))

    # Generation

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order, each as soon as those before it are there.

        A prompt that is empty or does not fit the model's window is an "error", and so is a chat
        request where there is no chat template.
        """
        prompts = {
            asked: self.prompt_tokens(r) for asked, r in {_asked(r): r for r in requests}.items()
        }
        faults = [self._fault(r, len(prompts[_asked(r)])) for r in requests]
        begun = self._begun(
            [r for r, fault in zip(requests, faults, strict=True) if fault is None], prompts
        )
        caches = tree(begun.values(), begun.values())
        rows = [
            None if fault else self._row(r, prompts[_asked(r)], caches.of[begun[_asked(r)]])
            for r, fault in zip(requests, faults, strict=True)
        ]
        ended = self._decoder.run([row for row in rows if row], caches, self._endings.ends)
        for r, row, fault in zip(requests, rows, faults, strict=True):
            if row is None:
                yield Completion(r.key, str(fault), "error", 0)
                continue
            while not row.finish:
                next(ended)
            yield Completion(r.key, self._endings.text(row), row.finish, len(row.tokens))
        for (
            _
        ) in ended:  # none is left: what the decoder holds goes now and not when it is collected
            pass

    def stream(self, request: Request, earlier: Turns = ()) -> Generator[str, None, Completion]:
        """What `generate` gives for one request, which is returned, in pieces as it is written.

        A chat request may follow `earlier` turns, whose prompts are kept as beginnings: not all of
        it is run each time.
        """
        prompt = self.prompt_tokens(request, earlier)
        if (fault := self._fault(request, len(prompt), earlier)) is not None:
            return Completion(request.key, fault, "error", 0)
        begun = self._begun([request], {_asked(request): prompt})[_asked(request)]
        before = [
            self.prompt_tokens(
                replace(request, prefix="", suffix=asked, opening=""), earlier[:number]
            )
            for number, (asked, _) in enumerate(earlier)
        ]
        shared = [tuple(common_prefix([tokens, prompt[:-1]])) for tokens in before]
        longest = max([begun, *shared], key=len)
        caches = tree([longest], [begun, *shared])
        row = self._row(request, prompt, caches.of[longest])
        said = 0
        for _ in self._decoder.steps([row], caches, self._endings.ends):
            text = self._endings.settled(row)
            if len(text) > said:
                yield text[said:]
                said = len(text)
        return Completion(request.key, self._endings.text(row), row.finish, len(row.tokens))

    def prompt_tokens(self, request: Request, earlier: Turns = ()) -> Tokens:
        """The whole prompt, as the model is given it. A chat template writes the special tokens
        itself.
        """
        if request.chat:
            return tuple(
                self._encode(
                    self._template.prompt(request.content, request.opening, earlier), special=False
                )
            )
        return tuple(self.encode(request.prompt))

    def prefix_tokens(self, request: Request) -> Tokens:
        """The tokens of a request's prefix, standing by itself, with what a chat template puts
        before it.
        """
        if request.chat:
            return tuple(self._encode(self._template.head + request.prefix, special=False))
        return tuple(self.encode(request.prefix)) if request.prefix else ()

    def stop_tokens(self, stop: str) -> frozenset[int]:
        """The tokens that hold a stop text whole."""
        return self._endings.stop_tokens(stop)

    def _fault(self, request: Request, tokens: int, earlier: Turns = ()) -> str | None:
        """Why a request cannot be run, or None."""
        if request.chat and (fault := self._template.fault_behind(earlier)):
            return fault
        if tokens == 0:
            return "the prompt is empty"
        needed = tokens + request.max_tokens
        return (
            f"{needed} tokens do not fit the model's {self.window}"
            if needed > self.window
            else None
        )

    def _begun(
        self, requests: Sequence[Request], prompts: dict[_Asked, Tokens]
    ) -> dict[_Asked, Tokens]:
        """What may be cached of each prompt: its prefix's own tokens, as far as they are a token
        prefix of the whole prompt (a word may span the border). A prompt that goes on for too long
        behind it is prefilled in steps, too.
        """
        prefixes: dict[tuple[bool, str], Tokens] = {}
        for r in requests:
            if (r.chat, r.prefix) not in prefixes:
                prefixes[r.chat, r.prefix] = self.prefix_tokens(r)
        begun = {}
        for asked, r in {_asked(r): r for r in requests}.items():
            tokens = prompts[asked][:-1]
            shared = tuple(common_prefix([prefixes[r.chat, r.prefix], tokens]))
            begun[asked] = tokens if len(tokens) - len(shared) > STEP else shared
        return begun

    def _row(self, request: Request, prompt: Tokens, beginning: Tokens) -> Row:
        may_think = request.chat and self._template.start and not request.opening
        return Row(
            request, prompt, beginning, Draw(request), phase="open" if may_think else "answer"
        )

    # Scoring

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        """Summed log-probability (nats) and token count of each continuation after its prompt.

        The span of the continuation is found by tokenising the whole text: it starts where that
        differs from the prompt's own tokens. Raises ValueError where a continuation adds no token.
        """
        spans = [
            self._span(prompt, text) for prompt, text in zip(prompts, continuations, strict=True)
        ]
        if not spans:
            return []
        before = Counter(tokens[: start - 1] for tokens, start in spans)
        begun = self.encode(prefix) if prefix else []
        ends = {tuple(common_prefix([begun, tokens])) for tokens in before}
        # What a question's choices share is run once by the scorer, but not with caches that it
        # cannot fork.
        forked = self._batching == "shared"
        ends |= {
            tokens
            for tokens, count in before.items()
            if (count > 1 and not forked) or len(tokens) > STEP
        }
        caches = tree(before, ends)
        rows = [Span(tokens, start, caches.of[tokens[: start - 1]]) for tokens, start in spans]
        prefilled = self.tokens.prefilled
        scores = self._scorer.scores(rows, lambda tokens: self._prefixes.cache(tokens, caches))
        self.tokens.reused += sum(len(row.tokens) - 1 for row in rows) - (
            self.tokens.prefilled - prefilled
        )
        return scores

    def _span(self, prompt: str, continuation: str) -> tuple[Tokens, int]:
        """All tokens of prompt + continuation, and where the continuation starts (at least 1: there
        must be a token before it to predict it from).
        """
        whole = self.encode(prompt + continuation)
        start = max(1, len(common_prefix([whole, self.encode(prompt)])))
        if start >= len(whole):
            raise ValueError("a continuation must add at least one token to its prompt")
        return tuple(whole), start


def _asked(request: Request) -> _Asked:
    """What a prompt is made of."""
    return request.chat, request.prefix, request.suffix, request.opening
