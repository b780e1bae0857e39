"""Rows of data/train.jsonl -> tokens and what of them carries loss. Everything is checked before training starts.

{"id", "text"}: every token but the first, and the end. {"id", "messages"} and {"id", "prompt", "completion"}, either
with "tools": the model's own chat template, as mlx-lm renders it (its ChatDataset and CompletionsDataset, with the same
tokens); loss is on what the assistant says and on the token that ends its turn. Where the model has no chat template,
prompt and completion are one text as they are; if neither brings white space, a line feed stands between them, or a
space where the prompt ends without a mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from augmlx import trainsets
from augmlx.errors import BadInput, ModelError
from augmlx.language import ENDED
from augmlx.models.loading import TEMPLATE_DAY
from augmlx.training.batches import Row, checked_row, text_row

Span = tuple[int, int]  # characters of a text, from and to
_MARK = "\u25c6answer\u25c6"  # stands in for a turn's content, to see what the template writes around it


def row_of(example: Mapping[str, Any], tokenizer: Any, max_length: int) -> Row:
    """A training row as tokens; `tokenizer` is mlx-lm's wrapper.

    Raises BadInput, with the example's id, where it is too long, has nothing to learn from or does not fit the chat
    template.
    """
    name = str(example["id"])
    if "text" in example:
        return text_row(name, tokenizer.encode(example["text"]), tokenizer.eos_token_id, max_length)
    if "messages" in example:
        messages = example["messages"]
    elif "prompt" in example and "completion" in example:
        messages = [
            {"role": "user", "content": example["prompt"]},
            {"role": "assistant", "content": example["completion"]},
        ]
    else:
        raise _refused(name, "neither text, nor prompt and completion, nor messages", "delete the row")
    if fault := trainsets.fault(messages):
        raise _refused(name, fault, "correct or delete the row")
    if tokenizer.has_chat_template:
        chat = _Chat(name, messages, example.get("tools"), tokenizer)
        return _row(name, chat.text, chat.spans(), tokenizer, max_length, tail=chat.tail, closing=chat.closing)
    if "messages" in example or example.get("tools"):
        hint = "use a model with a chat template (an instruct model), or rows of prompt and completion"
        raise _refused(name, "a chat, and the model has no chat template", hint)
    prompt, completion = example["prompt"], example["completion"]
    spaced = prompt[-1:].isspace() or completion[:1].isspace()
    between = "" if spaced else "\n" if ENDED.search(prompt) else " "
    text = f"{prompt}{between}{completion}"
    return _row(name, text, [(len(prompt) + len(between), len(text))], tokenizer, max_length, tail=None, closing=True)


def _refused(name: str, fault: str, hint: str) -> BadInput:
    return BadInput(f"example {name}: {fault}", hint=hint)


class _Chat:
    """A conversation as the model's template renders it, and where in it the assistant speaks."""

    def __init__(self, name: str, messages: Sequence[Any], tools: Sequence[Any] | None, tokenizer: Any) -> None:
        self._name, self._messages, self._tokenizer = name, list(messages), tokenizer
        self._tools = list(tools) if tools else None
        self.text = self._render(self._messages)
        # What stands behind the last answer of a chat; its special tokens end a turn.
        self.tail = self._around([{"role": "user", "content": "?"}], 1)[1]
        if self._tools and self.text == self._render(self._messages, tools=None):
            raise _refused(name, "the model's chat template has no place for tools", "use another model, or no tools")

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
        hint = "correct the row, or use a model whose template takes such chats"
        return _refused(self._name, f"the model's chat template {fault}", hint)

    @property
    def closing(self) -> bool:
        """Whether the assistant has the last word."""
        return bool(self._messages[-1]["role"] == "assistant")

    def spans(self) -> list[Span]:
        return [self._span(n) for n, message in enumerate(self._messages) if message["role"] == "assistant"]

    def _span(self, turn: int) -> Span:
        """What the model would have to write in one turn, without the mark of its end.

        It ends where the template goes on as it does behind any other content in that place. Rendering the messages
        up to the turn would not tell: some templates write an earlier turn in another way than the last one. It
        begins where the template would have the model begin to write, or else (Mistral's templates put the system's
        message into the user's last one) where its content stands.
        """
        before, behind = self._around(self._messages, turn)
        end = len(self.text) - len(behind)
        if not before or not self.text.endswith(behind):
            # A call of a tool may be more than its content to the template: take it as it is at the end of a chat.
            until = self._tried(self._messages[: turn + 1])
            if not self.tail or not self.text.startswith(until) or not until.endswith(self.tail):
                raise self._unfit(f"does not show message {turn + 1} as it is")
            end = len(until) - len(self.tail)
        asked = self._tried(self._messages[:turn], add_generation_prompt=True)
        for opening in (asked, before):
            if opening and self.text.startswith(opening) and len(opening) < end:
                return len(opening), end
        raise self._unfit(f"does not show where message {turn + 1} begins")

    def _around(self, messages: Sequence[Any], turn: int) -> tuple[str, str]:
        """What the template writes before and behind the content of a turn, whatever the content; '' if it refuses."""
        mark = {"role": "assistant", "content": _MARK}
        before, found, behind = self._tried([*messages[:turn], mark, *messages[turn + 1 :]]).partition(_MARK)
        return (before, behind) if found else ("", "")

    def _tried(self, messages: Sequence[Any], **changes: Any) -> str:
        """Rendered, or nothing where the template takes no such chat: a system's message alone, for one."""
        try:
            return self._render(messages, **changes) if messages else ""
        except BadInput:
            return ""


