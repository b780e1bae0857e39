"""Which worked examples stand in the prompt of a fact: the user's own that are nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from augmlx.augment.operators.schema import Exemplar, Operator
from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems


def nearest(
    operator: Operator, own: Sequence[Exemplar], facts: Sequence[str], most: int
) -> tuple[Exemplar, ...]:
    """The exemplars for a prompt about some facts: those of the user's whose relation wording is
    nearest, behind as many shipped ones as are left room for.

    They stand in one order whatever the fact is, so that facts of one relation share a prompt's
    beginning.

    Args:
        operator: holds the shipped ones.
        own: the user's.
        facts: the texts that the prompt is about.
        most: how many are shown at most.
    """
    if len(own) > most:
        wanted = _relation(tuple(facts))
        distances = [
            (-_likeness(wanted, _relation(exemplar.premises)), number)
            for number, exemplar in enumerate(own)
        ]
        chosen = sorted(number for _, number in sorted(distances)[:most])
        own = [own[number] for number in chosen]
    room = max(0, most - len(own))
    return (*operator.exemplars[:room], *own)


@lru_cache(maxsize=8192)
def _relation(facts: tuple[str, ...]) -> frozenset[str]:
    """The stems of what facts say about their arguments."""
    stems: set[str] = set()
    for text in facts:
        named: set[str] = set()
        for mention in arguments(text) or ():
            named.update(content_stems(mention.text))
        stems |= set(content_stems(text)) - named
    return frozenset(stems)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of stems in common (Jaccard), from 0 to 1."""
    all_stems = one | other
    if not all_stems:
        return 0.0
    return len(one & other) / len(all_stems)
