"""Logic: rules that decide from the names and the wording alone, before anything is voted on or judged."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

from augmlx.filters.candidate import Candidate
from augmlx.language import (
    AUXILIARIES,
    DETERMINERS,
    NEGATIONS,
    Mention,
    arguments,
    content_stems,
    entities,
    mention_of,
    normalise,
    stem,
    words,
)
from augmlx.settings import AugmentSettings

_HAS = re.compile(
    r"\b(?:has|have|had)\s+(?:the|an?|his|her|its|their)\b", re.IGNORECASE
)  # a full verb, not an auxiliary
_SYMMETRIC = frozenset(
    [
        "married",
        "sibling",
        "siblings",
        "twin",
        "twins",
        "neighbour",
        "neighbours",
        "neighbor",
        "neighbors",
        "partner",
        "partners",
        "cousin",
        "cousins",
        "borders",
        "adjoins",
        "equals",
        "resembles",
        "same",
        "identical",
        "equal",
        "parallel",
        "opposite",
        "beside",
    ]
)


def unknown_entity(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """Entity closure: every name and number of the candidate stands in its source, and both arguments are kept."""
    source_words = set(normalise(candidate.source).split())
    source_stems = {stem(word) for word in source_words}
    for entity in entities(candidate.text):
        spoken = normalise(entity.text).split()
        # A sentence may open with a word of the source that only there has a capital ("Owned by ...").
        opening = entity.start == 0 and {stem(word) for word in spoken} <= source_stems
        if not set(spoken) <= source_words and not opening:
            return "names something that is not in the source"
    if found := arguments(candidate.source):
        missing = [side for side, mention in zip(("first", "last"), found, strict=True) if not _has(candidate, mention)]
        if missing:
            return f"does not name the source's {' and '.join(missing)} argument"
    return None


def _has(candidate: Candidate, mention: Mention) -> bool:
    return mention_of(mention.text, candidate.text) is not None


def _sides(candidate: Candidate) -> tuple[Mention, Mention, Mention, Mention] | None:
    """The source's first and last argument, and where they stand in the candidate."""
    found = arguments(candidate.source)
    if found is None:
        return None
    first, last = mention_of(found[0].text, candidate.text), mention_of(found[1].text, candidate.text)
    return None if first is None or last is None else (found[0], found[1], first, last)


def same_direction(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A reversal must come to its source's last argument before the first."""
    sides = _sides(candidate)
    if sides is None:
        return "the arguments of the source cannot be told apart" if arguments(candidate.source) is None else None
    return "runs in the same direction as its source" if sides[2].start < sides[3].start else None


def changed_order(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A rephrasing must keep the order of the arguments; one that does not is a reversal nobody checked."""
    sides = _sides(candidate)
    return "turns the order of the arguments round" if sides and sides[2].start > sides[3].start else None


def _skeleton(text: str, slots: Sequence[tuple[Mention, str]]) -> list[str]:
    """The words of a sentence in order, with each argument as its slot; auxiliaries and determiners left out."""
    skip = AUXILIARIES | DETERMINERS
    parts = [(mention.start, slot) for mention, slot in slots]
    for word in words(text):
        inside = any(mention.start <= word.start < mention.end for mention, _ in slots)
        if not inside and word.text.casefold() not in skip:
            parts.append((word.start, word.text.casefold()))
    return [part for _, part in sorted(parts)]


def swapped(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """The arguments exchanged around an unchanged connective: wrong for every relation that is not symmetric.

    A bare copula is symmetric ("The captain is Omar", "Omar is the captain"), and so are a few relations by name.
    """
    sides = _sides(candidate)
    if sides is None:
        return None
    exchanged = _skeleton(candidate.source, [(sides[0], "<last>"), (sides[1], "<first>")])
    said = _skeleton(candidate.text, [(sides[2], "<first>"), (sides[3], "<last>")])
    symmetric = len(said) == 2 or _SYMMETRIC & set(said)
    return "exchanges the arguments around the same relation" if said == exchanged and not symmetric else None


def lost_relation(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A reversal must say its source's relation (its words, their stems, or a known inverse) and nothing more."""
    return _relation_objection(candidate, _table("inverses"), _table("synonyms"))


def changed_meaning(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """A rephrasing must say its source's relation from the same end: an inverse word would turn it round."""
    return _relation_objection(candidate, _table("synonyms"))


def _relation_objection(candidate: Candidate, *tables: Mapping[str, frozenset[str]]) -> str | None:
    if _negations(candidate.text) != _negations(candidate.source):
        return "negates, or no longer negates, its source"
    found = arguments(candidate.source)
    if found is None:
        return None
    relation = content_stems(_without(candidate.source, found))
    other = {word: frozenset[str]().union(*(table.get(word, ()) for table in tables)) for word in relation}
    told = Counter(content_stems(candidate.text))
    said = set(told)
    if any(word not in said and not other[word] & said for word in relation):
        return "does not say the source's relation"
    given = Counter(content_stems(candidate.source))
    if any(count > max(1, given[word]) for word, count in told.items()):
        return "repeats itself"
    if _HAS.search(candidate.text) and not _HAS.search(candidate.source):
        return "adds something to its source"
    added = said - set(given) - frozenset().union(*other.values()) - _light()
    return "adds something to its source" if added else None


def _without(text: str, found: tuple[Mention, Mention]) -> str:
    first, last = found
    return f"{text[: first.start]} {text[first.end : last.start]} {text[last.end :]}"


def _negations(text: str) -> int:
    return sum(word in NEGATIONS for word in normalise(text).split()) + len(re.findall(r"n['’]t\b", text))


@lru_cache(maxsize=1)
def _light() -> frozenset[str]:
    """Stems of words that a paraphrase may add without saying more ("the one who", "serves as")."""
    return frozenset(stem(word) for row in _relations()["light"] for word in row.split())


@lru_cache(maxsize=2)
def _table(name: str) -> Mapping[str, frozenset[str]]:
    """stem -> stems of the words that say the same relation: from the other end ("inverses"), or from the same
    ("synonyms")."""
    table: dict[str, set[str]] = {}
    for row in _relations()[name]:
        left, right = (row, row) if isinstance(row, str) else row
        for one, other in ((left, right), (right, left)):
            for word in one.split():
                table.setdefault(stem(word), set()).update(stem(w) for w in other.split())
    return {word: frozenset(others) for word, others in table.items()}


@lru_cache(maxsize=1)
def _relations() -> dict[str, Any]:
    return tomllib.loads(resources.files("augmlx.filters").joinpath("relations.toml").read_text("utf-8"))
