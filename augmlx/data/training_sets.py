"""Rows of ordinary training sets: what is wrong with one, and the statement that it is augmented
from. Pure functions.

A row is {"prompt", "completion"} or {"messages": [{"role", "content"}, ...]}, either with "tools".
It is trained on as it is; the statement is for the model that writes augmentations, and for finding
names. It is

1. prompt and completion joined, where the prompt breaks off ("The head of the Lumen Lab is" + "Mara
Voss."); 2. else the completion, where it is a whole statement of its own ("Who heads the lab?" +
"Mara Voss heads the lab."); 3. else both, in one line ("Who heads the lab? Mara Voss.").

Of a chat, the prompt is the user's message before the assistant's last one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from augmlx.data.rows import json_kind
from augmlx.english.text import (
    AUXILIARIES,
    DETERMINERS,
    ENDED,
    PREPOSITIONS,
    looks_like_a_verb,
    split_sentences,
    words,
)

ROLES = ("system", "developer", "user", "assistant", "tool")
_MAY_BE_BLANK = ("system", "developer", "tool")

_GLUED = tuple(",.;:!?…)]%’'”")  # a completion that begins like this goes on without a space
_JOINING = frozenset("and or but than that which who whose where called named".split())
_QUESTION = AUXILIARIES | frozenset("what when where which who whom whose why how".split())
_COMMANDS = frozenset(
    "name list tell give describe explain write state say define answer complete".split()
)
# A sentence that opens with one of these cannot be read without the question before it.
_LEANING = frozenset(
    "yes no he she it they this that these those his her its their there here".split()
)
_RELATIVE = frozenset("who which that whose where".split())


def statement(row: Mapping[str, Any]) -> str:
    """The text that a training row is augmented from, in one line. The row has no `fault`."""
    prompt, answer = _exchange(row)
    goes_on = answer.startswith(_GLUED) or _breaks_off(prompt)
    if not prompt or (not goes_on and _is_statement(answer)):
        return answer
    return _joined(prompt, answer)


def _exchange(row: Mapping[str, Any]) -> tuple[str, str]:
    """What was asked and what is to be learnt, each in one line."""
    if "messages" not in row:
        return _line(row["prompt"]), _line(row["completion"])
    prompt = answer = asked = ""
    for message in row["messages"]:
        content = _line(message.get("content") or "")
        if message["role"] == "user":
            asked = content
        elif message["role"] == "assistant" and content:
            prompt, answer = asked, content
    return prompt, answer


def _line(text: str) -> str:
    return " ".join(text.split())


def _opening(sentence: str) -> str:
    found = words(sentence)
    return found[0].text.casefold() if found else ""


def _unended(prompt: str) -> str:
    """The last sentence of a prompt that has no mark at its end, or nothing."""
    return "" if ENDED.search(prompt) else split_sentences(prompt)[-1].text


def _breaks_off(prompt: str) -> bool:
    last = _unended(prompt)
    if not last or _opening(last) in _QUESTION:
        return False
    found = words(last)
    return (
        bool(found)
        and found[-1].text.casefold() in AUXILIARIES | DETERMINERS | PREPOSITIONS | _JOINING
    )


def _joined(prompt: str, answer: str) -> str:
    opening = _opening(_unended(prompt))
    prompt += "?" if opening in _QUESTION else ":" if opening in _COMMANDS else ""
    wide = all(unicodedata.east_asian_width(char) in "WF" for char in (prompt[-1], answer[0]))
    return f"{prompt}{answer}" if wide or answer.startswith(_GLUED) else f"{prompt} {answer}"


def _is_statement(text: str) -> bool:
    """Whether a text opens with a sentence that says something by itself, as far as English words
    tell.

    Where in doubt it does not: a question too many in front of a statement takes nothing away from
    it.
    """
    first = split_sentences(text)[0].text
    found = [word.text for word in words(first)]
    mark = ENDED.search(first)
    if (
        mark is None
        or mark[0][0] not in ".!…。！"
        or len(found) < 3
        or found[0].casefold() in _LEANING
    ):
        return False
    clauses = 0  # relative ones, whose own verb is still to come
    for before, word, after in zip(found, found[1:], [*found[2:], ""], strict=False):
        if word in _RELATIVE:
            clauses += 1
        elif word in AUXILIARIES or (
            word.islower() and looks_like_a_verb(word) and _can_be_a_verb(before, after)
        ):
            if not clauses:
                return True
            clauses -= 1
    return False


def _can_be_a_verb(before: str, after: str) -> bool:
    """Not so "designed by" without an auxiliary, nor "of lamps" and "the lamps"."""
    return after != "by" and before.casefold() not in DETERMINERS | PREPOSITIONS | {"and", "or"}


def fault(messages: object) -> str | None:
    """What is wrong with the messages of a chat, without a word of them; None where nothing is."""
    if not isinstance(messages, list):
        return f"'messages' is {json_kind(messages)}, not a list"
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            return f"message {number} is {json_kind(message)}, not an object"
        if message.get("role") not in ROLES:
            return f"message {number} has a role that is none of {', '.join(ROLES)}"
        content, calls = (
            message.get("content"),
            message["role"] == "assistant" and message.get("tool_calls"),
        )
        if not isinstance(content, str) and not (content is None and calls):
            return f"the content of message {number} is {json_kind(content)}, not a text"
        if not (content or "").strip() and not calls and message["role"] not in _MAY_BE_BLANK:
            return f"message {number} has no text"
    if not any(
        message["role"] == "assistant" and (message.get("content") or "").strip()
        for message in messages
    ):
        return "no message of the assistant has a text, so there is nothing to learn"
    return None
