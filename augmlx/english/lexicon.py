"""The lists of English words, each of which stands once in lexicon.toml (the nouns that name people
in people.toml), for the rest of the room.

Every list is read once. The function words, which nearly every module asks for, are constants.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def _lists() -> dict[str, Any]:
    """Each list by its name, as its file has it."""
    room = resources.files("augmlx.english")
    files = [room.joinpath(name).read_text("utf-8") for name in ("lexicon.toml", "people.toml")]
    return {name: content for file in files for name, content in tomllib.loads(file).items()}


@cache
def rows(name: str) -> tuple[str, ...]:
    """The rows of a list, in their order; a list that is one text is one row."""
    content = _lists()[name]
    return (content,) if isinstance(content, str) else tuple(content)


@cache
def pairs(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a list whose rows have parts, such as the two sides of a relation.

    A part is a text, which may hold several words.
    """
    return tuple(map(tuple, _lists()[name]))


@cache
def ordered(name: str) -> tuple[str, ...]:
    """The words of a list, in their order."""
    return tuple(" ".join(rows(name)).split())


@cache
def word_set(name: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(ordered(name))


@cache
def first_of_row(name: str) -> dict[str, str]:
    """Each word of a list -> the first word of its row, which the others of the row count as."""
    by_word: dict[str, str] = {}
    for row in rows(name):
        first, *others = row.split()
        by_word |= dict.fromkeys((first, *others), first)
    return by_word


def either(name: str) -> str:
    """The words of a list, in their order, as alternatives of a regular expression.

    "is are was were" gives "is|are|was|were".
    """
    return "|".join(ordered(name))


AUXILIARIES = word_set("auxiliaries")
COPULAS = word_set("copulas")
ARTICLES = word_set("articles")
DETERMINERS = word_set("determiners")
NEGATIONS = word_set("negations")
PREPOSITIONS = word_set("prepositions")
STOPWORDS = frozenset().union(
    AUXILIARIES,
    DETERMINERS,
    NEGATIONS,
    PREPOSITIONS,
    word_set("other_stopwords"),
    word_set("cut_off"),
)
