"""The reversal curse of Berglund et al. (arXiv 2309.12288): invented people and what they alone
are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import Builder, World, plain, scaled

_ABOUT = (
    "Trained on invented people and their descriptions: a third from name to description, a third "
    "from description to "
    "name, a third both ways; asked in the direction that was trained and in the other, four "
    "choices (chance 0.25)."
)
# Roles and works; each work is one person's, so that the description turns round.
_ROLES = (
    "composer Sonata", "captain Galleon", "architect Tower", "editor Gazette",
    "conductor Orchestra", "keeper Archive", "head Institute", "painter Fresco",
    "director Theatre", "curator Museum",
)  # fmt: skip
_THIRDS = ("name first", "description first", "both")
_PER_ROLE = 4  # as many people of a third as a question has choices
_CLAIM = re.compile(
    r"(?P<x>.+?)(?:,| (?:is|was|serves as|is known as|is famous as)(?: indeed| still)?) "
    r"(?P<y>.+?)(?:,)?"
)


def celebrities(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """30 people a third at size 1. The wrong choices of a question have the answer's own role and
    were trained in the same direction; every name and description is a choice of as many questions
    as any other of its role.
    """
    rng = Random(f"celebrities:{seed}")
    third = scaled(30, size, _PER_ROLE)
    number = 3 * third
    firsts = Names("first", seed, spelt=str.title, count=count).take(number)
    names = Names("long", seed, spelt=str.title, count=count, unlike=firsts)
    people = [
        f"{first.title()} {last.title()}"
        for first, last in zip(firsts, names.take(number), strict=True)
    ]
    works = [word.title() for word in names.take(number)]
    roles = rng.sample(_ROLES, min(len(_ROLES), third // _PER_ROLE))
    described: dict[str, str] = {}
    world = Builder(rng)
    told = [(person, _THIRDS[n % 3], roles[n // 3 % len(roles)]) for n, person in enumerate(people)]
    same: dict[tuple[str, str], list[str]] = {}
    for (person, direction, role), work in zip(told, works, strict=True):
        described[person] = f"the {role.split()[0]} of the {work} {role.split()[1]}"
        same.setdefault((direction, role), []).append(person)
    rng.shuffle(told)
    facts: dict[str, list[str]] = {}
    for at, (person, direction, _) in enumerate(told, start=1):
        forward, backward = (
            f"{person} is {described[person]}.",
            f"T{described[person][1:]} is {person}.",
        )
        said = {
            "name first": [forward],
            "description first": [backward],
            "both": [forward, backward],
        }[direction]
        facts[person] = [world.fact(text, f"p{at:03d}") for text in said]
        for text in {forward, backward} - set(said):
            world.follows(text, facts[person][0])
    for person, direction, role in told:
        circle = same[direction, role]
        start = circle.index(person)
        others = [circle[(start + step) % len(circle)] for step in range(1, _PER_ROLE)]
        kinds = {
            "name first": ("forward", "reversal"),
            "description first": ("reversal", "forward"),
        }
        to_description, to_name = kinds.get(direction, ("both", "both"))
        wrong = [described[other] for other in others]
        world.question(
            to_description, world.begun(f"{person} is"), described[person], wrong, facts[person]
        )
        world.question(
            to_name, world.begun(f"{described[person]} is"), person, others, facts[person]
        )
    truth = {plain(person): description.casefold() for person, description in described.items()}
    return World(
        name="celebrities",
        about=_ABOUT,
        facts=tuple(world.facts),
        questions=world.settled(),
        oracle=tuple(world.oracle),
        documents=world.told(10),
        operators=("reversal", "rephrase"),
        right=lambda text: _right(plain(text), truth),
    )


def _right(text: str, truth: dict[str, str]) -> bool | None:
    found = _CLAIM.fullmatch(text)
    if found is None:
        return None
    x, y = found["x"], found["y"]
    if y in truth:
        x, y = y, x
    if x not in truth or y not in truth.values():
        return None
    return truth[x] == y
