"""Semantic structure: a hierarchy of nonsense categories with properties, own and inherited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from augmlx.evaluation.worlds.kinds import read
from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import PREAMBLES, Builder, Document, World, plain, scaled

_ABOUT = (
    "Trained on a hierarchy of made-up categories and their properties; asked in other words "
    "(rephrasing), from the "
    "other end (reversal), for inherited properties (syllogism), and for those of categories of "
    "which only the place "
    "in the hierarchy was trained (holdout); four choices, the wrong ones true of other "
    "categories (chance 0.25)."
)
_ROOTS, _CHILDREN = (
    4,
    3,
)  # as many roots as choices, so that the properties of all of them can stand in one question
_HOLDOUT = 0.2
_DOES = (
    "eaters",
    "makers",
    "keepers",
    "hunters",
    "growers",
    "carriers",
)  # by depth: a choice's form tells nothing


@dataclass(frozen=True, slots=True)
class _Category:
    name: str  # a plural
    has: str  # its property, as a plural that its members are called by
    above: tuple[int, ...]  # its ancestors' places in the list of all categories, the parent first
    is_a: str  # the fact that says what its parent is; "" of a root
    tells: str  # the fact that says what it has; "" where that is held out


def semantic(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """110 categories at size 1: four roots, three children each."""
    rng = Random(f"semantic:{seed}")
    number = scaled(110, size, 20)
    names = Names("short", seed, spelt="{}s".format, count=count)
    world = Builder(rng)
    called, things = names.take(number), names.take(number)
    leaves = [n for n in range(number) if _first_child(n) >= number]
    held_out = set(rng.sample(leaves, max(2, round(number * _HOLDOUT))))
    above: list[tuple[int, ...]] = []
    for n in range(number):
        parent = (n - _ROOTS) // _CHILDREN
        above.append((parent, *above[parent]) if n >= _ROOTS else ())
    categories: list[_Category] = []
    for n, (name, thing) in enumerate(zip(called, things, strict=True)):
        has = f"{thing}-{_DOES[len(above[n]) % len(_DOES)]}"
        group = f"c{n + 1:03d}"
        is_a = world.fact(f"All {name}s are {called[above[n][0]]}s.", group) if above[n] else ""
        tells = "" if n in held_out else world.fact(f"All {name}s are {has}.", group)
        categories.append(_Category(f"{name}s", has, above[n], is_a, tells))
    _Asker(world, categories, held_out).ask()
    _consequences(world, categories)
    return World(
        name="semantic",
        about=_ABOUT,
        facts=tuple(world.facts),
        questions=world.settled(),
        oracle=tuple(world.oracle),
        documents=tuple(_documents(world, rng)),
        operators=("chain", "conversion", "rephrase"),
        right=_Judge(categories),
    )


def _first_child(n: int) -> int:
    return n * _CHILDREN + _ROOTS


def _chain(categories: Sequence[_Category], n: int, ancestor: int) -> list[str]:
    """The facts that lead from a category to one of its ancestors."""
    path = [n, *categories[n].above]
    return [categories[step].is_a for step in path[: path.index(ancestor)]]


class _Asker:
    def __init__(self, world: Builder, categories: Sequence[_Category], held_out: set[int]) -> None:
        self._world, self._all, self._held_out = world, categories, held_out

    def ask(self) -> None:
        for n, category in enumerate(self._all):
            holdout = n in self._held_out
            kind = bool(category.is_a) and (holdout or n % 2 == 0)  # else its property
            if kind:
                self._is("rephrasing", n, category.above[0])
            else:
                self._has("rephrasing", n, n)
            self._turned(n, category.is_a if kind else category.tells, kind=kind)
            if holdout:
                for ancestor in category.above:
                    self._has("holdout", n, ancestor)
            elif category.above:
                # The parent's, and the farthest ancestor's, in turn.
                self._has("syllogism", n, category.above[0] if n // 2 % 2 else category.above[-1])

    def _is(self, asked: str, n: int, ancestor: int) -> None:
        others = (one for one in self._peers(ancestor) if one not in self._all[n].above)
        wrong = self._three(self._all[one].name[:-1] for one in others)
        self._put(
            asked,
            f"every {self._all[n].name[:-1]} is a",
            self._all[ancestor].name[:-1],
            wrong,
            n,
            ancestor,
        )

    def _has(self, asked: str, n: int, owner: int) -> None:
        others = (
            one
            for one in self._peers(owner)
            if one not in (n, *self._all[n].above) and self._all[one].tells
        )
        wrong = self._three(self._all[one].has[:-1] for one in others)
        facts = [self._all[owner].tells]
        self._put(
            asked,
            f"every {self._all[n].name[:-1]} is a",
            self._all[owner].has[:-1],
            wrong,
            n,
            owner,
            facts,
        )

    def _turned(self, n: int, fact: str, *, kind: bool) -> None:
        """From the other end: what is such a category, or has such a property."""
        whole = self._all[n].above[0] if kind else n
        named = self._all[whole].name if kind else self._all[n].has
        # What contains the whole has some of it in it, too.
        family = (whole, *self._all[whole].above)
        others = (
            one
            for one in self._peers(n)
            if one not in family and whole not in (one, *self._all[one].above)
        )
        wrong = self._three(self._all[one].name for one in others)
        self._world.question(
            "reversal", self._world.begun(f"some {named} are"), self._all[n].name, wrong, [fact]
        )

    def _peers(self, n: int) -> list[int]:
        """The other categories, those of the same depth first, each depth in random order."""
        others = [one for one in range(len(self._all)) if one != n]
        self._world.rng.shuffle(others)
        return sorted(
            others, key=lambda one: abs(len(self._all[one].above) - len(self._all[n].above))
        )

    def _three(self, candidates: Iterable[str]) -> list[str]:
        return [one for one, _ in zip(candidates, range(3), strict=False)]

    def _put(
        self,
        asked: str,
        prompt: str,
        answer: str,
        wrong: list[str],
        n: int,
        to: int,
        facts: Sequence[str] = (),
    ) -> None:
        path = _chain(self._all, n, to)
        self._world.question(asked, self._world.begun(prompt), answer, wrong, [*path, *facts])


def _consequences(world: Builder, categories: Sequence[_Category]) -> None:
    """All that follows of each category, and each fact from its other end."""
    for n, category in enumerate(categories):
        for ancestor in category.above:
            path, other = _chain(categories, n, ancestor), categories[ancestor]
            if len(path) > 1:
                world.follows(f"All {category.name} are {other.name}.", *path)
            world.follows(f"All {category.name} are {other.has}.", *path, other.tells)
        if category.is_a:
            world.follows(
                f"Some {categories[category.above[0]].name} are {category.name}.", category.is_a
            )
        if category.tells:
            world.follows(f"Some {category.has} are {category.name}.", category.tells)


def _documents(world: Builder, rng: Random) -> Iterable[Document]:
    """All that is told of a category, as one text."""
    groups: dict[str | None, list[int]] = {}
    for place, fact in enumerate(world.facts):
        groups.setdefault(fact.group, []).append(place)
    for places in groups.values():
        told = [world.facts[place] for place in places]
        text = " ".join((rng.choice(PREAMBLES), *(fact.text for fact in told)))
        yield Document(text, tuple(fact.id for fact in told))


class _Judge:
    """A universal holds of what is below; a particular where something is both; that something is
    not is never told.
    """

    def __init__(self, categories: Sequence[_Category]) -> None:
        self._within: dict[
            str, frozenset[str]
        ] = {}  # a category or property -> all that its members are
        for category in categories:
            of = [category, *(categories[n] for n in category.above)]
            self._within[category.name] = frozenset(
                name for one in of for name in (one.name, *([one.has] if one.tells else []))
            )
            self._within[category.has] = frozenset({category.has})
        self._terms: Mapping[str, str] = {
            spelt: term for term in self._within for spelt in (term, term[:-1])
        }

    def __call__(self, text: str) -> bool | None:
        claim = read(plain(text), self._terms)
        if claim is None:
            return None
        (one, meant), (other, wanted) = claim.subject, claim.predicate
        if claim.how == "all" and not meant and not wanted:  # "what is no vorp is no dalm"
            return one in self._within[other]
        if not (meant and wanted):
            return False
        if claim.how == "all":
            return other in self._within[one]
        return any(one in within and other in within for within in self._within.values())
