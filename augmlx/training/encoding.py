"""Rows of data/train.jsonl -> tokens and what of them carries loss. Everything is checked before
training starts.

{"id", "text"}: every token but the first, and the end. {"id", "messages"} and {"id", "prompt",
"completion"}, either with "tools": the model's own chat template (chats.py); loss is on what the
assistant says and on the token that ends its turn. Where the model has no chat template, prompt and
completion are one text as they are; if neither brings white space, a line feed stands between them,
or a space where the prompt ends without a mark.

A text that is too long may be split (splitting.py).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from augmlx.core.settings import TrainSettings
from augmlx.data import training_sets
from augmlx.english.text import ENDED
from augmlx.training.batches import Row, checked_row, text_row
from augmlx.training.chats import Chat, refused
from augmlx.training.splitting import split_row
from augmlx.training.token_spans import Span, with_spans


@dataclass(frozen=True, slots=True)
class _Dialogue:
    """A text, of which what stands in the spans is learnt, and the end of each.

    Args:
        tail: what the chat template writes behind the last answer; None: there is no template, and
            the tokenizer puts its own special tokens around the text.
        closing: nothing is said behind the last span.
    """

    text: str
    spans: Sequence[Span]
    tail: str | None
    closing: bool


def rows_of(example: Mapping[str, Any], tokenizer: Any, settings: TrainSettings) -> list[Row]:
    """A training row as tokens: one row; the pieces "id#1", "id#2", ... of a text that is split; or
    one row for each wording of a chat that an epoch will meet.

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
    row_id = str(example["id"])
    wordings = example.get("wordings", [])
    if "text" in example:
        if not isinstance(example["text"], str):
            raise refused(row_id, "its text is none", "correct or delete the row")
        return _worded(row_id, [example["text"], *wordings], tokenizer, settings)
    own = [example, *({**example, "messages": messages} for messages in wordings)]
    own = own[: settings.epochs]  # an epoch meets one of them
    dialogues = [_dialogue(row_id, wording, tokenizer, settings) for wording in own]
    rows = [_dialogue_row(row_id, one, tokenizer, settings.max_length) for one in dialogues]
    return [replace(row, wording_of=row_id) for row in rows] if wordings else rows


def _worded(
    row_id: str, texts: Sequence[str], tokenizer: Any, settings: TrainSettings
) -> list[Row]:
    """A text and those of its wordings that an epoch will meet, as far as each is one row."""
    text, *others = texts[: settings.epochs]
    rows = _text_rows(row_id, text, tokenizer, settings)
    if len(rows) > 1 or not others:
        return rows
    eos = tokenizer.eos_token_id
    more = [text_row(row_id, tokenizer.encode(one), eos, sys.maxsize) for one in others]
    fitting = [row for row in more if len(row.tokens) <= settings.max_length]
    return [replace(row, wording_of=row_id) for row in (*rows, *fitting)]


def _text_rows(row_id: str, text: str, tokenizer: Any, settings: TrainSettings) -> list[Row]:
    """A text as one row, or where it is too long and may be split, as several."""
    longest = settings.max_length if settings.too_long == "refuse" else sys.maxsize
    whole = text_row(row_id, tokenizer.encode(text), tokenizer.eos_token_id, longest)
    if len(whole.tokens) <= settings.max_length:
        return [whole]
    return split_row(whole, text, tokenizer, settings.max_length)


def _dialogue(
    row_id: str, example: Mapping[str, Any], tokenizer: Any, settings: TrainSettings
) -> _Dialogue:
    """A row of messages, or of prompt and completion. Raises BadInput."""
    messages = _messages(row_id, example)
    fault = training_sets.fault(messages)
    if fault:
        raise refused(row_id, fault, "correct or delete the row")
    if tokenizer.has_chat_template:
        chat = Chat(row_id, messages, example.get("tools"), tokenizer)
        return _Dialogue(chat.text, chat.spans(settings.turns), chat.tail, chat.closing)
    if "messages" in example or example.get("tools"):
        hint = (
            "use a model with a chat template (an instruct model), or rows of prompt and completion"
        )
        raise refused(row_id, "a chat, and the model has no chat template", hint)
    return _plain_dialogue(example["prompt"], example["completion"])


def _messages(row_id: str, example: Mapping[str, Any]) -> Any:
    """The messages of a row, as they stand there or made of its prompt and completion."""
    if "messages" in example:
        return example["messages"]
    if "prompt" in example and "completion" in example:
        return [
            {"role": "user", "content": example["prompt"]},
            {"role": "assistant", "content": example["completion"]},
        ]
    fault = "neither text, nor prompt and completion, nor messages"
    raise refused(row_id, fault, "delete the row")


def _plain_dialogue(prompt: str, completion: str) -> _Dialogue:
    """Prompt and completion as one text, for a model without a chat template."""
    between = ""
    if not prompt[-1:].isspace() and not completion[:1].isspace():
        between = "\n" if ENDED.search(prompt) else " "
    opening = prompt + between
    text = opening + completion
    return _Dialogue(text, [(len(opening), len(text))], tail=None, closing=True)


def _dialogue_row(row_id: str, dialogue: _Dialogue, tokenizer: Any, max_length: int) -> Row:
    """Loss on each token that holds a character of a span, and on what ends the turn behind it."""
    tokens, places = with_spans(dialogue.text, tokenizer, special=dialogue.tail is None)
    pieces = [dialogue.text[first:last] for first, last in places]
    learnt = [_overlaps(place, dialogue.spans) for place in places]
    stops = _stops(dialogue, tokenizer)
    for _, end in dialogue.spans:
        behind = _first_behind(end, places)
        stop = _stop(tokens[behind : len(pieces)], pieces[behind:], stops)
        if stop is not None:
            learnt[behind : behind + stop + 1] = [True] * (stop + 1)
        elif _closes(end, dialogue) and tokenizer.eos_token_id is not None:
            # The template marks the end with words or not at all; without this token no model would
            # stop there.
            tokens.append(tokenizer.eos_token_id)
            learnt[behind:] = [True] * (len(tokens) - behind)
    return checked_row(row_id, tokens, learnt, max_length)


def _closes(end: int, dialogue: _Dialogue) -> bool:
    """Whether a span's end is that of the dialogue as well."""
    _, last_end = dialogue.spans[-1]
    return dialogue.closing and end == last_end


def _first_behind(end: int, places: Sequence[Span]) -> int:
    """The number of the first token that begins at a character or behind it."""
    for number, (first, _) in enumerate(places):
        if first >= end:
            return number
    return len(places)


def _stop(tokens: Sequence[int], pieces: Sequence[str], stops: set[int]) -> int | None:
    """The number of the first token that ends a turn, if nothing but white space stands before it.

    Args:
        pieces: the text that each of the tokens stands for.
    """
    for number, (token, piece) in enumerate(zip(tokens, pieces, strict=True)):
        if token in stops:
            return number
        if piece.strip():
            return None
    return None


def _overlaps(place: Span, spans: Sequence[Span]) -> bool:
    """Whether a token holds a character of one of the spans."""
    first, last = place
    return any(first < end and last > start for start, end in spans)


def _stops(dialogue: _Dialogue, tokenizer: Any) -> set[int]:
    """The tokens that end a turn."""
    tail_tokens = tokenizer.encode(dialogue.tail or "", add_special_tokens=False)
    return (set(tail_tokens) & set(tokenizer.all_special_ids)) | set(tokenizer.eos_token_ids)
