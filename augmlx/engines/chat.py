"""Chat templates: what a model's template puts around one user message, and thinking, which is no answer."""

from __future__ import annotations

from typing import Any

import jinja2

from augmlx.models.loading import TEMPLATE_DAY

_MESSAGE = "augmlx-message"


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
        try:
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": _MESSAGE}],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
                date_string=TEMPLATE_DAY,
            )
        except (jinja2.TemplateError, ValueError, TypeError, LookupError) as error:
            self.fault = f"the model's chat template cannot be rendered: {error}"
            return
        self.head, found, self.tail = text.partition(_MESSAGE)
        if not found or _MESSAGE in self.tail:
            self.fault = "the model's chat template does not hold the message once"
        elif self._open(self.tail):
            self.tail = f"{self.tail.rstrip()}\n\n{self.end}\n\n"

    def prompt(self, content: str, opening: str) -> str:
        return f"{self.head}{content}{self.tail}{opening}"

    def thinks(self, text: str) -> bool:
        """Whether an answer that begins with `text` begins with thinking."""
        return bool(self.start) and text.lstrip().startswith(self.start)

    def may_think(self, text: str) -> bool:
        """Whether an answer that begins with `text` may turn out to begin with thinking."""
        return bool(self.start) and self.start.startswith(text.lstrip())

    def _open(self, text: str) -> bool:
        """Whether text leaves a thinking block open."""
        return bool(self.start) and self.start in text and self.end not in text.rpartition(self.start)[2]
