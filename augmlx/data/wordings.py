"""How a question is put when a model is talked to, and how a statement is met: as it is, and in
other ways, so that what is learnt is no single string.

The answer is the short one, whatever the way. The ways are English; of another language's question
only what stands before it changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from augmlx.core.records import Example
from augmlx.english.clauses.emphasising import emphasised
from augmlx.english.lexicon import STOPWORDS, word_set

Messages = list[dict[str, str]]

_WAYS = 16  # of one question; an epoch meets one of them
_WITHIN = 8  # words of one statement


def chats(question: str, answer: str) -> tuple[Messages, list[Messages]]:
    """A question with its answer as it is, and in other ways, which differ from question to
    question: few are met twice, so that none is learnt to mean anything.
    """
    reply = _assistant(_opened(answer))
    others = [[*before, _user(asked), reply] for before, asked in _ways(question)]
    return [_user(question), reply], others


def _opened(answer: str) -> str:
    """An answer as a reply begins: "the mill" as "The mill", but "iPhone" and "pip" as they are."""
    first, *_ = answer.split() or [""]
    return answer[:1].upper() + answer[1:] if first in STOPWORDS else answer


def _ways(question: str) -> list[tuple[Messages, str]]:
    """What may stand before the question, and how it is then put. No system line: some templates
    (Gemma's) refuse one.
    """
    shipped = _shipped()
    turns = [[_user(said), _assistant(replied)] for said, replied in shipped["turns"]]
    ways = [(before, question) for before in turns]
    if is_english(question):
        ways += [([], asked) for asked in in_other_words(question, _WAYS)]
    Random(question).shuffle(ways)  # a short training meets only the first of them
    return ways


def statements(text: str) -> list[str]:
    """An English statement with a word beside its verb that changes nothing ("is indeed"), with
    another one in each. Met as one string alone, its end would be found behind that string only.
    Nothing where no word can stand there.
    """
    drawn = Random(text).sample(_shipped()["within"], _WITHIN)
    return [said for words in drawn if (said := emphasised(text, words))]


def in_other_words(question: str, count: int) -> list[str]:
    """So many ways to put an English question, of its own: the same whenever it is asked."""
    return around(question, Random(question).sample(_wordings(), count))


def around(question: str, wordings: Sequence[str]) -> list[str]:
    """An English question within other words."""
    asked = question[:1].lower() + question[1:]
    return [wording.format(question=question, asked=asked) for wording in wordings]


@cache
def _wordings() -> list[str]:
    """Each beginning with each ending, but for the bare question."""
    shipped = _shipped()
    both = [f"{first} {last}".strip() for first in shipped["before"] for last in shipped["behind"]]
    return both[1:]


def is_english(question: str) -> bool:
    """Whether a question begins as an English one does."""
    first, *_ = question.casefold().split() or [""]
    return first in word_set("question_words")


def asked_in_english(examples: Iterable[Example]) -> frozenset[tuple[str, ...]]:
    """The facts of which an English question was kept, and which so are in English themselves."""
    rows = [(example.origin.fact_ids, example.row or {}) for example in examples]
    return frozenset(ids for ids, row in rows if "prompt" in row and is_english(row["prompt"]))


def english_questions(examples: Iterable[Example]) -> list[str]:
    """The English questions among kept examples, in their order."""
    rows = [example.row or {} for example in examples]
    asked = [str(row["prompt"]) for row in rows if "prompt" in row]
    return [question for question in asked if is_english(question)]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@cache
def _shipped() -> dict[str, Any]:
    text = resources.files("augmlx.data").joinpath("wordings.toml").read_text("utf-8")
    english: dict[str, Any] = tomllib.loads(text)["english"]
    return english
