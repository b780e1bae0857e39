"""Semantic structure: a hierarchy of nonsense categories with properties, own and inherited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from augmlx.core.records import Fact
from augmlx.evaluation.worlds.kinds import read
from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import PREAMBLES, Builder, Document, World, plain, scaled

_ABOUT = (
    "Trained on a hierarchy of made-up categories and their properties; asked in other words "
    "(rephrasing), from the other end (reversal), for inherited properties (syllogism), and for "
    "those of categories of which only the place in the hierarchy was trained (holdout); four "
    "choices, the wrong ones true of other categories (chance 0.25)."
)
_ROOTS = 4  # as many as choices, so that the properties of all of them can stand in one question
_CHILDREN = 3
_HOLDOUT = 0.2
_WRONG = 3  # choices of a question
# By depth, so that a choice's form tells nothing.
_DOES = ("eaters", "makers", "keepers", "hunters", "growers", "carriers")


@dataclass(frozen=True, slots=True)
class _Category:
    """One category of the hierarchy.

    Args:
        name: a plural.
        has: its property, as a plural that its members are called by.
        above: its ancestors' places in the list of all categories, the parent first.
        is_a: the id of the fact that says what its parent is; "" of a root.
        tells: the id of the fact that says what it has; "" where that is held out.
    """

    name: str
    has: str
    above: tuple[int, ...]
    is_a: str
    tells: str

    @property
    def one(self) -> str:
        return self.name[:-1]

    @property
    def one_that_has(self) -> str:
        return self.has[:-1]


def semantic(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """110 categories at size 1: four roots, three children each."""
    rng = Random(f"semantic:{seed}")
    number = scaled(110, size, 20)
    names = Names("short", seed, spelt="{}s".format, count=count)
    world = Builder(rng)
    called, things = names.take(number), names.take(number)
    leaves = [n for n in range(number) if _first_child(n) >= number]
    held_out = set(rng.sample(leaves, max(2, round(number * _HOLDOUT))))
    categories: list[_Category] = []
    for n, (name, thing) in enumerate(zip(called, things, strict=True)):
        above: tuple[int, ...] = ()
        is_a = ""
        group = f"c{n + 1:03d}"
        if n >= _ROOTS:
            parent = _parent(n)
            above = (parent, *categories[parent].above)
            is_a = world.fact(f"All {name}s are {called[parent]}s.", group)
        has = f"{thing}-{_DOES[len(above) % len(_DOES)]}"
        tells = "" if n in held_out else world.fact(f"All {name}s are {has}.", group)
        categories.append(_Category(f"{name}s", has, above, is_a, tells))
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


def _parent(n: int) -> int:
    return (n - _ROOTS) // _CHILDREN


def _chain(categories: Sequence[_Category], n: int, ancestor: int) -> list[str]:
    """The ids of the facts that lead from a category to one of its ancestors."""
    path = [n, *categories[n].above]
    below_ancestor = path[: path.index(ancestor)]
    return [categories[step].is_a for step in below_ancestor]


class _Asker:
    """Puts questions about all categories into a world; categories go by their places."""

    def __init__(self, world: Builder, categories: Sequence[_Category], held_out: set[int]) -> None:
        self._world = world
        self._all = categories
        self._held_out = held_out

    def ask(self) -> None:
        """Of each category three questions: in other words, from the other end, and further up."""
        for n, category in enumerate(self._all):
            holdout = n in self._held_out
            if category.is_a and (holdout or n % 2 == 0):
                parent = category.above[0]
                self._ask_kind(n, parent)
                self._ask_from_above(n, parent, self._all[parent].name, category.is_a)
            else:
                self._ask_property("rephrasing", n, n)
                self._ask_from_above(n, n, category.has, category.tells)
            if holdout:
                for ancestor in category.above:
                    self._ask_property("holdout", n, ancestor)
            elif category.above:
                # The parent's, and the farthest ancestor's, in turn.
                owner = category.above[0] if n // 2 % 2 else category.above[-1]
                self._ask_property("syllogism", n, owner)

    def _ask_kind(self, n: int, parent: int) -> None:
        """What a category is."""
        others = [one for one in self._peers(parent) if one not in self._all[n].above]
        wrong = [self._all[one].one for one in others[:_WRONG]]
        prompt = self._world.begun(f"every {self._all[n].one} is a")
        facts = _chain(self._all, n, parent)
        self._world.question("rephrasing", prompt, self._all[parent].one, wrong, facts)

    def _ask_property(self, kind: str, n: int, owner: int) -> None:
        """What a category has: of its own, or of its ancestor's."""
        family = (n, *self._all[n].above)
        others = [one for one in self._peers(owner) if one not in family and self._all[one].tells]
        wrong = [self._all[one].one_that_has for one in others[:_WRONG]]
        prompt = self._world.begun(f"every {self._all[n].one} is a")
        facts = [*_chain(self._all, n, owner), self._all[owner].tells]
        self._world.question(kind, prompt, self._all[owner].one_that_has, wrong, facts)

    def _ask_from_above(self, n: int, whole: int, named: str, fact_id: str) -> None:
        """From the other end: what is such a category, or has such a property.

        Args:
            whole: the category that the answer is part of.
            named: what the question names: the whole, or what it has.
        """
        # What contains the whole has some of it in it, too.
        family = (whole, *self._all[whole].above)
        others = [
            one for one in self._peers(n) if one not in family and whole not in self._all[one].above
        ]
        wrong = [self._all[one].name for one in others[:_WRONG]]
        prompt = self._world.begun(f"some {named} are")
        self._world.question("reversal", prompt, self._all[n].name, wrong, [fact_id])

    def _peers(self, n: int) -> list[int]:
        """The other categories, those of the same depth first, each depth in random order."""
        depth = len(self._all[n].above)
        others = [one for one in range(len(self._all)) if one != n]
        self._world.rng.shuffle(others)
        return sorted(others, key=lambda one: abs(len(self._all[one].above) - depth))


