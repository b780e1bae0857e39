"""Rows of data/train.jsonl -> tokens and what of them carries loss. Everything is checked before
training starts.

{"id", "text"}: every token but the first, and the end. {"id", "messages"} and {"id", "prompt",
"completion"}, either with "tools": the model's own chat template, as mlx-lm renders it (its
ChatDataset and CompletionsDataset, with the same tokens); loss is on what the assistant says and on
the token that ends its turn. Where the model has no chat template, prompt and completion are one
text as they are; if neither brings white space, a line feed stands between them, or a space where
the prompt ends without a mark.

A text that is too long may be split. Its pieces are runs of the tokens of the whole, so that all of
them together learn what it would have learnt, each token once; the end is behind the last piece
alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any, Literal

from jinja2 import TemplateError

from augmlx.core.errors import BadInput, ModelError
from augmlx.core.settings import TrainSettings
from augmlx.data import training_sets
from augmlx.english.text import ENDED, split_sentences
from augmlx.models.loading import TEMPLATE_DAY
from augmlx.training.batches import Row, checked_row, text_row

Span = tuple[int, int]  # characters of a text, from and to
# stands in for a turn's content, to see what the template writes around it
_MARK = "\u25c6answer\u25c6"


def rows_of(example: Mapping[str, Any], tokenizer: Any, settings: TrainSettings) -> list[Row]:
    """A training row as tokens: one row, or the pieces "id#1", "id#2", ... of a text that is split.

    Args:
        tokenizer: mlx-lm's wrapper.
        settings: how long a row may be, what is done with a longer text, which turns of a chat are
            learnt.

    Raises:
        BadInput: with the example's id, where it is too long, has nothing to learn from or does not
            fit the chat template.
        ModelError: the tokenizer does not tell where its tokens are, and a chat or a split would
            have to know.
    """
    name = str(example["id"])
    if "text" in example:
        if not isinstance(example["text"], str):
            raise _refused(name, "its text is none", "correct or delete the row")
        return _text_rows(name, example["text"], tokenizer, settings)
    return [_answer_row(name, example, tokenizer, settings)]


def _answer_row(
    name: str, example: Mapping[str, Any], tokenizer: Any, settings: TrainSettings
) -> Row:
    max_length = settings.max_length
    if "messages" in example:
        messages = example["messages"]
    elif "prompt" in example and "completion" in example:
        messages = [
            {"role": "user", "content": example["prompt"]},
            {"role": "assistant", "content": example["completion"]},
        ]
    else:
        raise _refused(
            name, "neither text, nor prompt and completion, nor messages", "delete the row"
        )
    if fault := training_sets.fault(messages):
        raise _refused(name, fault, "correct or delete the row")
    if tokenizer.has_chat_template:
        chat = _Chat(name, messages, example.get("tools"), tokenizer)
        spans = chat.spans(settings.turns)
        return _row(
            name, chat.text, spans, tokenizer, max_length, tail=chat.tail, closing=chat.closing
        )
    if "messages" in example or example.get("tools"):
        hint = (
            "use a model with a chat template (an instruct model), or rows of prompt and completion"
        )
        raise _refused(name, "a chat, and the model has no chat template", hint)
    prompt, completion = example["prompt"], example["completion"]
    spaced = prompt[-1:].isspace() or completion[:1].isspace()
    between = "" if spaced else "\n" if ENDED.search(prompt) else " "
    text = f"{prompt}{between}{completion}"
    return _row(
        name,
        text,
        [(len(prompt) + len(between), len(text))],
        tokenizer,
        max_length,
        tail=None,
        closing=True,
    )


def _refused(name: str, fault: str, hint: str) -> BadInput:
    return BadInput(f"example {name}: {fault}", hint=hint)


class _Chat:
    """A conversation as the model's template renders it, and where in it the assistant speaks."""

    def __init__(
        self, name: str, messages: Sequence[Any], tools: Sequence[Any] | None, tokenizer: Any
    ) -> None:
        self._name, self._messages, self._tokenizer = name, list(messages), tokenizer
        self._tools = list(tools) if tools else None
        self.text = self._render(self._messages)
        # What stands behind the last answer of a chat; its special tokens end a turn.
        self.tail = self._around([{"role": "user", "content": "?"}], 1)[1]
        if self._tools and self.text == self._render(self._messages, tools=None):
            raise _refused(
                name,
                "the model's chat template has no place for tools",
                "use another model, or no tools",
            )

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

    def spans(self, turns: Literal["all", "last"]) -> list[Span]:
        said = [n for n, message in enumerate(self._messages) if message["role"] == "assistant"]
        return [self._span(n) for n in (said if turns == "all" else said[-1:])]

    def _span(self, turn: int) -> Span:
        """What the model would have to write in one turn, without the mark of its end.

        It ends where the template goes on as it does behind any other content in that place.
        Rendering the messages up to the turn would not tell: some templates write an earlier turn
        in another way than the last one. It begins where the template would have the model begin to
        write, or else (Mistral's templates put the system's message into the user's last one) where
        its content stands.
        """
        before, behind = self._around(self._messages, turn)
        end = len(self.text) - len(behind)
        if not before or not self.text.endswith(behind):
            # A call of a tool may be more than its content to the template: take it as it is at the
            # end of a chat.
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
        """What the template writes before and behind the content of a turn, whatever the content;
        '' if it refuses.
        """
        mark = {"role": "assistant", "content": _MARK}
        before, found, behind = self._tried(
            [*messages[:turn], mark, *messages[turn + 1 :]]
        ).partition(_MARK)
        return (before, behind) if found else ("", "")

    def _tried(self, messages: Sequence[Any], **changes: Any) -> str:
        """Rendered, or nothing where the template takes no such chat: a system's message alone, for
        one.
        """
        try:
            return self._render(messages, **changes) if messages else ""
        except BadInput:
            return ""


