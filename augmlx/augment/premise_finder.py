"""Which facts an operator starts from: one, two that share an entity, or one among the others it
has to do with.

Partners are found through an index of what facts speak of, never by trying all pairs: the cost
grows with the facts and the entities they share, and a cap per fact keeps an entity that stands in
every fact from making it quadratic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from augmlx.augment import fact_index
from augmlx.augment.neighbourhood import neighbourhoods
from augmlx.augment.operators import Operator
from augmlx.augment.premises import PremiseList, Premises
from augmlx.core.records import Fact
from augmlx.english import logic
from augmlx.english.logic import Form
from augmlx.english.names import entities, is_number, with_determiner
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

_SCANNED = 16  # partners looked at for each one that is taken, before the rest is given up
_LABEL = 4  # tokens around a fact that is shown besides, such as "Known: "
_Pair = tuple[int, int]  # two facts, by their place


class PremiseFinder:
    """Finds the premises of operators among one set of facts.

    Args:
        facts: all of them.
        partners: the most that one fact is paired with.
        count: how many tokens a text is.
    """

    def __init__(
        self, facts: Sequence[Fact], *, partners: int, count: Callable[[str], int]
    ) -> None:
        self._facts = facts
        self._partners = partners
        self._count = count

    def find(self, operator: Operator, budget: int) -> PremiseList:
        """The premises of an operator; `budget` is the most tokens of other facts that a corpus
        operator shows.
        """
        if operator.arity == "corpus":
            costs = [self._count(f"{fact.text}\n") + _LABEL for fact in self._facts]
            return neighbourhoods(self._facts, self._names, costs, budget)
        if operator.arity == "one" and operator.rule:
            return self._conclusive(operator.rule)
        if operator.arity == "one":
            return PremiseList([Premises((fact,)) for fact in self._facts])
        if operator.rule in ("", "bridge"):
            return self._bridges()
        return self._deductions(operator.rule)

    # What the facts speak of

    @cached_property
    def _forms(self) -> dict[int, Form]:
        """The facts that are statements of a known form."""
        forms = {}
        for number, fact in enumerate(self._facts):
            form = logic.parse(fact.text)
            if form is not None:
                forms[number] = form
        return forms

    @cached_property
    def _claims(self) -> logic.Claims:
        return logic.Claims(self._forms.values())

    @cached_property
    def _hubs(self) -> fact_index.Hubs:
        return fact_index.Hubs(self._forms)

    @cached_property
    def _names(self) -> list[frozenset[str]]:
        return [fact_index.names_in(fact.text) for fact in self._facts]

    # One

    def _conclusive(self, rule: str) -> PremiseList:
        """The facts from which something follows by a rule."""
        premises = []
        for number in self._forms:
            openings = self._openings(rule, (number,))
            if openings:
                premises.append(Premises((self._facts[number],), openings=openings))
        return PremiseList(premises, without=len(self._facts) - len(premises))

    def _openings(self, rule: str, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """What the conclusions of facts by a rule begin with; () where nothing follows."""
        forms = [self._forms[number] for number in numbers]
        conclusions = logic.consequences(rule, forms, self._claims)
        openings = map(logic.opening, conclusions)
        return tuple(dict.fromkeys(openings))

    # Pairs

    def _deductions(self, rule: str) -> PremiseList:
        """Pairs of statements from which something follows by a rule; each pair once, in the order
        of the facts.
        """

        def premises_of(pair: _Pair) -> Premises | None:
            openings = self._openings(rule, pair)
            if not openings:
                return None
            return self._pair(pair, openings)

        def pairs_of(first: int) -> Iterator[_Pair]:
            for second in self._hubs.partners(first):
                earlier, later = sorted((first, second))
                yield earlier, later

        return self._paired(self._forms, pairs_of, premises_of)

    def _bridges(self) -> PremiseList:
        """Pairs of which the first ends with the name that the second begins with. A common noun is
        no bridge: it may be another one's.
        """
        ends: dict[int, _Ends] = {}
        for number, fact in enumerate(self._facts):
            ends_of_fact = _ends(fact.text)
            if ends_of_fact is not None:
                ends[number] = ends_of_fact
        index = fact_index.index_by_name(
            (number, [ends_of_fact.first]) for number, ends_of_fact in ends.items()
        )

        def premises_of(pair: _Pair) -> Premises | None:
            first, second = ends[pair[0]], ends[pair[1]]
            if second.last in ("", first.first):
                return None
            return self._pair(pair, (first.opening,))

        def pairs_of(first: int) -> Iterator[_Pair]:
            own = ends[first]
            if not own.first or not own.last:
                return
            begin_so = index.get(own.last, [])
            for second in fact_index.around(begin_so, first):
                yield first, second

        return self._paired(ends, pairs_of, premises_of)

    def _pair(self, pair: _Pair, openings: tuple[str, ...]) -> Premises:
        first, second = pair
        facts = (self._facts[first], self._facts[second])
        return Premises(facts, openings=openings)

    def _paired(
        self,
        starts: Iterable[int],
        pairs_of: Callable[[int], Iterator[_Pair]],
        premises_of: Callable[[_Pair], Premises | None],
    ) -> PremiseList:
        """What the pairs of each start give; each start takes no more new ones than it is
        allowed.
        """
        taken: dict[_Pair, Premises] = {}

        def new(first: int) -> Iterator[tuple[_Pair, Premises]]:
            untried = (pair for pair in pairs_of(first) if pair not in taken)
            for pair in islice(untried, _SCANNED * self._partners):
                premises = premises_of(pair)
                if premises is not None:
                    yield pair, premises

        full = []
        for first in starts:
            partners = list(islice(new(first), self._partners))
            taken.update(partners)
            if len(partners) == self._partners:
                full.append(first)
        paired = set(chain.from_iterable(taken))
        # What others took meanwhile is not missing.
        capped = [first for first in full if next(new(first), None) is not None]
        without = len(self._facts) - len(paired)
        return PremiseList(list(taken.values()), without=without, capped=len(capped))


@dataclass(frozen=True, slots=True)
class _Ends:
    """The names that a statement begins and ends with, normalised, "" where it is no name; and its
    beginning as a conclusion would take it.
    """

    first: str
    last: str
    opening: str


def _ends(text: str) -> _Ends | None:
    mentions = arguments(text)
    if mentions is None:
        return None
    starts = {entity.start for entity in entities(text) if not is_number(entity.text)}
    first, last = [
        normalise(mention.text) if mention.start in starts else "" for mention in mentions
    ]
    return _Ends(first, last, opening=with_determiner(text, mentions[0]))
