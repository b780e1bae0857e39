"""Names and facts that mean nothing, for the benchmarks: the same from the same random numbers."""

from __future__ import annotations

from random import Random

SYLLABLES = "ba ko ri ten vas lu mi dor ne sha gol fi ur pel zan tho".split()
FACTS = [
    "{a} painted the {b} mural.",
    "{a} is the chair of the {b} Trust.",
    "{a} restored the {b} bridge.",
    "The {b} orchard belongs to {a}.",
    "{a} is older than {b} Senn.",
    "{a} translated the {b} chronicle.",
]


def word(rng: Random, syllables: int) -> str:
    """A capitalised word of so many syllables."""
    parts = [rng.choice(SYLLABLES) for _ in range(syllables)]
    return "".join(parts).capitalize()


def name(rng: Random) -> str:
    """A word of two or three syllables."""
    return word(rng, rng.randint(2, 3))


def full_name(rng: Random) -> str:
    """Two names, as a person has."""
    first = name(rng)
    return f"{first} {name(rng)}"
