"""What the filters know about words: relations.toml, by stem."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from augmlx.english.logic.words import antonyms
from augmlx.english.text import stem

Table = Mapping[str, frozenset[str]]


@lru_cache(maxsize=1)
def inverses() -> Table:
    """stem -> stems of the words that say the same relation from its other end."""
    return _table((left, right) for left, right in (*_read()["inverses"], *antonyms()))


@lru_cache(maxsize=1)
def synonyms() -> Table:
    """stem -> stems of the words that say the same relation from the same end."""
    return _table((row, row) for row in _read()["synonyms"])


@lru_cache(maxsize=1)
def light() -> frozenset[str]:
    """Words that a paraphrase may add without saying more ("the one who", "serves as")."""
    return _stems(_read()["light"])


@lru_cache(maxsize=1)
def symmetric() -> frozenset[str]:
    """Words of relations that hold both ways round ("married", "borders")."""
    return _stems(_read()["symmetric"])


@lru_cache(maxsize=1)
def posture() -> frozenset[str]:
    """Verbs that only say that a thing is somewhere ("stands"): beside a symmetric word they take
    no side.
    """
    return _stems(_read()["posture"])


def _stems(rows: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for row in rows for word in row.split())


def _table(pairs: Iterable[tuple[str, str]]) -> Table:
    table: dict[str, set[str]] = {}
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            for word in one.split():
                table.setdefault(stem(word), set()).update(_stems([other]))
    return {word: frozenset(others) for word, others in table.items()}


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    return tomllib.loads(
        resources.files("augmlx.english").joinpath("relations.toml").read_text("utf-8")
    )
