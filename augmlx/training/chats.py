"""A conversation as the model's own chat template renders it, and where in it the assistant speaks.

It is rendered as mlx-lm does it (its ChatDataset and CompletionsDataset), with the same tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from jinja2 import TemplateError

from augmlx.core.errors import BadInput
from augmlx.models.loading import TEMPLATE_DAY
from augmlx.training.token_spans import Span

# Stands in for a turn's content, to see what the template writes around it.
_MARK = "\u25c6answer\u25c6"
_SYSTEM = ("system", "developer")


class Chat:
    """A conversation as text.

    Args:
        row_id: of the training row, for messages.
        messages: {"role", "content"} each, as training_sets.fault has found them sound.
        tools: that the assistant may call, if any.
        tokenizer: mlx-lm's wrapper, with a chat template.

    `folded` tells whether the template has no place for the system's message, which then stands
    before the user's first one.

    Raises:
        BadInput: the template refuses it, or has no place for tools.
    """

    def __init__(
        self, row_id: str, messages: Sequence[Any], tools: Sequence[Any] | None, tokenizer: Any
    ) -> None:
        self._row_id = row_id
        self._tools = list(tools) if tools else None
        self._tokenizer = tokenizer
        self._messages, self.folded = self._with_place_for_system(list(messages))
        self.text = self._render(self._messages)
        # What stands behind the last answer of a chat; its special tokens end a turn.
        _, self.tail = self._around([{"role": "user", "content": "?"}], 1)
        if self._tools and self.text == self._render(self._messages, tools=None):
            raise refused(
                row_id,
                "the model's chat template has no place for tools",
                "use another model, or no tools",
            )

    @property
    def closing(self) -> bool:
        """Whether the assistant has the last word."""
        return bool(self._messages[-1]["role"] == "assistant")

    def spans(self, turns: Literal["all", "last"]) -> list[Span]:
        """What the model would have to write in each of the assistant's turns, or in the last."""
        spoken = [
            number
            for number, message in enumerate(self._messages)
            if message["role"] == "assistant"
        ]
        if turns == "last":
            spoken = spoken[-1:]
        learnt = [turn for turn in spoken if self._messages[turn].get("weight") != 0]
        return [self._span(turn) for turn in learnt]

    def _with_place_for_system(self, messages: list[Any]) -> tuple[list[Any], bool]:
        """The messages as the template takes them, and whether that folds the system's into the
        user's: where a template refuses one, or leaves it out without a word.
        """
        if len(messages) < 2 or messages[0]["role"] not in _SYSTEM or messages[1]["role"] != "user":
            return messages, False
        said = str(messages[0].get("content") or "").strip()
        if not said or said in self._rendered_or_nothing(messages):
            return messages, False
        user = {**messages[1], "content": f"{said}\n\n{messages[1]['content']}"}
        folded = [user, *messages[2:]]
        return (folded, True) if self._rendered_or_nothing(folded) else (messages, False)

    def _span(self, turn: int) -> Span:
        """What the model would have to write in one turn, without the mark of its end.

        It ends where the template goes on as it does behind any other content in that place.
        Rendering the messages up to the turn would not tell: some templates write an earlier turn
        in another way than the last one. It begins where the template would have the model begin to
        write, or else (Mistral's templates put the system's message into the user's last one) where
        its content stands.
        """
        before, behind = self._around(self._messages, turn)
        if before and self.text.endswith(behind):
            end = len(self.text) - len(behind)
        else:
            end = self._end_as_last(turn)
        prompt = self._rendered_or_nothing(self._messages[:turn], add_generation_prompt=True)
        for opening in (prompt, before):
            if opening and self.text.startswith(opening) and len(opening) < end:
                return len(opening), end
        raise self._unfit(f"does not show where message {turn + 1} begins")

    def _end_as_last(self, turn: int) -> int:
        """Where a turn ends that is more than its content to the template, as a call of a tool may
        be: taken as it is at the end of a chat.
        """
        chat = self._rendered_or_nothing(self._messages[: turn + 1])
        if not self.tail or not self.text.startswith(chat) or not chat.endswith(self.tail):
            raise self._unfit(f"does not show message {turn + 1} as it is")
        return len(chat) - len(self.tail)

    def _around(self, messages: Sequence[Any], turn: int) -> tuple[str, str]:
        """What the template writes before and behind the content of a turn, whatever the content;
        '' if it refuses.
        """
        mark = {"role": "assistant", "content": _MARK}
        marked = [*messages[:turn], mark, *messages[turn + 1 :]]
        before, separator, behind = self._rendered_or_nothing(marked).partition(_MARK)
        return (before, behind) if separator else ("", "")

    def _rendered_or_nothing(self, messages: Sequence[Any], **changes: Any) -> str:
        """Rendered, or nothing where the template takes no such chat: a system's message alone, for
        one.
        """
        if not messages:
            return ""
        try:
            return self._render(messages, **changes)
        except BadInput:
            return ""

    def _render(self, messages: Sequence[Any], **changes: Any) -> str:
        options = {
            "tools": self._tools,
            "tokenize": False,
            "add_generation_prompt": False,
            "date_string": TEMPLATE_DAY,
            **changes,
        }
        try:
            return str(self._tokenizer.apply_chat_template(messages, **options))
        except TemplateError as error:
            raise self._unfit(f"refuses it: {error}") from error
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._unfit(f"fails on it ({type(error).__name__})") from error

    def _unfit(self, fault: str) -> BadInput:
        return refused(
            self._row_id,
            f"the model's chat template {fault}",
            "correct the row, or use a model whose template takes such chats",
        )


def refused(row_id: str, fault: str, hint: str) -> BadInput:
    """That a training row cannot be trained on."""
    return BadInput(f"example {row_id}: {fault}", hint=hint)
