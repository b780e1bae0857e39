"""The reversal curse of Berglund et al. (arXiv 2309.12288): invented people and what they alone
are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import Builder, World, plain, scaled

_ABOUT = (
    "Trained on invented people and their descriptions: a third from name to description, a third "
    "from description to name, a third both ways; asked in the direction that was trained and in "
    "the other, four choices (chance 0.25)."
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


# The kind of the question for a description, and of the one for a name, by what was trained.
_KINDS = {
    "name first": ("forward", "reversal"),
    "description first": ("reversal", "forward"),
    "both": ("both", "both"),
}


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    third: str  # one of _THIRDS
    role: str  # one of _ROLES
    work: str

    @property
    def description(self) -> str:
        title, sort = self.role.split()
        return f"the {title} of the {self.work} {sort}"

    @property
    def forward(self) -> str:
        return f"{self.name} is {self.description}."

    @property
    def backward(self) -> str:
        return f"T{self.description[1:]} is {self.name}."

    @property
    def stated(self) -> list[str]:
        """What is trained on."""
        by_third = {"name first": [self.forward], "description first": [self.backward]}
        return by_third.get(self.third, [self.forward, self.backward])


def celebrities(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """30 people a third at size 1. The wrong choices of a question have the answer's own role and
    were trained in the same direction; every name and description is a choice of as many questions
    as any other of its role.
    """
    rng = Random(f"celebrities:{seed}")
    people = _people(scaled(30, size, _PER_ROLE), seed, count, rng)
    circles: dict[tuple[str, str], list[_Person]] = {}
    for person in people:
        circles.setdefault((person.third, person.role), []).append(person)
    rng.shuffle(people)
    world = Builder(rng)
    facts_of: dict[str, list[str]] = {}
    for place, person in enumerate(people, start=1):
        stated = person.stated
        facts_of[person.name] = [world.fact(text, f"p{place:03d}") for text in stated]
        for text in {person.forward, person.backward} - set(stated):
            world.follows(text, facts_of[person.name][0])
    for person in people:
        others = _next_in(circles[person.third, person.role], person)
        _ask(world, person, others, facts_of[person.name])
    truth = {plain(person.name): person.description.casefold() for person in people}
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


def _people(
    per_third: int, seed: int, count: Callable[[str], int] | None, rng: Random
) -> list[_Person]:
    """The three thirds in turn, the roles in turn within them."""
    number = len(_THIRDS) * per_third
    firsts = Names("first", seed, spelt=str.title, count=count).take(number)
    names = Names("long", seed, spelt=str.title, count=count, unlike=firsts)
    lasts, works = names.take(number), names.take(number)
    roles = rng.sample(_ROLES, min(len(_ROLES), per_third // _PER_ROLE))
    people: list[_Person] = []
    for n, (first, last, work) in enumerate(zip(firsts, lasts, works, strict=True)):
        round_of_thirds, third = divmod(n, len(_THIRDS))
        role = roles[round_of_thirds % len(roles)]
        name = f"{first.title()} {last.title()}"
        people.append(_Person(name, _THIRDS[third], role, work.title()))
    return people


def _next_in(circle: Sequence[_Person], person: _Person) -> list[_Person]:
    """As many others as a question has wrong choices, those that stand behind a person."""
    start = circle.index(person)
    return [circle[(start + step) % len(circle)] for step in range(1, _PER_ROLE)]


def _ask(
    world: Builder, person: _Person, others: Sequence[_Person], fact_ids: Sequence[str]
) -> None:
    """For the description by the name, and for the name by the description."""
    to_description, to_name = _KINDS[person.third]
    descriptions = [other.description for other in others]
    names = [other.name for other in others]
    of_name = world.begun(f"{person.name} is")
    world.question(to_description, of_name, person.description, descriptions, fact_ids)
    of_description = world.begun(f"{person.description} is")
    world.question(to_name, of_description, person.name, names, fact_ids)


def _right(text: str, truth: dict[str, str]) -> bool | None:
    claim = _CLAIM.fullmatch(text)
    if claim is None:
        return None
    name, description = claim["x"], claim["y"]
    if description in truth:
        name, description = description, name
    if name not in truth or description not in truth.values():
        return None
    return truth[name] == description
