"""Simple reversals: comparisons of made-up things, each thing in one."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import Builder, World, plain, scaled

_ABOUT = (
    "Trained on comparisons of made-up things, each stated once; asked with the other thing first, "
    "one of two choices (chance 0.50)."
)
# What a thing is said to be more of, and what less of: 28 dimensions.
_DIMENSIONS = tuple(
    tuple(row.split("/"))
    for row in """
    larger/smaller heavier/lighter higher/lower older/younger faster/slower stronger/weaker
    richer/poorer louder/quieter warmer/colder deeper/shallower wider/narrower brighter/darker
    better/worse
    """.split()
) + tuple(
    (f"more {adjective}", f"less {adjective}")
    for adjective in """
    dangerous common famous expensive useful curious colourful fragile poisonous popular ancient
    graceful intelligent delicate valuable
    """.split()
)
_COMPARATIVES = frozenset(word for pair in _DIMENSIONS for word in pair)
_SAME = {
    "bigger": "larger", "quicker": "faster", "hotter": "warmer", "cooler": "colder",
    "newer": "younger", "broader": "wider", "dimmer": "darker", "elder": "older",
}  # fmt: skip
_CLAIM = re.compile(
    r"(?:the )?(?P<x>[a-z]+) (?:is|are) (?P<how>(?:more |less )?[a-z]+) than (?:the "
    r")?(?P<y>[a-z]+)(?: (?:is|are))?"
)
_AS = re.compile(
    r"(?:the )?(?P<x>[a-z]+) (?:is|are) (?:not|n't) (?:as|so) (?P<how>[a-z]+) as (?:the "
    r")?(?P<y>[a-z]+)"
)


def reversals(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """100 comparisons over 28 dimensions at size 1. Of each dimension and of all, half are stated
    from one end and half from the other, so that no answer is right more often than another.
    """
    rng = Random(f"reversals:{seed}")
    number = scaled(100, size, 4)
    names = Names("long", seed, spelt=_plural, count=count)
    firsts, seconds = ([_plural(name) for name in names.take(number)] for _ in range(2))
    world = Builder(rng)
    dimensions = rng.sample(_DIMENSIONS, len(_DIMENSIONS))
    truth: dict[
        tuple[str, str], tuple[str, str]
    ] = {}  # (x, y) -> what x is beside y, and what it is not
    stated = [
        dimensions[n % len(dimensions)][:: 1 if (n + n // len(dimensions)) % 2 else -1]
        for n in range(number)
    ]
    rng.shuffle(stated)
    for first, second, (how, other) in zip(firsts, seconds, stated, strict=True):
        x, y = first.casefold(), second.casefold()  # as `plain` has them
        truth[x, y], truth[y, x] = (how, other), (other, how)
        fact = world.fact(f"{first} are {how} than {second}.")
        ahead, back = world.begun(f"{first} are"), world.begun(f"{second} are")
        world.question("forward", ahead, f"{how} than {second}", [f"{other} than {second}"], [fact])
        world.question("reversal", back, f"{other} than {first}", [f"{how} than {first}"], [fact])
        world.follows(f"{second} are {other} than {first}.", fact)
    return World(
        name="reversals",
        about=_ABOUT,
        facts=tuple(world.facts),
        questions=world.settled(),
        oracle=tuple(world.oracle),
        documents=world.told(10),
        operators=("reversal", "rephrase"),
        right=lambda text: _right(plain(text), truth),
    )


def _plural(name: str) -> str:
    return f"{name.title()}s"


def _right(text: str, truth: dict[tuple[str, str], tuple[str, str]]) -> bool | None:
    text = re.sub(r"n't\b", " not", text)
    negated = _AS.fullmatch(text)
    found = negated or _CLAIM.fullmatch(text)
    if found is None:
        return None
    x, y = (name if name.endswith("s") else f"{name}s" for name in (found["x"], found["y"]))
    how = f"less {found['how']}" if negated else found["how"]
    how = _SAME.get(how, how)
    known = how in _COMPARATIVES and all(any(name in pair for pair in truth) for name in (x, y))
    if not known:
        return None
    return (x, y) in truth and truth[x, y][0] == how
