"""Which facts an operator starts from: one, two that share an entity, or one among the others it has to do with.

Partners are found through an index of what facts speak of, never by trying all pairs: the cost grows with the facts
and the entities they share, and a cap per fact keeps an entity that stands in every fact from making it quadratic.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from augmlx import forms
from augmlx.forms import Form
from augmlx.language import arguments, entities, is_number, normalise, with_determiner
from augmlx.operators import Operator
from augmlx.records import Fact

_SCANNED = 16  # partners looked at for each one that is taken, before the rest is given up


@dataclass(frozen=True, slots=True)
class Premises:
    """What one result is drawn from: `facts`, the one it is about first. `known` is shown besides. `openings` are what
    the conclusions of a rule begin with, one for each conclusion."""

    facts: tuple[Fact, ...]
    known: tuple[Fact, ...] = ()
    openings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The premises of one operator. Of `without` facts it has nothing to say; `capped` have more partners than are
    taken."""

    premises: list[Premises]
    without: int = 0
    capped: int = 0


class Premiser:
    """Finds the premises of operators among one set of facts. `partners` is the most that one fact is paired with."""

    def __init__(self, facts: Sequence[Fact], *, partners: int, count: Callable[[str], int]) -> None:
        self._facts, self._partners, self._count = facts, partners, count

    def find(self, operator: Operator, budget: int) -> Found:
        """The premises of an operator; `budget` is the most tokens of other facts that a corpus operator shows."""
        if operator.arity == "corpus":
            return self._corpus(budget)
        if operator.arity == "one":
            return self._ones(operator.rule) if operator.rule else Found([Premises((fact,)) for fact in self._facts])
        return self._bridges() if operator.rule in ("", "bridge") else self._deductions(operator.rule)

    # What the facts speak of

    @cached_property
    def _forms(self) -> dict[int, Form]:
        """The facts that are statements of a known form."""
        parsed = ((index, forms.parse(fact.text)) for index, fact in enumerate(self._facts))
        return {index: form for index, form in parsed if form is not None}

    @cached_property
    def _known(self) -> forms.Claims:
        return forms.Claims(self._forms.values())

    def _names(self, index: int) -> frozenset[str]:
        return names(self._facts[index].text)

    # One

    def _ones(self, rule: str) -> Found:
        found = []
        for index, form in self._forms.items():
            if drawn := forms.consequences(rule, (form,), self._known):
                found.append(Premises((self._facts[index],), openings=_openings(drawn)))
        return Found(found, without=len(self._facts) - len(found))

    # Pairs

    def _deductions(self, rule: str) -> Found:
        """Pairs of statements from which something follows by a rule; each pair once, in the order of the facts."""
        index = _index((n, forms.terms(form)) for n, form in self._forms.items())

        def partners(first: int) -> Iterator[Premises | None]:
            seen = {first}
            for term in dict.fromkeys(forms.terms(self._forms[first])):
                for second in _after(index[term], first):
                    if second not in seen:
                        seen.add(second)
                        drawn = forms.consequences(rule, (self._forms[first], self._forms[second]), self._known)
                        both = (self._facts[first], self._facts[second])
                        yield Premises(both, openings=_openings(drawn)) if drawn else None

        return self._capped(self._forms, partners)

    def _bridges(self) -> Found:
        """Pairs of which the first ends with the name that the second begins with. A common noun is no bridge: it may
        be another one's."""
        ends: dict[int, tuple[str, str]] = {}
        for n, fact in enumerate(self._facts):
            if found := arguments(fact.text):
                named = {entity.text for entity in entities(fact.text) if not is_number(entity.text)}
                first, last = (mention.text if mention.text in named else "" for mention in found)
                ends[n] = (normalise(first), normalise(last))
        index = _index((n, [first]) for n, (first, _) in ends.items() if first)

        def partners(first: int) -> Iterator[Premises | None]:
            begins, shared = ends[first]
            followers = index.get(shared, []) if begins else []
            start = first % max(1, len(followers))  # so that the facts of one hub do not all take the same partners
            for second in (*followers[start:], *followers[:start]):
                if second != first and ends[second][1] not in ("", begins):
                    text = self._facts[first].text
                    found = arguments(text)
                    opening = with_determiner(text, found[0]) if found else ""
                    yield Premises((self._facts[first], self._facts[second]), openings=(opening,))

        return self._capped(ends, partners)

    def _capped(self, starts: Iterable[int], partners: Callable[[int], Iterator[Premises | None]]) -> Found:
        found: list[Premises] = []
        paired: set[str] = set()
        capped = 0
        for first in starts:
            taken: list[Premises] = []
            looked = partners(first)
            for pair in islice(looked, _SCANNED * self._partners):
                if pair is not None:
                    taken.append(pair)
                if len(taken) == self._partners:
                    break
            capped += next(looked, None) is not None
            found += taken
            paired |= {fact.id for pair in taken for fact in pair.facts}
        return Found(found, without=len(self._facts) - len(paired), capped=capped)

    # Corpus

    def _corpus(self, budget: int) -> Found:
        """Each fact among all the others where they fit; else among those that hang together with it by names they
        share; else among its direct neighbours. What many facts see is the same tuple, so it is prefilled once."""
        costs = [self._count(f"{fact.text}\n") + 4 for fact in self._facts]
        if sum(costs) <= budget:
            everything = tuple(self._facts)
            return Found([Premises((fact,), known=everything) for fact in self._facts if len(everything) > 1])
        index = _index((n, self._names(n)) for n in range(len(self._facts)))
        found, capped = [], 0
        for group in _components(len(self._facts), index.values()):
            if sum(costs[n] for n in group) <= budget:
                known = tuple(self._facts[n] for n in group)
                found += [Premises((self._facts[n],), known=known) for n in group if len(group) > 1]
                continue
            for n in group:
                near = dict.fromkeys(other for name in sorted(self._names(n)) for other in _around(index[name], n))
                shown, left = {n}, budget - costs[n]
                for other in near:
                    if other not in shown and costs[other] <= left:
                        shown.add(other)
                        left -= costs[other]
                capped += len(shown) < len({n, *near})
                found.append(Premises((self._facts[n],), known=tuple(self._facts[m] for m in sorted(shown))))
        return Found(found, without=len(self._facts) - len(found), capped=capped)


def _openings(drawn: Sequence[Form]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(forms.opening, drawn)))


def names(text: str) -> frozenset[str]:
    """What a text speaks of, normalised: its names, and its arguments where they are none."""
    named = [entity.text for entity in entities(text) if not is_number(entity.text)]
    return frozenset(normalise(name) for name in (*named, *(mention.text for mention in arguments(text) or ())))


def _index(keyed: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """name -> the facts that hold it, ascending."""
    index: dict[str, list[int]] = {}
    for number, names in keyed:
        for name in dict.fromkeys(names):
            index.setdefault(name, []).append(number)
    return index


def _after(numbers: Sequence[int], number: int) -> Iterator[int]:
    return islice(numbers, bisect_right(numbers, number), None)


def _around(numbers: Sequence[int], number: int, most: int = 64) -> Sequence[int]:
    """The members of an ascending list that stand nearest to `number`."""
    middle = bisect_right(numbers, number)
    return numbers[max(0, middle - most // 2) : middle + most // 2]


def _components(size: int, groups: Iterable[Sequence[int]]) -> list[list[int]]:
    """What hangs together by any of the groups, by union-find; ascending, in the order of their first members."""
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
