"""Chat templates: what a model's template puts around one user message, and thinking, which is no
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2

from augmlx.models.loading import TEMPLATE_DAY

_MESSAGE = "augmlx-message"
Turns = Sequence[tuple[str, str]]  # a question and its answer


class ChatTemplate:
    """A tokenizer's template around one user message. `fault`: why it cannot be used, or None."""

    def __init__(self, tokenizer: Any) -> None:
        self.head = self.tail = ""
        self.fault: str | None = None
        # mlx-lm knows the marks of thinking models; empty where it knows of none.
        self.start: str = tokenizer.think_start or ""
        self.end: str = tokenizer.think_end or ""
        if not tokenizer.has_chat_template:
            self.fault = "the model has no chat template"
            return
        self._tokenizer = tokenizer
        self.head, self.tail, self.fault = self._around(())

    def _around(self, earlier: Turns) -> tuple[str, str, str | None]:
        """What the template puts before and behind a message that follows `earlier` turns, or its
        fault.
        """
        messages = []
        for question, answer in earlier:
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": _MESSAGE})
        try:
            text = self._tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
                date_string=TEMPLATE_DAY,
            )
        except (jinja2.TemplateError, ValueError, TypeError, LookupError) as error:
            return "", "", f"the model's chat template cannot be rendered: {error}"
        head, _, tail = text.partition(_MESSAGE)
        if text.count(_MESSAGE) != 1:
            return head, tail, "the model's chat template does not hold the message once"
        if self._leaves_thinking_open(tail):
            tail = f"{tail.rstrip()}\n\n{self.end}\n\n"
        return head, tail, None

    def prompt(self, content: str, opening: str, earlier: Turns = ()) -> str:
        """The text of a prompt. `earlier`: the questions and answers of the chat so far."""
        head, tail = self.head, self.tail
        if earlier:
            head, tail, _ = self._around(earlier)
        return f"{head}{content}{tail}{opening}"

    def fault_behind(self, earlier: Turns) -> str | None:
        """Why the template cannot be used behind `earlier` turns, or None."""
        if self.fault or not earlier:
            return self.fault
        _, _, fault = self._around(earlier)
        return fault

    def thinks(self, text: str) -> bool:
        """Whether an answer that begins with `text` begins with thinking."""
        return bool(self.start) and text.lstrip().startswith(self.start)

    def may_think(self, text: str) -> bool:
        """Whether an answer that begins with `text` may turn out to begin with thinking."""
        return bool(self.start) and self.start.startswith(text.lstrip())

    def _leaves_thinking_open(self, text: str) -> bool:
        if not self.start or self.start not in text:
            return False
        _, _, behind_start = text.rpartition(self.start)
        return self.end not in behind_start
