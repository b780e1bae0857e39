"""A row of the user's training set, in whatever form -> the row that is trained on: a text, a
prompt and its completion, or messages, as mlx-lm and transformers read them.

Nothing is changed on the way: every text goes along byte for byte. What cannot is refused with the
place of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from augmlx.core.records import Json
from augmlx.data import forms, training_sets
from augmlx.data.cells import clean, required, text_of
from augmlx.data.forms import RowForm
from augmlx.data.json_values import json_kind
from augmlx.data.row import Row, bad_input

# Who speaks in ShareGPT's rows, by the names that its files use.
_SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
}
_MESSAGES_HINT = 'write [{"role": "user", "content": "..."}, {"role": "assistant", ...}]'


def training_row(row: Row, form: RowForm) -> Json | None:
    """What of a row is trained on as it is; None where it holds a plain fact.

    Raises:
        BadInput: with the place of the row, where something of it cannot be kept.
    """
    if form is forms.FACT:
        return None
    if form is forms.TEXT:
        return _text_row(row)
    if form is forms.ALPACA or form is forms.DOLLY:
        return _instruction_row(row)
    if form is forms.CHAT:
        return _chat_row(row, _listed(row, "messages"))
    if form is forms.SHAREGPT:
        return _chat_row(row, _listed(row, "conversations"))
    return _completion_row(row)


def _text_row(row: Row) -> Json | None:
    """A text with its lines and its white space; None where it is one plain line."""
    line = required(row, "fact")
    text = row.value("fact")
    return None if text == line else {"text": text}


def _completion_row(row: Row) -> Json:
    prompt, completion = row.value("prompt"), row.value("completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        return _chat_row(row, [*_unlearnt(prompt), *completion])
    for name in ("prompt", "completion"):
        required(row, name, lines=True)
    return _asked(row, prompt, completion)


def _unlearnt(prompt: Sequence[Any]) -> list[Any]:
    """The messages of a prompt (TRL's), of which nothing is learnt."""
    return [
        {**message, "weight": 0}
        if isinstance(message, dict) and message.get("role") == "assistant"
        else message
        for message in prompt
    ]


def _instruction_row(row: Row) -> Json:
    """Alpaca's: what is given stands on the line behind the instruction."""
    required(row, "instruction", lines=True)
    required(row, "output", lines=True)
    prompt = row.value("instruction")
    if text_of(row, "input", lines=True):
        prompt = f"{prompt}\n{row.value('input')}"
    return _asked(row, prompt, row.value("output"))


def _asked(row: Row, prompt: str, completion: str) -> Json:
    """A prompt with its completion; as messages, where something stands before it."""
    before = [*_system(row), *_history(row)]
    if not before:
        return _with_tools(row, {"prompt": prompt, "completion": completion})
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
    return _chat_row(row, [*before, *turns], has_system=True)


def _system(row: Row) -> list[Json]:
    """The row's own system message, if it has a column for it that is not empty."""
    if not text_of(row, "system", lines=True):
        return []
    return [{"role": "system", "content": row.value("system")}]


def _history(row: Row) -> list[Json]:
    """Earlier turns (LLaMA-Factory's), each a question and its answer; they are learnt, too."""
    history = row.value("history")
    if not history:
        return []
    if not isinstance(history, list) or not all(map(_is_turn, history)):
        fault = "'history' is not a list of pairs of texts"
        raise bad_input(row.place, fault, 'write it as [["question", "answer"], ...]')
    roles = ("user", "assistant")
    return [
        {"role": role, "content": text}
        for turn in history
        for role, text in zip(roles, turn, strict=True)
    ]


def _is_turn(turn: object) -> bool:
    return isinstance(turn, list) and len(turn) == 2 and all(isinstance(one, str) for one in turn)


def _listed(row: Row, field: str) -> list[Any]:
    value = row.value(field)
    if not isinstance(value, list):
        fault = f"'{field}' is {json_kind(value)}, not a list"
        raise bad_input(row.place, fault, _MESSAGES_HINT)
    return value


def _chat_row(row: Row, messages: Sequence[Any], *, has_system: bool = False) -> Json:
    """A chat, with the system's message that stands in a column of its own."""
    turns = [_message(message) for message in messages]
    own = [] if has_system else _system(row)
    if own and turns and isinstance(turns[0], dict) and turns[0].get("role") == "system":
        fault = "a column 'system', and a message of the system"
        raise bad_input(row.place, fault, "leave one of the two")
    turns = [*own, *turns]
    why = training_sets.fault(turns)
    if why is not None:
        raise bad_input(row.place, why, _MESSAGES_HINT)
    for number, message in enumerate(turns, start=1):
        clean(row.place, f"message {number}", message.get("content") or "", lines=True)
    return _with_tools(row, {"messages": turns})


def _message(message: Any) -> Any:
    """A message with role and content, its text in one piece."""
    if not isinstance(message, dict):
        return message
    if "role" in message and isinstance(message.get("content"), str):
        return message  # mostly
    if "from" in message and "value" in message and "role" not in message:
        others = {name: said for name, said in message.items() if name not in ("from", "value")}
        speaker = message["from"]
        role = _SPEAKERS.get(speaker, speaker) if isinstance(speaker, str) else speaker
        message = {"role": role, "content": message["value"], **others}
    content = message.get("content")
    if isinstance(content, list) and content and all(map(_is_text_part, content)):
        # As a template that goes through the parts writes them: one behind the other.
        return {**message, "content": "".join(part["text"] for part in content)}
    return message


def _is_text_part(part: object) -> bool:
    is_text = isinstance(part, dict) and part.get("type") == "text"
    return is_text and isinstance(part.get("text"), str)  # type: ignore[attr-defined]


def _with_tools(row: Row, made: Json) -> Json:
    tools: Any = row.value("tools")
    if tools in (None, ""):
        return made
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        fault = "'tools' is not a list of objects"
        raise bad_input(row.place, fault, "write it as a list, or take it out")
    return {**made, "tools": tools} if tools else made
