"""Requests -> the tokens of their prompts, and what may be cached of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.prefixes import STEP, Tokens, common_prefix
from augmlx.engines.protocol import Request, Turns


class PromptKey(NamedTuple):
    """What a prompt is made of: requests with the same key have the same prompt."""

    chat: bool
    system: str
    turns: Turns
    prefix: str
    suffix: str
    opening: str

    @classmethod
    def of(cls, request: Request) -> PromptKey:
        before = (request.chat, request.system, request.turns)
        return cls(*before, request.prefix, request.suffix, request.opening)


class Prompts:
    """Texts as a model is given them, by its tokenizer and its chat template. `window`: how many
    tokens the model can attend to.
    """

    def __init__(self, tokenizer: Any, template: ChatTemplate, window: int) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._window = window

    def encode(self, text: str) -> list[int]:
        """Token ids, with what the tokenizer puts before every text, but never twice (as mlx-lm
        does it).
        """
        begin = self._tokenizer.bos_token
        return self._encode(text, special=begin is None or not text.startswith(begin))

    def tokens(self, request: Request) -> Tokens:
        """The whole prompt of a request."""
        if request.chat:
            # A chat template writes the special tokens itself.
            frame = self._template.frame(request.system, request.turns)
            text = f"{frame.head}{request.content}{frame.tail}{request.opening}"
            return tuple(self._encode(text, special=False))
        return tuple(self.encode(request.prompt))

    def prefix_tokens(self, request: Request) -> Tokens:
        """The tokens of a request's prefix, standing by itself, with all that a chat has before
        it.
        """
        if request.chat:
            frame = self._template.frame(request.system, request.turns)
            return tuple(self._encode(frame.head + request.prefix, special=False))
        return tuple(self.encode(request.prefix)) if request.prefix else ()

    def of_earlier(self, request: Request) -> list[Tokens]:
        """The prompts of the earlier turns of a chat, each behind those before it."""
        prompts = []
        for number, (message, _) in enumerate(request.turns):
            turns = request.turns[:number]
            asked_then = replace(request, prefix="", suffix=message, opening="", turns=turns)
            prompts.append(self.tokens(asked_then))
        return prompts

    def fault(self, request: Request, prompt: Tokens) -> str | None:
        """Why a request cannot be run, or None."""
        if request.chat:
            fault = self._template.frame(request.system, request.turns).fault
            if fault:
                return fault
        if not prompt:
            return "the prompt is empty"
        needed = len(prompt) + request.max_tokens
        if needed > self._window:
            return f"{needed} tokens do not fit the model's {self._window}"
        return None

    def beginnings(
        self, requests: Iterable[Request], prompts: Mapping[PromptKey, Tokens]
    ) -> dict[PromptKey, Tokens]:
        """What may be cached of each prompt: its prefix's own tokens, as far as they are a token
        prefix of the whole prompt (a word may span the border). A prompt that goes on for too long
        behind it is prefilled in steps, too.
        """
        tokens_of_prefix: dict[PromptKey, Tokens] = {}
        beginnings: dict[PromptKey, Tokens] = {}
        for request in requests:
            key = PromptKey.of(request)
            if key in beginnings:
                continue
            prefix = key._replace(suffix="", opening="")
            if prefix not in tokens_of_prefix:
                tokens_of_prefix[prefix] = self.prefix_tokens(request)
            before_last = prompts[key][:-1]
            shared = tuple(common_prefix([tokens_of_prefix[prefix], before_last]))
            is_long = len(before_last) - len(shared) > STEP
            beginnings[key] = before_last if is_long else shared
        return beginnings

    def with_continuation(self, prompt: str, continuation: str) -> tuple[Tokens, int]:
        """All tokens of prompt + continuation, and where the continuation starts (at least 1: there
        must be a token before it to predict it from). Raises ValueError where it adds no token.
        """
        whole = self.encode(prompt + continuation)
        shared = common_prefix([whole, self.encode(prompt)])
        start = max(1, len(shared))
        if start >= len(whole):
            raise ValueError("a continuation must add at least one token to its prompt")
        return tuple(whole), start

    def _encode(self, text: str, *, special: bool) -> list[int]:
        tokens = self._tokenizer.encode(text, add_special_tokens=special)
        return [int(token) for token in tokens]
