"""Rows that are trained on as they are: what is wrong with one, and the statement that it is
augmented from. Pure functions.

A row is {"text"}, {"prompt", "completion"} or {"messages": [{"role", "content"}, ...]}, perhaps
with "tools". The statement is for the model that writes augmentations, and for finding
names. Of a text it is the text; else it is

1. prompt and completion joined, where the prompt breaks off ("The head of the Lumen Lab is" + "Mara
Voss."; "Known as its founder," + "Ada Brandt rests."); 2. else the completion, where it is a whole
statement of its own ("Who heads the lab?" + "Mara Voss heads the lab."); 3. else both, in one line
("Who heads the lab? Mara Voss.").

Of a chat, the prompt is the user's message before the assistant's last one that is learnt. What the
assistant thinks (<think> ... </think>) is no part of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from augmlx.data.json_values import json_kind
from augmlx.english.prompts import goes_on, is_statement, joined

ROLES = ("system", "developer", "user", "assistant", "tool")
_MAY_BE_BLANK = ("system", "developer", "tool")
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
# What other programs mark a message with that is not to be learnt.
_OTHER_MARKS = ("loss", "train", "training", "trainable", "masked", "training_detail")


def statement(row: Mapping[str, Any]) -> str:
    """The text that a training row is augmented from, in one line.

    Args:
        row: a row of a text, of prompt and completion, or of messages that have no `fault`.
    """
    if "text" in row:
        return _line(row["text"])
    prompt, answer = _exchange(row)
    if not prompt:
        return answer
    if not goes_on(prompt, answer) and is_statement(answer):
        return answer
    return joined(prompt, answer)


def _exchange(row: Mapping[str, Any]) -> tuple[str, str]:
    """What was asked and what is to be learnt, each in one line."""
    if "messages" not in row:
        return _line(row["prompt"]), _said(row["completion"])
    prompt = answer = last_question = ""
    for message in row["messages"]:
        if message["role"] == "user":
            last_question = message.get("content") or ""
        elif teaches(message):
            prompt, answer = last_question, message["content"]
    return _line(prompt), _said(answer)


def _said(answer: str) -> str:
    """An answer in one line, without what was thought before it, where something is left."""
    if "<think>" not in answer:
        return _line(answer)
    return _line(_THOUGHT.sub("", answer, count=1)) or _line(answer)


def _line(text: str) -> str:
    return " ".join(text.split())


def fault(messages: object) -> str | None:
    """What is wrong with the messages of a chat, without a word of them; None where nothing is."""
    if not isinstance(messages, list):
        return f"'messages' is {json_kind(messages)}, not a list"
    for number, message in enumerate(messages, start=1):
        if why := _fault_of_one(number, message):
            return why
    if any(map(teaches, messages)):
        return None
    if any(teaches({**message, "weight": 1}) for message in messages):
        return "every message of the assistant has the weight 0, so there is nothing to learn"
    return "no message of the assistant has a text, so there is nothing to learn"


def _fault_of_one(number: int, message: object) -> str | None:
    """What is wrong with one message; `number` is its place, from 1."""
    if not isinstance(message, dict):
        return f"message {number} is {json_kind(message)}, not an object"
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        return f"message {number} has a role that is none of {', '.join(ROLES)}"
    calls = role == "assistant" and message.get("tool_calls")
    is_left_to_calls = content is None and calls
    if not isinstance(content, str) and not is_left_to_calls:
        return f"the content of message {number} is {json_kind(content)}, not a text"
    is_blank = not (content or "").strip()
    if is_blank and not calls and role not in _MAY_BE_BLANK:
        return f"message {number} has no text"
    # Mostly a message holds nothing besides.
    return _fault_of_weight(number, message) if len(message) > 2 else None


def _fault_of_weight(number: int, message: Mapping[str, Any]) -> str | None:
    weight = message.get("weight", 1)
    if weight not in (0, 1, None):
        return f"the weight of message {number} is neither 0 nor 1"
    mark = next((name for name in _OTHER_MARKS if message.get(name) is not None), None)
    if mark is None:
        return None
    return f'message {number} is marked by "{mark}", which is not read; mark it by "weight": 0 or 1'


def teaches(message: Mapping[str, Any]) -> bool:
    """Whether the assistant says something in a message that is to be learnt."""
    if message["role"] != "assistant" or message.get("weight") == 0:
        return False
    return bool((message.get("content") or "").strip())