def _row(
    name: str,
    text: str,
    spans: Sequence[Span],
    tokenizer: Any,
    max_length: int,
    *,
    tail: str | None,
    closing: bool,
) -> Row:
    """Loss on each token that holds a character of a span, and on what ends the turn behind it.

    Without a template (`tail` is None) the tokenizer puts its own special tokens around the text.
    `closing`: nothing is said behind the last span.
    """
    tokens, places = _placed(text, tokenizer, special=tail is None)
    learnt = [any(first < end and last > start for start, end in spans) for first, last in places]
    ends = set(tokenizer.encode(tail or "", add_special_tokens=False)) & set(
        tokenizer.all_special_ids
    )
    stops = ends | set(tokenizer.eos_token_ids)
    for _, end in spans:
        behind = [n for n, (first, _) in enumerate(places) if first >= end]
        stop = next(
            (n for n in behind if tokens[n] in stops or text[slice(*places[n])].strip()), None
        )
        if stop is not None and tokens[stop] in stops:
            learnt[behind[0] : stop + 1] = [True] * (stop + 1 - behind[0])
        elif closing and end == spans[-1][1] and tokenizer.eos_token_id is not None:
            # The template marks the end with words or not at all; without this token no model would
            # stop there.
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
            hint=(
                "use a model with a tokenizer.json, or rows of text that are within "
                "train.max_length"
            ),
        )
    places, done = [], 0
    for start, stop in encoded.offsets:
        # White space may be left out, all parts of a character may have the whole of it, special
        # tokens have nothing.
        start, done = (min(start, done) if stop > start else done), max(stop, done)
        places.append((start, done))
    return tokens, places


def _text_rows(name: str, text: str, tokenizer: Any, settings: TrainSettings) -> list[Row]:
    """A text as one row, or where it is too long and may be split, as several."""
    longest = settings.max_length if settings.too_long == "refuse" else sys.maxsize
    whole = text_row(name, tokenizer.encode(text), tokenizer.eos_token_id, longest)
    if len(whole.tokens) <= settings.max_length:
        return [whole]
    tokens, places = _placed(text, tokenizer, special=True)
    special = {*tokenizer.all_special_ids, tokenizer.eos_token_id}
    opening = sum(
        1
        for _ in takewhile(lambda n: places[n][1] == 0 and tokens[n] in special, range(len(tokens)))
    )
    cuts = _cuts(text, places)
    cuts += [-1] * (len(whole.tokens) - len(cuts))
    for n, token in enumerate(whole.tokens):
        if token in special:  # above all the end, which nothing but the text may lead to
            cuts[n] = -1
    return _pieces(name, whole.tokens, opening, cuts, settings.max_length)


def _cuts(text: str, places: Sequence[Span]) -> list[int]:
    """How well a text can be cut before each token: 3 between sentences or lines, 2 between words,
    1 between characters, 0 within one. White space of its own goes with what stands before it.
    """
    sentences = split_sentences(text)
    between = {
        place for one, other in pairwise(sentences) for place in range(one.end, other.start + 1)
    }
    cuts = [0]
    for (_, end), (start, stop) in pairwise(places):
        if start < end:
            cuts.append(0)
        elif text[start:stop].isspace():
            cuts.append(1)
        elif end in between:
            cuts.append(3)
        else:
            cuts.append(2 if any(char.isspace() for char in text[max(0, end - 1) : end + 1]) else 1)
    return cuts


def _pieces(
    name: str, tokens: Sequence[int], opening: int, cuts: Sequence[int], max_length: int
) -> list[Row]:
    """Rows of at most `max_length` tokens that learn `tokens` between them: each as far as the last
    of the best cuts.

    A row's first token carries no loss. So a piece begins as the whole does, with the first
    `opening` tokens, or where there are none with the last token of the piece before.
    """
    rows: list[Row] = []
    start = max(opening, 1)
    room = max_length - start
    while start < len(tokens):
        end = len(tokens)
        if end - start > room:
            end = max(range(start + 1, start + room + 1), key=lambda n: (cuts[n], n))
        before = tokens[:opening] or tokens[start - 1 : start]
        learnt = [False] * len(before) + [True] * (end - start)
        rows.append(
            checked_row(
                f"{name}#{len(rows) + 1}", [*before, *tokens[start:end]], learnt, max_length
            )
        )
        start = end
    return rows
