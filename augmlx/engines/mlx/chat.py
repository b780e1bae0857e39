"""Chat templates: what a model's template puts around a user's message behind a system line and
earlier turns, and thinking, which is no answer.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import jinja2

from augmlx.engines.protocol import Turns
from augmlx.models.loading import TEMPLATE_DAY

# Texts that stand in for a chat's own, to see what a template makes of it.
_MESSAGE = "augmlx-message"
_SYSTEM = "augmlx-system"
_TURN = ("augmlx-question", "augmlx-answer")
_FRAMES = 64  # chats whose frames are kept
_FAULTS = (jinja2.TemplateError, ValueError, TypeError, LookupError)
Message = dict[str, str]


class Frame(NamedTuple):
    """What a template puts before and behind a message. `fault`: why it cannot be used, or None."""

    head: str
    tail: str
    fault: str | None


class ChatTemplate:
    """A tokenizer's template around a user's message."""

    def __init__(self, tokenizer: Any) -> None:
        # mlx-lm knows the marks of thinking models; empty where it knows of none.
        self.start: str = tokenizer.think_start or ""
        self.end: str = tokenizer.think_end or ""
        self._tokenizer = tokenizer
        self._kept_frame = lru_cache(_FRAMES)(self._frame)

    def frame(self, system: str = "", turns: Turns = ()) -> Frame:
        """What stands around a message in a chat that has begun with a system line and turns."""
        return self._kept_frame(system, turns)

    @property
    def fault(self) -> str | None:
        """Why the template cannot be used at all, or None."""
        return self.frame().fault

    @property
    def fault_of_turns(self) -> str | None:
        """Why it cannot be used where a chat has earlier turns, or None."""
        return self.frame(turns=(_TURN,)).fault

    def thinks(self, text: str) -> bool:
        """Whether an answer that begins with `text` begins with thinking."""
        return bool(self.start) and text.lstrip().startswith(self.start)

    def may_think(self, text: str) -> bool:
        """Whether an answer that begins with `text` may turn out to begin with thinking."""
        return bool(self.start) and self.start.startswith(text.lstrip())

    def _frame(self, system: str, turns: Turns) -> Frame:
        if not self._tokenizer.has_chat_template:
            return Frame("", "", "the model has no chat template")
        messages = _messages(turns)
        if system and self._takes_system:
            messages.insert(0, {"role": "system", "content": system})
        elif system:
            first = messages[0]
            first["content"] = f"{system}\n\n{first['content']}"
        try:
            text = self._rendered(messages)
            takes_turns = not turns or self._takes_turns
        except _FAULTS as error:
            return Frame("", "", f"the model's chat template cannot be rendered: {error}")
        head, _, tail = text.partition(_MESSAGE)
        if text.count(_MESSAGE) != 1:
            return Frame(head, tail, "the model's chat template does not hold the message once")
        if not takes_turns:
            return Frame(head, tail, "the model's chat template leaves out earlier turns")
        if self._leaves_thinking_open(tail):
            tail = f"{tail.rstrip()}\n\n{self.end}\n\n"
        return Frame(head, tail, None)

    @cached_property
    def _takes_system(self) -> bool:
        """Whether the template has a place for a system line; some refuse it, some drop it."""
        try:
            text = self._rendered([{"role": "system", "content": _SYSTEM}, *_messages(())])
        except _FAULTS:
            return False
        return text.count(_SYSTEM) == 1

    @cached_property
    def _takes_turns(self) -> bool:
        """Whether the template shows what was said before a message, once and in its order."""
        text = self._rendered(_messages((_TURN,)))
        wanted = (*_TURN, _MESSAGE)
        places = [text.find(mark) for mark in wanted]
        is_once = all(text.count(mark) == 1 for mark in wanted)
        return is_once and places == sorted(places)

    def _rendered(self, messages: list[Message]) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
            date_string=TEMPLATE_DAY,
        )
        return text

    def _leaves_thinking_open(self, text: str) -> bool:
        if not self.start or self.start not in text:
            return False
        _, _, behind_start = text.rpartition(self.start)
        return self.end not in behind_start


def _messages(turns: Turns) -> list[Message]:
    """The turns, and behind them the mark of a message."""
    messages = []
    for message, answer in turns:
        messages.append({"role": "user", "content": message})
        messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": _MESSAGE})
    return messages
