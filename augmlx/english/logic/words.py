"""Nouns and adjectives as the forms compare them: singular and plural as one term, opposite
adjectives as one scale.

English only. Keys are for comparing, not for reading: "house" and "houses" are both "hous".
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    return tomllib.loads(
        resources.files("augmlx.english.logic").joinpath("words.toml").read_text("utf-8")
    )


@lru_cache(maxsize=8)
def listed(name: str) -> frozenset[str]:
    """A word list of words.toml."""
    return frozenset(_read()[name].split())


@lru_cache(maxsize=1)
def _plurals() -> dict[str, str]:
    return dict(row.split() for row in _read()["plurals"])


@lru_cache(maxsize=1)
def _singulars() -> dict[str, str]:
    return {plural: singular for singular, plural in _plurals().items()}


def is_plural(word: str) -> bool:
    """Whether a word can be the plural of a noun; adjectives ("famous", "careless") are not."""
    word = word.casefold()
    regular = len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "ous", "'s"))
    return regular or word.endswith("men") or word in _singulars()


_SILENT = re.compile(r"(?<=s|x|z|o)e$|(?<=[cs]h)e$")


def noun_key(noun: str, *, plural: bool) -> str:
    """The same for both numbers of a noun, whether it is in a dictionary or not ("daxes",
    "dax").
    """
    *rest, word = noun.casefold().split()
    if plural:
        fixed = word[:-2] + "an" if word.endswith("men") else word.removesuffix("s")
        word = _singulars().get(word, fixed)
    word = word[:-2] + "y" if word.endswith("ie") else _SILENT.sub("", word)
    return " ".join((*rest, word))


def singular(noun: str) -> str:
    """A plural's singular, guessed where two are possible."""
    head, space, word = noun.rpartition(" ")
    low = word.casefold()
    if low in _singulars():
        made = _singulars()[low]
    elif low.endswith("men"):
        made = word[:-2] + "an"
    elif low.endswith("ies"):
        made = word[:-3] + "y"
    elif low.endswith(("xes", "ches", "shes", "sses", "zzes")):
        made = word[:-2]
    else:
        made = word.removesuffix("s")
    return head + space + made


def plural(noun: str) -> str:
    head, space, word = noun.rpartition(" ")
    low = word.casefold()
    if low in _plurals():
        made = _plurals()[low]
    elif re.search(r"[^aeiou]y$", low):
        made = word[:-1] + "ies"
    else:
        made = word + ("es" if low.endswith(("s", "x", "z", "ch", "sh")) else "s")
    return head + space + made


def with_article(noun: str) -> str:
    low = noun.casefold()
    vowel = low.startswith(tuple("aeiou")) and not low.startswith(tuple(listed("takes_a")))
    return f"an {noun}" if vowel or low.startswith(tuple(listed("takes_an"))) else f"a {noun}"


class Degree(NamedTuple):
    """Where an adjective stands: `sign` is -1 at the lower end of its scale."""

    scale: str
    sign: int


def antonyms() -> list[tuple[str, str]]:
    """The rows of comparatives that say the same from the other end."""
    return [(pole, other) for pole, other in _read()["scales"]]


@lru_cache(maxsize=1)
def _irregular() -> dict[str, str]:
    return dict(row.split() for row in _read()["comparatives"])


def is_comparative(word: str) -> bool:
    return word in _irregular() or (
        len(word) > 4 and word.endswith("er") and word not in listed("not_comparatives")
    )


@lru_cache(maxsize=1024)
def _adjective_key(word: str, *, comparative: bool) -> str:
    """The same for "large" and "larger", "big" and "bigger", "happy" and "happier"."""
    base = word.removesuffix("e")
    if comparative:
        base = _irregular().get(word) or word[:-2]
    if base.endswith("i"):
        base = base[:-1] + "y"
    return base[:-1] if len(base) > 2 and base[-1] == base[-2] else base


@lru_cache(maxsize=1)
def _scales() -> dict[str, Degree]:
    found: dict[str, list[Degree]] = {}
    for pole, other in antonyms():
        scale = _adjective_key(pole.split()[0], comparative=True)
        for sign, side in ((1, pole), (-1, other)):
            for word in side.split():
                found.setdefault(_adjective_key(word, comparative=True), []).append(
                    Degree(scale, sign)
                )
    return {key: degrees[0] for key, degrees in found.items() if len(degrees) == 1}


def degree(word: str, *, comparative: bool) -> Degree:
    """Of an adjective ("dangerous") or of its comparative ("larger")."""
    key = _adjective_key(word, comparative=comparative)
    return _scales().get(key) or Degree(key, 1)
