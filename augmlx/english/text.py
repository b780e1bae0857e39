"""A text as words and sentences, by its letters and its punctuation, in any script."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from augmlx.english.lexicon import word_set

# Python's \w leaves out combining marks, without which a word of Hindi, Thai or pointed Hebrew
# falls to pieces.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0e4e\u0eb1-\u0ecd\u0f18-\u0f84\u102b-\u103e\u17b4-\u17d3\u200d"
)
_WORD = re.compile(rf"[^\W_][\w{_MARKS}]*(?:[-.&/][\w{_MARKS}]+)*")
_PIECE = re.compile(rf"[\w{_MARKS}]+")
WITHIN_WORD = re.compile(rf"[\w{_MARKS}]")
_CUT_NOT = re.compile(r"(?<=\w)n['’]t\b")

# Every filter takes the same few texts of one fact apart; they are together in time.
CACHED_TEXTS = 2048
# Characters of a word; to look at all that stands before each break would be quadratic.
_LONGEST_WORD = 100

_CLOSING, _ENDS = "'\"”’»」』)]", ".!?…:;。！？：；؟"
# How a sentence ends, or a title before a list.
ENDED = re.compile(rf"[{_ENDS}][{re.escape(_CLOSING)}]*$")
# How a sentence ends that is finished. Unlike ENDED it knows the danda, and no colon.
FINISHED = re.compile(r"[.!?。！？।؟]['\"”’)\]」』]*$")
# A stop within quotation marks ends none where the sentence goes on: 'The painter of "Dusk." is'.
_BREAK = re.compile(
    r"[.!?](?:\s+(?=\S)|['\"”’)\]]+\s+(?=[^\sa-z]))|[。！？](?=\s*[^\s。！？'\"”’」』)\]])|\n\s*(?=\S)"
)
_STOP = re.compile(r"[.!?。！？\n]")  # what every break begins with
QUESTION_MARKS = ("?", "？", "؟")


@dataclass(frozen=True, slots=True)
class Mention:
    """A word run of a text: text[start:end]."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=CACHED_TEXTS)
def normalise(text: str) -> str:
    """A text for comparing: its words in order, case-folded, in NFKC, with single spaces."""
    compatible = unicodedata.normalize("NFKC", text)
    return " ".join(_PIECE.findall(compatible.casefold()))


@lru_cache(maxsize=CACHED_TEXTS)
def words(text: str) -> tuple[Mention, ...]:
    """The words of a text, in order, without its punctuation."""
    return tuple(
        Mention(found.group(), found.start(), found.end()) for found in _WORD.finditer(text)
    )


def word_texts(text: str) -> list[str]:
    """The words of a text, in order, as plain strings."""
    found: list[str] = []
    for piece in text.split():
        if piece.isalnum():  # mostly
            found.append(piece)
        else:
            found += _WORD.findall(piece)
    return found


def lower_words(text: str) -> list[str]:
    """The words of a text, in order, as plain strings without capitals.

    Punctuation is left out.
    """
    return [word.casefold() for word in word_texts(text)]


def spelt_out(text: str) -> str:
    """A text with "not" in full: "isn't" -> "is not".

    So both count as one negation of one verb.
    """
    return _CUT_NOT.sub(" not", text)


def end_mark(text: str) -> str:
    """The mark that a text ENDED with, before what closes behind it; nothing where it did not."""
    last = text.rstrip(_CLOSING)[-1:]
    return last if last in _ENDS else ""


def split_sentences(text: str) -> list[Mention]:
    """The sentences of a text, as far as its punctuation tells; a text without any is one.

    The period of a title or an initial ("Dr. Ana Ruiz", "J. R. Hartley", "Zorb Inc. has ...") ends
    none.
    """
    starts = [0]
    for mark in _BREAK.finditer(text):
        before = text[max(0, mark.start() - _LONGEST_WORD) : mark.start() + 1]
        if not ends_in_abbreviation(before):
            starts.append(mark.end())
    sentences = []
    for start, end in pairwise([*starts, len(text)]):
        sentence = text[start:end].strip()
        place = text.index(sentence, start)
        sentences.append(Mention(sentence, place, place + len(sentence)))
    return sentences


def first_sentence(text: str) -> str:
    """The first of the sentences of a text."""
    stop = _STOP.search(text)
    if stop is None or stop.end() == len(text):  # mostly it is the only one
        return text.strip()
    return split_sentences(text)[0].text


def sentence_count(text: str) -> int:
    """How many sentences a text has; one without punctuation, or an empty one, has one."""
    return len(split_sentences(text.strip()))


def ends_in_abbreviation(text: str) -> bool:
    """Whether the period that a text ends in belongs to a title or to initials.

    "Dr.", "Inc.", "J.", "U.S.A."; False where the text does not end in a period.
    """
    if not text.endswith("."):
        return False
    last_word = re.split(r"[\s(\"“]", text[:-1])[-1]
    if last_word.casefold() in word_set("abbreviations"):
        return True
    is_initial = len(last_word) == 1 and last_word.isupper()
    return is_initial or "." in last_word


def opens_sentence(text: str, place: int) -> bool:
    """Whether what stands at a place of a text is the first of its sentence.

    Opening quotation marks and brackets do not count.
    """
    before = text[:place].rstrip(" \t\"'“‘(")
    return not before or before[-1] in ".!?:\n"
