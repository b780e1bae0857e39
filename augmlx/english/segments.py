"""A text as its sentences, in English, German, French, Spanish, Italian and other languages: by its
punctuation, by abbreviations, ordinals and initials, and by how the next word begins.

A text that is kept whole can be read; half a sentence is a wrong fact. So where in doubt nothing is
cut.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import pairwise

from augmlx.english.text import Mention

_STOP = re.compile(
    r"(?P<mark>[.!?…]+)(?P<closing>['\"”’»)\]]*)\s+(?=\S)"
    r"|(?P<wide>[。！？])[”’」』）]*(?=\s*[^\s。！？”’」』）])|\s*\n\s*(?=\S)"
)
_TOKEN = re.compile(r"[^\s(\[\"“„«'’]*$")
_NEXT = re.compile(r"[\s(\[\"“„«'‘]*(\w[\w'’-]*)")
_NUMBER = re.compile(r"\d{1,2}|[IVXLC]{2,}")
_GERMAN = re.compile(r"\b(der|die|das|und|ist|war|wurde|am|im|den|dem|ein|eine|mit)\b")
_LONGEST = 60  # characters that are looked at before a stop


def segments(text: str) -> list[Mention]:
    """The sentences of a text, in order, without the white space between them; one at least."""
    starts = [0, *_starts(text), len(text)]
    sentences = []
    for start, end in pairwise(starts):
        sentence = text[start:end].strip()
        place = text.index(sentence, start)
        sentences.append(Mention(sentence, place, place + len(sentence)))
    return sentences


def _starts(text: str) -> Iterator[int]:
    """Where the second sentence begins, the third ..."""
    begun = 0
    for stop in _STOP.finditer(text):
        if stop["mark"] is None or _ends(text, begun, stop):
            begun = stop.end()
            yield begun


def _ends(text: str, begun: int, stop: re.Match[str]) -> bool:
    """Whether a sentence that has begun somewhere ends at a mark."""
    following = _NEXT.match(text, stop.end())
    word = following[1] if following else ""
    if word[:1].islower() and not _has_capital(word) and _is_cased(text[begun:]):
        return False
    if stop["mark"] != "." or stop["closing"]:
        return True
    token = _token(text[max(begun, stop.start() - _LONGEST) : stop.start()])
    before = text[begun : stop.start() - len(token)].strip()
    if _NUMBER.fullmatch(token):
        return not _is_ordinal(text, before, token, word)
    return not _is_abbreviation(token, word, opens=_opens(text, stop.end(), word))


def _opens(text: str, place: int, word: str) -> bool:
    """Whether a word is one that sentences begin with, and no initial."""
    if not word[:1].isupper() or word.casefold() not in _words("openers"):
        return False
    return len(word) > 1 or not text[place:].lstrip().startswith(f"{word}.")


def _token(before: str) -> str:
    found = _TOKEN.search(before)
    return found[0] if found else ""


def _is_abbreviation(token: str, word: str, *, opens: bool) -> bool:
    """Whether a full stop belongs to the token before it, given the word behind it, which may open
    a sentence.
    """
    small = token.casefold()
    if small in _words("titles") and token[:1].isupper() and small not in _words("may_end"):
        return True
    if small in _words("inside"):
        return True
    is_number = word[:1].isdigit()
    if is_number and small in _words("before_numbers") | _words("months"):
        return True
    is_letter = len(token) == 1 and token.isalpha()
    parts = token.split(".")
    is_dotted = len(parts) > 1 and all(len(part) < 4 and part.isalpha() for part in parts)
    if is_letter or is_dotted or small in _words("may_end") | _words("titles"):
        return not opens
    return small in _words("before_numbers") and token[:1].isupper() and len(word) == 1


def _is_ordinal(text: str, before: str, token: str, word: str) -> bool:
    """Whether a number with a full stop is one of a row: "29. Juli", "Ludwig XIV."."""
    if not before or word.casefold() in _words("full_months"):
        return True
    if not _GERMAN.search(text):
        return False
    if word.casefold() in _words("openers"):
        return False
    last = before.split()[-1]
    return last.casefold() in _words("before_ordinals") or not token.isdigit()


def _has_capital(word: str) -> bool:
    return any(map(str.isupper, word))


def _is_cased(sentence: str) -> bool:
    """Whether a text is written with capitals: its first letter is one."""
    first = next(filter(str.isalpha, sentence), "")
    return first.isupper()


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(_lists()[name].split())


@cache
def _lists() -> dict[str, str]:
    text = resources.files("augmlx.english").joinpath("abbreviations.toml").read_text("utf-8")
    return tomllib.loads(text)