def _consequences(world: Builder, categories: Sequence[_Category]) -> None:
    """All that follows of each category, and each fact from its other end."""
    for n, category in enumerate(categories):
        for ancestor in category.above:
            path = _chain(categories, n, ancestor)
            other = categories[ancestor]
            if len(path) > 1:
                world.follows(f"All {category.name} are {other.name}.", *path)
            world.follows(f"All {category.name} are {other.has}.", *path, other.tells)
        if category.is_a:
            parent = categories[category.above[0]]
            world.follows(f"Some {parent.name} are {category.name}.", category.is_a)
        if category.tells:
            world.follows(f"Some {category.has} are {category.name}.", category.tells)


def _documents(world: Builder, rng: Random) -> Iterator[Document]:
    """All that is told of a category, as one text."""
    groups: dict[str | None, list[Fact]] = {}
    for fact in world.facts:
        groups.setdefault(fact.group, []).append(fact)
    for facts in groups.values():
        text = " ".join([rng.choice(PREAMBLES), *(fact.text for fact in facts)])
        yield Document(text, tuple(fact.id for fact in facts))


class _Judge:
    """A universal holds of what is below; a particular where something is both; that something is
    not is never told.
    """

    def __init__(self, categories: Sequence[_Category]) -> None:
        # A category or property -> all that its members are.
        self._within: dict[str, frozenset[str]] = {}
        for category in categories:
            within: set[str] = set()
            for one in (category, *(categories[n] for n in category.above)):
                within.add(one.name)
                if one.tells:
                    within.add(one.has)
            self._within[category.name] = frozenset(within)
            self._within[category.has] = frozenset({category.has})
        self._terms: dict[str, str] = {}
        for term in self._within:
            self._terms |= {term: term, term[:-1]: term}

    def __call__(self, text: str) -> bool | None:
        claim = read(plain(text), self._terms)
        if claim is None:
            return None
        subject, predicate = claim.subject, claim.predicate
        neither_meant = not subject.meant and not predicate.meant
        if claim.how == "all" and neither_meant:  # "what is no vorp is no dalm"
            return subject.name in self._within[predicate.name]
        if not (subject.meant and predicate.meant):
            return False
        if claim.how == "all":
            return predicate.name in self._within[subject.name]
        both = {subject.name, predicate.name}
        return any(both <= within for within in self._within.values())
