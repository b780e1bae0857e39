"""How the exam compares texts: without regard to case, to spaces, and to the shape of quotes and
dashes.
"""

from __future__ import annotations

import re
import unicodedata

_HAN = "\u3400-\u9fff"  # Chinese has no spaces: there a word has no borders
LETTER = rf"[^\W{_HAN}]"
_SHAPES = str.maketrans("‘’`´“”„«»–—−‐‑×、。", '\'\'\'\'"""""-----x,.')
_OPENING, _CLOSING = "\"'([*", "\"'.,;:!?)]*"


def fold(text: str) -> str:
    """The text as it is compared: one shape of case, space, quote and dash; "7 °C" is "7°c"."""
    plain = unicodedata.normalize("NFKC", text).translate(_SHAPES).casefold()
    spaced = re.sub(r"\s+", " ", plain).strip()
    return re.sub(r"(?<=\d) (?=[°%€])|(?<=[€$£]) (?=\d)", "", spaced)


def words(text: str) -> list[str]:
    """The folded words without the marks around them; each Chinese character is one."""
    spaced = re.sub(f"([{_HAN}])", r" \1 ", fold(text))
    stripped = [_bare_word(part) for part in spaced.split()]
    return [word for word in stripped if word]


def _bare_word(part: str) -> str:
    return part.lstrip(_OPENING).rstrip(_CLOSING) or part.strip(_OPENING + _CLOSING)


def has(folded: str, pattern: str) -> bool:
    """Whether the folded text has one of the alternatives "a|b"; "*" at an end goes on inside a
    word.
    """
    return any(re.search(_bounded(fold(part)), folded) for part in pattern.split("|"))


def _bounded(part: str) -> str:
    """A pattern for the part as whole words; a number's borders are those of the whole number."""
    before = rf"(?<!{LETTER})" + r"(?<!\d[.,])" * part[0].isdigit()
    after = rf"(?!{LETTER})" + r"(?![.,]\d)" * part[-1].isdigit()
    if part[0] == "*" or _is_han(part[0]):
        before = ""
    if part[-1] == "*" or _is_han(part[-1]):
        after = ""
    return before + re.escape(part.strip("*")) + after


def _is_han(letter: str) -> bool:
    return re.match(f"[{_HAN}]", letter) is not None


def within(part: list[str], whole: list[str]) -> int:
    """Where the words of `part` stand in a row in `whole`; -1 where they do not."""
    for start in range(len(whole) - len(part) + 1):
        if whole[start : start + len(part)] == part:
            return start
    return -1