def _row(
    name: str, text: str, spans: Sequence[Span], tokenizer: Any, max_length: int, *, tail: str | None, closing: bool
) -> Row:
    """Loss on each token that holds a character of a span, and on what ends the turn behind it.

    Without a template (`tail` is None) the tokenizer puts its own special tokens around the text. `closing`: nothing is
    said behind the last span.
    """
    tokens, places = _placed(text, tokenizer, special=tail is None)
    learnt = [any(first < end and last > start for start, end in spans) for first, last in places]
    ends = set(tokenizer.encode(tail or "", add_special_tokens=False)) & set(tokenizer.all_special_ids)
    stops = ends | set(tokenizer.eos_token_ids)
    for _, end in spans:
        behind = [n for n, (first, _) in enumerate(places) if first >= end]
        stop = next((n for n in behind if tokens[n] in stops or text[slice(*places[n])].strip()), None)
        if stop is not None and tokens[stop] in stops:
            learnt[behind[0] : stop + 1] = [True] * (stop + 1 - behind[0])
        elif closing and end == spans[-1][1] and tokenizer.eos_token_id is not None:
            # The template marks the end with words or not at all; without this token no model would stop there.
            tokens.append(tokenizer.eos_token_id)
            learnt = [*learnt[: len(places) - len(behind)], *[True] * (len(behind) + 1)]
    return checked_row(name, tokens, learnt, max_length)


def _placed(text: str, tokenizer: Any, *, special: bool) -> tuple[list[int], list[Span]]:
    """The tokens of a text, and the characters that each of them stands for."""
    tokens = list(tokenizer.encode(text, add_special_tokens=special))
    backend = getattr(tokenizer, "backend_tokenizer", None)
    encoded = backend and backend.encode(text, add_special_tokens=special)
    if encoded is None or encoded.ids != tokens:
        raise ModelError(
            "the model's tokenizer does not tell which characters a token stands for",
            hint="use a model with a tokenizer.json, or rows of text",
        )
    places, done = [], 0
    for start, stop in encoded.offsets:
        # White space may be left out, all parts of a character may have the whole of it, special tokens have nothing.
        start, done = (min(start, done) if stop > start else done), max(stop, done)
        places.append((start, done))
    return tokens, places
