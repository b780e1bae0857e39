"""A text about other names."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from augmlx.english.names import determiner_before, entities, is_number


def renamed(text: str, persons: Sequence[str], names: Sequence[str], rng: Random) -> str | None:
    """A text with each name in it exchanged for an invented one of as many words; numbers stay.
    None where no name stands in it.

    Args:
        persons: given names, for names of several words without a determiner ("Ana Bell").
        names: for every other word of a name.
        rng: draws the names.
    """
    other = text
    is_changed = False
    for mention in reversed(entities(text)):
        if is_number(mention.text):
            continue
        words = mention.text.split()
        is_person = len(words) > 1 and not determiner_before(text, mention)
        drawn = rng.sample(names, min(len(words), len(names)))
        if is_person:
            drawn = [rng.choice(persons), *drawn[1:]]
        other = other[: mention.start] + " ".join(drawn) + other[mention.end :]
        is_changed = True
    return other if is_changed else None
