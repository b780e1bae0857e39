"""Prompts and answers as English: which prompt breaks off, which answer stands by itself, and what
a model says when it talks about its task.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from augmlx.english.lexicon import AUXILIARIES, DETERMINERS, PREPOSITIONS, rows, word_set
from augmlx.english.text import end_mark, first_sentence, lower_words, split_sentences, word_texts
from augmlx.english.verbs import looks_like_a_verb

_GLUED = tuple(",.;:!?…)]%’'”")  # a completion that begins like this goes on without a space
_LEFT_OPEN = (",", "–", "—", "(")  # what a prompt ends with that stops within a sentence
_STATING = (".", "!", "…", "。", "！")
_COMMANDS, _JOINING, _LEANING = map(word_set, ("commands", "joining", "leaning"))
_LEADING_ON = AUXILIARIES | DETERMINERS | PREPOSITIONS | _JOINING
_BEFORE_NOUNS = DETERMINERS | PREPOSITIONS | {"and", "or"}
_QUESTION = AUXILIARIES | word_set("question_words")
_ASKED = "Question: "
_CHATTER = re.compile(rf"({'|'.join(rows('chatter'))})\b", re.IGNORECASE)


def opens_with_chatter(text: str, source: str) -> bool:
    """Whether a text begins to talk about its task ("Sure, here is ..."), in words that its source
    does not hold.
    """
    found = _CHATTER.match(text)
    if found is None:
        return False
    return found.group().casefold() not in source.casefold()


def question_in_text(question: str) -> str:
    """A question as it stands in a text, with its answer to come."""
    return f"{_ASKED}{question}\nAnswer:"


def begins_with_question(text: str) -> bool:
    """Whether a text begins with a question as it stands in one."""
    return text.startswith(_ASKED)


def goes_on(prompt: str, answer: str) -> bool:
    """Whether an answer ends the sentence that its prompt has begun."""
    if answer.startswith(_GLUED) or prompt.endswith(_LEFT_OPEN):
        return True
    begun = lower_words(_unended(prompt))
    if not begun:
        return False
    if begun[0] in _QUESTION:
        # "Did you know that Ada was once" "the head of the lab?"
        return answer[:1].islower() and answer.endswith("?")
    return begun[-1] in _LEADING_ON or _is_predicate(begun[0], answer)


def joined(prompt: str, answer: str) -> str:
    """A prompt and its answer in one line.

    A question or a command without its mark gets it, unless the answer goes on with it; between
    scripts that are written without spaces, and before closing punctuation, there is no space.
    """
    begun = lower_words(_unended(prompt))
    opening = begun[0] if begun else ""
    if opening in _QUESTION and not goes_on(prompt, answer):
        prompt += "?"
    elif opening in _COMMANDS:
        prompt += ":"
    is_wide = all(unicodedata.east_asian_width(char) in "WF" for char in (prompt[-1], answer[0]))
    if is_wide or answer.startswith(_GLUED):
        return f"{prompt}{answer}"
    return f"{prompt} {answer}"


def is_statement(text: str) -> bool:
    """Whether a text opens with a sentence that says something by itself, as far as English words
    tell.

    Where in doubt it does not: a question too many in front of a statement takes nothing away from
    it.
    """
    sentence = first_sentence(text)
    if end_mark(sentence) not in _STATING:
        return False
    spoken = word_texts(sentence)
    if len(spoken) < 3 or spoken[0].casefold() in _LEANING:
        return False
    return _has_main_verb(spoken)


def _has_main_verb(spoken: list[str]) -> bool:
    open_clauses = 0  # relative ones, whose own verb is still to come
    for place, word in enumerate(spoken[1:], start=1):
        kind = _kind(word)
        if not kind:
            continue
        if kind == "relative":
            open_clauses += 1
        elif kind == "auxiliary" or _stands_as_a_verb(spoken, place):
            if not open_clauses:
                return True
            open_clauses -= 1
    return False


@lru_cache(maxsize=4096)
def _kind(word: str) -> Literal["relative", "auxiliary", "verb", ""]:
    """What a word may be to the clauses of a sentence, by its form; mostly nothing."""
    if word in word_set("relative_pronouns"):
        return "relative"
    if word in AUXILIARIES:
        return "auxiliary"
    return "verb" if word.islower() and looks_like_a_verb(word) else ""


def _stands_as_a_verb(spoken: Sequence[str], place: int) -> bool:
    """By its neighbours: not "designed by" without an auxiliary, nor "of lamps", "the lamps"."""
    if spoken[place + 1 : place + 2] == ["by"]:
        return False
    return spoken[place - 1].casefold() not in _BEFORE_NOUNS


def _is_predicate(opening: str, answer: str) -> bool:
    """Whether an answer begins with the verb of what its prompt, which opens so, names: "The mill"
    "was built in 1950 and stands there."
    """
    if opening in _COMMANDS:
        return False
    first = answer.split()[0]
    return first.islower() and (first in AUXILIARIES or looks_like_a_verb(first))


def _unended(prompt: str) -> str:
    """The last sentence of a prompt that has no mark at its end, or nothing."""
    return "" if end_mark(prompt) else split_sentences(prompt)[-1].text
