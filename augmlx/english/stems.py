"""Stems: crude, but enough to see "designed", "designer" and "designs" as one word."""

from __future__ import annotations

import re
from functools import lru_cache

from augmlx.english.lexicon import STOPWORDS
from augmlx.english.text import CACHED_TEXTS, lower_words, spelt_out
from augmlx.english.verbs import first_forms

_POSSESSIVE = re.compile(r"['’]s?$")
# A suffix, and how many letters must stay before it; the first that fits comes off.
_SUFFIXES = (
    *((suffix, 3) for suffix in ("ations", "ation", "ors", "or", "ies", "ied", "ier")),
    *((suffix, 2) for suffix in ("ings", "ing", "ers", "er", "ed", "es")),
    ("s", 3),
    ("e", 2),
    ("y", 3),
    ("i", 3),
)


@lru_cache(maxsize=CACHED_TEXTS)
def stem(word: str) -> str:
    """The stem of a word; of an irregular verb, that of its first form ("wrote", "written").

    Suffixes come off until none is left, so "ordered" meets "orders" and "user" meets "used";
    "employee" keeps its end, for it is not the employer.
    """
    word = _POSSESSIVE.sub("", word.casefold())
    word = first_forms().get(word, word)
    while (shorter := _shorter(word)) != word:
        word = shorter
    return word


def _shorter(word: str) -> str:
    if word.endswith("ee"):
        return word
    if word.endswith(("ees", "eed")):
        return word[:-1]
    for suffix, least in _SUFFIXES:
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) >= least:
            return rest
    is_doubled = len(word) > 3 and word[-1] == word[-2]  # "planned" and "plans"
    return word[:-1] if is_doubled else word


@lru_cache(maxsize=CACHED_TEXTS)
def content_stems(text: str) -> tuple[str, ...]:
    """Stems of the words that carry the meaning, in order."""
    lower = lower_words(spelt_out(text))
    return tuple(stem(word) for word in lower if word not in STOPWORDS)
