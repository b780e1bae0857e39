"""Prompts and answers as English: which prompt breaks off, which answer stands by itself, and what
a model says when it talks about its task.
"""

from __future__ import annotations

import re
import unicodedata

from augmlx.english.lexicon import AUXILIARIES, DETERMINERS, PREPOSITIONS, rows, word_set
from augmlx.english.text import ENDED, lower_words, split_sentences, words
from augmlx.english.verbs import looks_like_a_verb

_GLUED = tuple(",.;:!?…)]%’'”")  # a completion that begins like this goes on without a space
_LEFT_OPEN = (",", "–", "—", "(")  # what a prompt ends with that stops within a sentence
_STATING = ".!…。！"
_QUESTION = AUXILIARIES | word_set("question_words")
_CHATTER = re.compile(rf"({'|'.join(rows('chatter'))})\b", re.IGNORECASE)


def opens_with_chatter(text: str, source: str) -> bool:
    """Whether a text begins to talk about its task ("Sure, here is ..."), in words that its source
    does not hold.
    """
    found = _CHATTER.match(text)
    if found is None:
        return False
    return found.group().casefold() not in source.casefold()


def goes_on(prompt: str, answer: str) -> bool:
    """Whether an answer ends the sentence that its prompt has begun."""
    if answer.startswith(_GLUED) or _breaks_off(prompt):
        return True
    return _ends_question(prompt, answer) or _is_predicate(prompt, answer)


def joined(prompt: str, answer: str) -> str:
    """A prompt and its answer in one line.

    A question or a command without its mark gets it, unless the answer goes on with it; between
    scripts that are written without spaces, and before closing punctuation, there is no space.
    """
    opening = _opening(_unended(prompt))
    if opening in _QUESTION and not goes_on(prompt, answer):
        prompt += "?"
    elif opening in word_set("commands"):
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
    sentence = split_sentences(text)[0].text
    mark = ENDED.search(sentence)
    if mark is None or mark[0][0] not in _STATING:
        return False
    spoken = [word.text for word in words(sentence)]
    if len(spoken) < 3 or spoken[0].casefold() in word_set("leaning"):
        return False
    return _has_main_verb(spoken)


def _has_main_verb(spoken: list[str]) -> bool:
    open_clauses = 0  # relative ones, whose own verb is still to come
    for before, word, after in zip(spoken, spoken[1:], [*spoken[2:], ""], strict=False):
        if word in word_set("relative_pronouns"):
            open_clauses += 1
        elif _is_verb(before, word, after):
            if not open_clauses:
                return True
            open_clauses -= 1
    return False


def _is_verb(before: str, word: str, after: str) -> bool:
    """By its form; but not "designed by" without an auxiliary, nor "of lamps" and "the lamps"."""
    if word in AUXILIARIES:
        return True
    if not word.islower() or not looks_like_a_verb(word) or after == "by":
        return False
    return before.casefold() not in DETERMINERS | PREPOSITIONS | {"and", "or"}


def _breaks_off(prompt: str) -> bool:
    if prompt.endswith(_LEFT_OPEN):
        return True
    lower = lower_words(_unended(prompt))
    if not lower or lower[0] in _QUESTION:
        return False
    leading_on = AUXILIARIES | DETERMINERS | PREPOSITIONS | word_set("joining")
    return lower[-1] in leading_on


def _ends_question(prompt: str, answer: str) -> bool:
    """Whether an answer goes on with a question and ends it: "Did you know that Ada was once" "the
    head of the lab?".
    """
    is_begun = _opening(_unended(prompt)) in _QUESTION
    return is_begun and answer[:1].islower() and answer.endswith("?")


def _is_predicate(prompt: str, answer: str) -> bool:
    """Whether an answer begins with the verb of what its prompt names: "The mill" "was built in
    1950 and stands there."
    """
    opening = _opening(_unended(prompt))
    if not opening or opening in _QUESTION | word_set("commands"):
        return False
    first = answer.split()[0]
    return first.islower() and (first in AUXILIARIES or looks_like_a_verb(first))


def _unended(prompt: str) -> str:
    """The last sentence of a prompt that has no mark at its end, or nothing."""
    if ENDED.search(prompt):
        return ""
    return split_sentences(prompt)[-1].text


def _opening(sentence: str) -> str:
    lower = lower_words(sentence)
    return lower[0] if lower else ""
