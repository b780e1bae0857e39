"""Nouns: their singular and their plural, one key for both, and their article.

Keys are for comparing, not for reading: "house" and "houses" are both "hous".
"""

from __future__ import annotations

import re
from functools import cache

from augmlx.english.lexicon import ordered, rows, word_set

_SILENT_E = re.compile(r"(?<=s|x|z|o)e$|(?<=[cs]h)e$")


@cache
def _plurals() -> dict[str, str]:
    """ "mouse" -> "mice"."""
    return dict(row.split() for row in rows("plurals"))


@cache
def _singulars() -> dict[str, str]:
    """ "mice" -> "mouse"."""
    return {plural: singular for singular, plural in _plurals().items()}


def is_plural(word: str) -> bool:
    """Whether a word can be the plural of a noun; adjectives ("famous", "careless") are not."""
    word = word.casefold()
    if word.endswith("men") or word in _singulars():
        return True
    return len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "ous", "'s"))


def looks_like_an_adverb(word: str) -> bool:
    """By its form alone: it ends in -ly, and is no noun or adjective that is known to."""
    word = word.casefold()
    return word.endswith("ly") and word not in word_set("not_adverbs")


def noun_key(noun: str, *, plural: bool) -> str:
    """The same for both numbers of a noun, in a dictionary or not ("daxes", "dax").

    Args:
        plural: the noun is one; of several words the last carries the number.
    """
    *rest, word = noun.casefold().split()
    if plural:
        by_rule = word[:-2] + "an" if word.endswith("men") else word.removesuffix("s")
        word = _singulars().get(word, by_rule)
    key = word[:-2] + "y" if word.endswith("ie") else _SILENT_E.sub("", word)
    return " ".join((*rest, key))


def singular(noun: str) -> str:
    """A plural's singular, guessed where two are possible.

    Of several words the last carries the number.
    """
    head, space, word = noun.rpartition(" ")
    return head + space + _singular(word)


def _singular(word: str) -> str:
    lower = word.casefold()
    if lower in _singulars():
        return _singulars()[lower]
    if lower.endswith("men"):
        return word[:-2] + "an"
    if lower.endswith("ies"):
        with_y = word[:-3] + "y"
        return word.removesuffix("s") if looks_like_an_adverb(with_y) else with_y
    if lower.endswith(("xes", "ches", "shes", "sses", "zzes")):
        return word[:-2]
    return word.removesuffix("s")


def plural(noun: str) -> str:
    """A singular's plural, by rule where the lexicon does not know it.

    Of several words the last carries the number.
    """
    head, space, word = noun.rpartition(" ")
    return head + space + _plural(word)


def _plural(word: str) -> str:
    lower = word.casefold()
    if lower in _plurals():
        return _plurals()[lower]
    if re.search(r"[^aeiou]y$", lower):
        return word[:-1] + "ies"
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def with_article(noun: str) -> str:
    """A noun behind "a" or "an", by how it sounds."""
    lower = noun.casefold()
    if lower.startswith(ordered("takes_an")):
        return f"an {noun}"
    opens_with_vowel = lower.startswith(tuple("aeiou"))
    if opens_with_vowel and not lower.startswith(ordered("takes_a")):
        return f"an {noun}"
    return f"a {noun}"
