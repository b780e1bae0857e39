"""Which facts an operator starts from: one, two that share an entity, or one among the others it
has to do with.

Partners are found through an index of what facts speak of, never by trying all pairs: the cost
grows with the facts and the entities they share, and a cap per fact keeps an entity that stands in
every fact from making it quadratic.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from augmlx.augment.operators import Operator
from augmlx.core.records import Fact
from augmlx.english import logic
from augmlx.english.logic import Form
from augmlx.english.names import entities, is_number, with_determiner
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

_SCANNED = 16  # partners looked at for each one that is taken, before the rest is given up
_NEAR = 64  # neighbours by one name that are looked at


@dataclass(frozen=True, slots=True)
class Premises:
    """What one result is drawn from: `facts`, the one it is about first. `known` is shown besides.
    `openings` are what the conclusions of a rule begin with, one for each conclusion.
    """

    facts: tuple[Fact, ...]
    known: tuple[Fact, ...] = ()
    openings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """ "f0001", or "f0001+f0007" for a pair; a "+" within the ids of a pair is written as in
        addresses.
        """
        ids = [fact.id for fact in self.facts]
        return (
            ids[0]
            if len(ids) == 1
            else "+".join(i.replace("%", "%25").replace("+", "%2B") for i in ids)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The premises of one operator. Of `without` facts it has nothing to say; `capped` have more
    partners than are taken.
    """

    premises: list[Premises]
    without: int = 0
    capped: int = 0


_Pair = tuple[int, int]  # two facts, by their place


class Premiser:
    """Finds the premises of operators among one set of facts. `partners` is the most that one fact
    is paired with.
    """

    def __init__(
        self, facts: Sequence[Fact], *, partners: int, count: Callable[[str], int]
    ) -> None:
        self._facts, self._partners, self._count = facts, partners, count

    def find(self, operator: Operator, budget: int) -> Found:
        """The premises of an operator; `budget` is the most tokens of other facts that a corpus
        operator shows.
        """
        if operator.arity == "corpus":
            return self._corpus(budget)
        if operator.arity == "one":
            return (
                self._ones(operator.rule)
                if operator.rule
                else Found([Premises((fact,)) for fact in self._facts])
            )
        return (
            self._bridges() if operator.rule in ("", "bridge") else self._deductions(operator.rule)
        )

    # What the facts speak of

    @cached_property
    def _forms(self) -> dict[int, Form]:
        """The facts that are statements of a known form."""
        parsed = ((index, logic.parse(fact.text)) for index, fact in enumerate(self._facts))
        return {index: form for index, form in parsed if form is not None}

    @cached_property
    def _known(self) -> logic.Claims:
        return logic.Claims(self._forms.values())

    @cached_property
    def _hubs(self) -> _Hubs:
        return _Hubs(self._forms)

    @cached_property
    def _names(self) -> list[frozenset[str]]:
        return [names(fact.text) for fact in self._facts]

    # One

    def _ones(self, rule: str) -> Found:
        found = []
        for index, form in self._forms.items():
            if drawn := logic.consequences(rule, (form,), self._known):
                found.append(Premises((self._facts[index],), openings=_openings(drawn)))
        return Found(found, without=len(self._facts) - len(found))

    # Pairs

    def _deductions(self, rule: str) -> Found:
        """Pairs of statements from which something follows by a rule; each pair once, in the order
        of the facts.
        """
        index = self._hubs

        def draw(pair: _Pair) -> Premises | None:
            drawn = logic.consequences(rule, tuple(self._forms[n] for n in pair), self._known)
            return (
                Premises(tuple(self._facts[n] for n in pair), openings=_openings(drawn))
                if drawn
                else None
            )

        def pairs(first: int) -> Iterator[_Pair]:
            return ((min(first, second), max(first, second)) for second in index.partners(first))

        return self._paired(self._forms, pairs, draw)

    def _bridges(self) -> Found:
        """Pairs of which the first ends with the name that the second begins with. A common noun is
        no bridge: it may be another one's.
        """
        ends: dict[int, tuple[str, str]] = {}
        openings: dict[int, str] = {}
        for n, fact in enumerate(self._facts):
            if found := arguments(fact.text):
                named = {
                    entity.start for entity in entities(fact.text) if not is_number(entity.text)
                }
                first, last = (
                    normalise(mention.text) if mention.start in named else "" for mention in found
                )
                ends[n], openings[n] = (first, last), with_determiner(fact.text, found[0])
        index = _index((n, [first]) for n, (first, _) in ends.items() if first)

        def draw(pair: _Pair) -> Premises | None:
            first, second = pair
            if ends[second][1] in ("", ends[first][0]):
                return None
            return Premises((self._facts[first], self._facts[second]), openings=(openings[first],))

        def pairs(first: int) -> Iterator[_Pair]:
            begins, shared = ends[first]
            return (
                (first, second)
                for second in _around(index.get(shared, []) if begins else [], first)
            )

        return self._paired(ends, pairs, draw)

    def _paired(
        self,
        starts: Iterable[int],
        pairs: Callable[[int], Iterator[_Pair]],
        draw: Callable[[_Pair], Premises | None],
    ) -> Found:
        """What the pairs of each start give; each start takes no more new ones than it is
        allowed.
        """
        taken: dict[_Pair, Premises] = {}

        def new(first: int) -> Iterator[tuple[_Pair, Premises]]:
            untried = (pair for pair in pairs(first) if pair not in taken)
            for pair in islice(untried, _SCANNED * self._partners):
                if premises := draw(pair):
                    yield pair, premises

        full = []
        for first in starts:
            found = list(islice(new(first), self._partners))
            taken.update(found)
            if len(found) == self._partners:
                full.append(first)
        paired = {n for pair in taken for n in pair}
        capped = sum(
            next(new(first), None) is not None for first in full
        )  # what others took meanwhile is not missing
        return Found(list(taken.values()), without=len(self._facts) - len(paired), capped=capped)

    # Corpus

    def _corpus(self, budget: int) -> Found:
        """Each fact among all the others where they fit; else among those that hang together with
        it by names they share; else among its direct neighbours. What many facts see is the same
        tuple, so it is prefilled once.
        """
        costs = [self._count(f"{fact.text}\n") + 4 for fact in self._facts]
        if sum(costs) <= budget:
            everything = tuple(self._facts)
            alone = len(everything) == 1
            return Found(
                [Premises((fact,), known=everything) for fact in everything if not alone],
                without=int(alone),
            )
        index = _index(enumerate(self._names))
        found, capped = [], 0
        for group in _components(len(self._facts), index.values()):
            if sum(costs[n] for n in group) <= budget:
                known = tuple(self._facts[n] for n in group)
                found += [Premises((self._facts[n],), known=known) for n in group if len(group) > 1]
                continue
            for n in group:
                shown, more = self._near(n, index, costs, budget)
                capped += more
                if len(shown) > 1:
                    found.append(
                        Premises((self._facts[n],), known=tuple(self._facts[m] for m in shown))
                    )
        return Found(found, without=len(self._facts) - len(found), capped=capped)

    def _near(
        self, n: int, index: Mapping[str, Sequence[int]], costs: Sequence[int], budget: int
    ) -> tuple[list[int], bool]:
        """A fact and those of its neighbours that fit beside it, in the order of the facts; and
        whether it has more.
        """
        shown, left, more = {n}, budget - costs[n], False
        for name in sorted(self._names[n]):
            others = _around(index[name], n)
            for other in islice(others, _NEAR):
                if other in shown:
                    continue
                if costs[other] <= left:
                    shown.add(other)
                    left -= costs[other]
                else:
                    more = True
            more = more or next(others, None) is not None
        return sorted(shown), more


