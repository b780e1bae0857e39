"""Which words say the same relation, from the same end or from the other; all by their stems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from augmlx.english.lexicon import ordered, pairs, rows
from augmlx.english.stems import stem

Related = Mapping[str, frozenset[str]]


@cache
def inverses() -> Related:
    """stem -> stems of the words that say the same relation from its other end."""
    return _related((*pairs("inverses"), *pairs("scales")))


@cache
def synonyms() -> Related:
    """stem -> stems of the words that say the same relation from the same end."""
    return _related((row, row) for row in rows("synonyms"))


def related(word: str) -> frozenset[str]:
    """Stems of the words that say the relation of a stem from either end."""
    from_other_end = inverses().get(word, frozenset())
    return from_other_end | synonyms().get(word, frozenset())


@cache
def stems_of(name: str) -> frozenset[str]:
    """The stems of the words of a list of the lexicon, such as "hedges"."""
    return frozenset(map(stem, ordered(name)))


def light() -> frozenset[str]:
    """Words that a paraphrase may add without saying more ("the one who", "serves as")."""
    return stems_of("light")


def symmetric() -> frozenset[str]:
    """Words of relations that hold both ways round ("married", "borders")."""
    return stems_of("symmetric")


def posture() -> frozenset[str]:
    """Verbs that only say that a thing is somewhere ("stands"): beside a symmetric word they take
    no side.
    """
    return stems_of("posture")


def _related(sides: Iterable[tuple[str, ...]]) -> Related:
    """Each stem of either side -> the stems of the side opposite it."""
    by_stem: dict[str, frozenset[str]] = {}
    for left, right in sides:
        left_stems = frozenset(map(stem, left.split()))
        right_stems = frozenset(map(stem, right.split()))
        for word in left_stems:
            by_stem[word] = by_stem.get(word, frozenset()) | right_stems
        for word in right_stems:
            by_stem[word] = by_stem.get(word, frozenset()) | left_stems
    return by_stem
