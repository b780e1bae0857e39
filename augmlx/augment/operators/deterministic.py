"""Operators that need no model: baselines that a generated augmentation must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from augmlx.english.names import entities, is_number
from augmlx.english.text import words


def entity_reversal(text: str) -> list[str]:
    """The words of a statement from last to first, each name kept as it is read; none where there
    is nothing to turn.

    Entity-preserving reverse training (Golovneva et al. 2024, arXiv 2403.13799).
    """
    names = entities(text)
    covered: set[int] = set()  # places in the text
    for name in names:
        covered.update(range(name.start, name.end))
    other_words = [word for word in words(text) if word.start not in covered]
    units = [(unit.start, unit.text) for unit in (*names, *other_words)]
    if len(units) < 2:
        return []
    backwards = sorted(units, reverse=True)
    return [" ".join(unit for _, unit in backwards)]


def identity_bridge(text: str) -> list[str]:
    """ "The name of A is A." for each name of a statement: ties a name as a subject to itself as an
    answer.
    """
    names = [entity.text for entity in entities(text) if not is_number(entity.text)]
    return [f"The name of {name} is {name}." for name in dict.fromkeys(names)]


FUNCTIONS: Mapping[str, Callable[[str], list[str]]] = {
    "entity-reversal": entity_reversal,
    "identity-bridge": identity_bridge,
}
