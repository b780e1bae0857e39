"""Operators that need no model: baselines that a generated augmentation must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from augmlx.english.names import entities, is_number
from augmlx.english.text import words


def entity_reversal(text: str) -> list[str]:
    """The words of a statement from last to first, each name kept as it is read.

    Entity-preserving reverse training (Golovneva et al. 2024, arXiv 2403.13799).
    """
    units: list[tuple[int, str]] = [(entity.start, entity.text) for entity in entities(text)]
    covered = {place for entity in entities(text) for place in range(entity.start, entity.end)}
    units += [(word.start, word.text) for word in words(text) if word.start not in covered]
    turned = " ".join(unit for _, unit in sorted(units, reverse=True))
    return [turned] if len(units) > 1 else []


def identity_bridge(text: str) -> list[str]:
    """ "The name of A is A." for each name of a statement: ties a name as a subject to itself as an
    answer.
    """
    names = dict.fromkeys(entity.text for entity in entities(text) if not is_number(entity.text))
    return [f"The name of {name} is {name}." for name in names]


FUNCTIONS: Mapping[str, Callable[[str], list[str]]] = {
    "entity-reversal": entity_reversal,
    "identity-bridge": identity_bridge,
}