def _openings(drawn: Sequence[Form]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(logic.opening, drawn)))


def names(text: str) -> frozenset[str]:
    """What a text speaks of, normalised: its names, and its arguments where they are none."""
    named = [entity.text for entity in entities(text) if not is_number(entity.text)]
    return frozenset(
        normalise(name) for name in (*named, *(mention.text for mention in arguments(text) or ()))
    )


def _index(keyed: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """name -> the facts that hold it, ascending."""
    index: dict[str, list[int]] = {}
    for number, names in keyed:
        for name in dict.fromkeys(names):
            index.setdefault(name, []).append(number)
    return index


class _Hubs:
    """Statements by what they speak of. The partners of one are looked for where its terms stand
    most rarely: behind a thousand "... is in Orr", the one statement that says where Orr is comes
    first.
    """

    def __init__(self, statements: Mapping[int, Form]) -> None:
        self._terms = {n: logic.terms(form) for n, form in statements.items()}
        places: dict[str, dict[tuple[str, str, int], list[int]]] = {}
        for n, form in statements.items():
            place = {
                term.key: min(at, 2)
                for at, term in reversed([*enumerate((*form.terms, *form.items))])
            }
            for term in self._terms[n]:
                places.setdefault(term, {}).setdefault(
                    (form.kind, form.relation, place[term]), []
                ).append(n)
        self._lists = {term: sorted(found.values(), key=len) for term, found in places.items()}

    def partners(self, first: int) -> Iterator[int]:
        """The others that share a term, each once."""
        seen = {first}
        for term in self._terms[first]:
            for numbers in self._lists[term]:
                for second in _around(numbers, first):
                    if second not in seen:
                        seen.add(second)
                        yield second


def _around(numbers: Sequence[int], number: int) -> Iterator[int]:
    """The other members of an ascending list, from `number` on and round to it, so that the facts
    of one hub do not all take the same partners.
    """
    start = bisect_left(numbers, number)
    for at in chain(range(start, len(numbers)), range(start)):
        if numbers[at] != number:
            yield numbers[at]


def _components(size: int, groups: Iterable[Sequence[int]]) -> list[list[int]]:
    """What hangs together by any of the groups, by union-find; ascending, in the order of their
    first members.
    """
    parent = list(range(size))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for group in groups:
        for other in group[1:]:
            one, two = sorted((root(group[0]), root(other)))
            parent[two] = one
    found: dict[int, list[int]] = {}
    for n in range(size):
        found.setdefault(root(n), []).append(n)
    return list(found.values())
