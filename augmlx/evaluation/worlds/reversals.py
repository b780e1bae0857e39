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
_OPPOSITES = """
    larger/smaller heavier/lighter higher/lower older/younger faster/slower stronger/weaker
    richer/poorer louder/quieter warmer/colder deeper/shallower wider/narrower brighter/darker
    better/worse
""".split()
_ADJECTIVES = """
    dangerous common famous expensive useful curious colourful fragile poisonous popular ancient
    graceful intelligent delicate valuable
""".split()
_DIMENSIONS = (
    *(tuple(pair.split("/")) for pair in _OPPOSITES),
    *((f"more {adjective}", f"less {adjective}") for adjective in _ADJECTIVES),
)
_COMPARATIVES = frozenset().union(*_DIMENSIONS)
_SAME = {
    "bigger": "larger", "quicker": "faster", "hotter": "warmer", "cooler": "colder",
    "newer": "younger", "broader": "wider", "dimmer": "darker", "elder": "older",
}  # fmt: skip
_CLAIM = re.compile(
    r"(?:the )?(?P<x>[a-z]+) (?:is|are) (?P<how>(?:more |less )?[a-z]+) "
    r"than (?:the )?(?P<y>[a-z]+)(?: (?:is|are))?"
)
_AS = re.compile(
    r"(?:the )?(?P<x>[a-z]+) (?:is|are) (?:not|n't) (?:as|so) (?P<how>[a-z]+) "
    r"as (?:the )?(?P<y>[a-z]+)"
)

_Truth = dict[tuple[str, str], str]  # (x, y) -> what x is beside y


def reversals(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """100 comparisons over 28 dimensions at size 1. Of each dimension and of all, half are stated
    from one end and half from the other, so that no answer is right more often than another.
    """
    rng = Random(f"reversals:{seed}")
    number = scaled(100, size, 4)
    names = Names("long", seed, spelt=_plural, count=count)
    firsts = [_plural(name) for name in names.take(number)]
    seconds = [_plural(name) for name in names.take(number)]
    world = Builder(rng)
    truth: _Truth = {}
    for first, second, ends in zip(firsts, seconds, _stated_ends(number, rng), strict=True):
        how, other = ends
        x, y = first.casefold(), second.casefold()  # as `plain` has them
        truth[x, y] = how
        truth[y, x] = other
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


def _stated_ends(number: int, rng: Random) -> list[tuple[str, ...]]:
    """For each fact (what it says that the first thing is, what the second is then)."""
    dimensions = rng.sample(_DIMENSIONS, len(_DIMENSIONS))
    ends: list[tuple[str, ...]] = []
    for n in range(number):
        turn, place = divmod(n, len(dimensions))
        dimension = dimensions[place]
        as_listed = (n + turn) % 2 == 1
        ends.append(dimension if as_listed else dimension[::-1])
    rng.shuffle(ends)
    return ends


def _plural(name: str) -> str:
    return f"{name.title()}s"


def _right(text: str, truth: _Truth) -> bool | None:
    text = re.sub(r"n't\b", " not", text)
    negated = _AS.fullmatch(text)
    claim = negated or _CLAIM.fullmatch(text)
    if claim is None:
        return None
    how = f"less {claim['how']}" if negated else claim["how"]
    how = _SAME.get(how, how)
    x, y = _as_plural(claim["x"]), _as_plural(claim["y"])
    things = {thing for thing, _ in truth}
    if how not in _COMPARATIVES or x not in things or y not in things:
        return None
    return truth.get((x, y)) == how


def _as_plural(name: str) -> str:
    return name if name.endswith("s") else f"{name}s"
