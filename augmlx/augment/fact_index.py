"""Which facts speak of the same things: indexes by name and by term, never a look at all pairs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from augmlx.english import logic
from augmlx.english.logic import Form
from augmlx.english.names import entities, is_number
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

_Place = tuple[str, str, int]  # kind and relation of a statement, and where a term stands in it


def names_in(text: str) -> frozenset[str]:
    """What a text speaks of, normalised: its names, and its arguments where they are none."""
    names = [entity.text for entity in entities(text)]
    spoken_of = [name for name in names if not is_number(name)]
    mentions = arguments(text) or ()
    spoken_of += [mention.text for mention in mentions]
    return frozenset(map(normalise, spoken_of))


def index_by_name(names_of_facts: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """name -> the numbers of the facts that hold it, ascending."""
    index: dict[str, list[int]] = {}
    for number, names in names_of_facts:
        for name in dict.fromkeys(names):
            index.setdefault(name, []).append(number)
    return index


def around(numbers: Sequence[int], number: int) -> Iterator[int]:
    """The other members of an ascending list, from `number` on and round to it, so that the facts
    of one hub do not all take the same partners.
    """
    start = bisect_left(numbers, number)
    for place in chain(range(start, len(numbers)), range(start)):
        if numbers[place] != number:
            yield numbers[place]


class Hubs:
    """Statements by what they speak of.

    The partners of one are looked for where its terms stand most rarely: behind a thousand "... is
    in Orr", the one statement that says where Orr is comes first.

    Args:
        statements: number of a fact -> its form.
    """

    def __init__(self, statements: Mapping[int, Form]) -> None:
        self._terms: dict[int, tuple[str, ...]] = {}
        numbers_of_terms: dict[str, dict[_Place, list[int]]] = {}
        for number, form in statements.items():
            positions = _positions(form)
            self._terms[number] = logic.terms(form)
            for term in self._terms[number]:
                place = (form.kind, form.relation, positions[term])
                places_of_term = numbers_of_terms.setdefault(term, {})
                places_of_term.setdefault(place, []).append(number)
        self._rarest_first: dict[str, list[list[int]]] = {}
        for term, places in numbers_of_terms.items():
            self._rarest_first[term] = sorted(places.values(), key=len)

    def partners(self, first: int) -> Iterator[int]:
        """The numbers of the others that share a term, each once."""
        seen = {first}
        for term in self._terms[first]:
            for second in self._holding(term, first):
                if second not in seen:
                    seen.add(second)
                    yield second

    def _holding(self, term: str, first: int) -> Iterator[int]:
        for numbers in self._rarest_first[term]:
            yield from around(numbers, first)


def _positions(form: Form) -> dict[str, int]:
    """Term -> its first position in a statement, as far as it matters: 0, 1, or 2 for later."""
    positions: dict[str, int] = {}
    for position, term in enumerate((*form.terms, *form.items)):
        positions.setdefault(term.key, min(position, 2))
    return positions


def components(size: int, groups: Iterable[Sequence[int]]) -> list[list[int]]:
    """What hangs together by any of the groups, by union-find.

    Args:
        size: the members are the numbers below it.
        groups: numbers that hang together.

    Returns:
        The components, each ascending, in the order of their first members.
    """
    parents = list(range(size))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for group in groups:
        for other in group[1:]:
            lower, higher = sorted((root(group[0]), root(other)))
            parents[higher] = lower
    members: dict[int, list[int]] = {}
    for number in range(size):
        members.setdefault(root(number), []).append(number)
    return list(members.values())
