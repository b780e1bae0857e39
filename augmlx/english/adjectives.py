"""Adjectives and their comparatives: which stand on one scale, and at which end of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from augmlx.english.lexicon import pairs, rows, word_set
from augmlx.english.text import lower_words, spelt_out


class Degree(NamedTuple):
    """Where an adjective stands: `sign` is -1 at the lower end of its scale."""

    scale: str
    sign: int


def degree(word: str, *, comparative: bool) -> Degree:
    """The scale of an adjective ("dangerous") or of its comparative ("larger").

    An adjective that the lexicon does not know is the upper end of a scale of its own.
    """
    key = _adjective_key(word, comparative=comparative)
    return _degrees().get(key) or Degree(key, 1)


def is_comparative(word: str) -> bool:
    """Whether a word can be the comparative of an adjective."""
    if word in _irregular():
        return True
    return len(word) > 4 and word.endswith("er") and word not in word_set("not_comparatives")


def comparison_sign(text: str) -> int:
    """1 where a sentence says that one is more than the other, -1 for less, 0 where it compares
    nothing.
    """
    lower = lower_words(spelt_out(text))
    if "than" not in lower:
        return 0
    if {"less", "fewer"} & set(lower):
        return -1
    if word_set("bare_comparatives") & set(lower):
        return 1
    before_than = set(lower[: lower.index("than")]) - word_set("not_compared")
    return int(any(word.endswith("er") for word in before_than))


@cache
def antonyms() -> dict[str, frozenset[str]]:
    """A comparative -> the first words of the sides that are its opposite, one for each scale that
    it is on: "larger" -> "smaller".
    """
    by_word: dict[str, frozenset[str]] = {}
    for side, opposite, _ in _sides():
        first_word = opposite.split()[0]
        for word in side.split():
            by_word[word] = by_word.get(word, frozenset()) | {first_word}
    return by_word


@cache
def _irregular() -> dict[str, str]:
    """ "better" -> "good"."""
    return dict(row.split() for row in rows("comparatives"))


@lru_cache(maxsize=1024)
def _adjective_key(word: str, *, comparative: bool) -> str:
    """The same for "large" and "larger", "big" and "bigger", "happy" and "happier"."""
    base = word.removesuffix("e")
    if comparative:
        base = _irregular().get(word) or word[:-2]
    if base.endswith("i"):
        base = base[:-1] + "y"
    is_doubled = len(base) > 2 and base[-1] == base[-2]
    return base[:-1] if is_doubled else base


@cache
def _degrees() -> dict[str, Degree]:
    """Adjective key -> its place; a word on two scales has none, for nobody can tell which."""
    by_key: dict[str, list[Degree]] = {}
    for side, opposite, sign in _sides():
        pole = side if sign > 0 else opposite
        scale = _adjective_key(pole.split()[0], comparative=True)
        for word in side.split():
            key = _adjective_key(word, comparative=True)
            by_key.setdefault(key, []).append(Degree(scale, sign))
    return {key: degrees[0] for key, degrees in by_key.items() if len(degrees) == 1}


def _sides() -> Iterator[tuple[str, str, int]]:
    """Each side of a scale, the side opposite it, and its sign."""
    for pole, other in pairs("scales"):
        yield pole, other, 1
        yield other, pole, -1
