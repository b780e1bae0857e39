"""One fact among others that are shown besides: all of them where they fit into a prompt, else
those that it has to do with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from augmlx.augment import fact_index
from augmlx.augment.premises import PremiseList, Premises
from augmlx.core.records import Fact

_NEAR = 64  # neighbours by one name that are looked at


def neighbourhoods(
    facts: Sequence[Fact],
    names_of_facts: Sequence[frozenset[str]],
    costs: Sequence[int],
    budget: int,
) -> PremiseList:
    """Each fact among all the others where they fit; else among those that hang together with it
    by names they share; else among its direct neighbours.

    What many facts see is the same tuple, so it is prefilled once.

    Args:
        facts: all of them.
        names_of_facts: what each speaks of.
        costs: tokens of each.
        budget: the most tokens that are shown.
    """
    if sum(costs) <= budget:
        return _everything(facts)
    index = fact_index.index_by_name(enumerate(names_of_facts))
    premises, capped = [], 0
    for group in fact_index.components(len(facts), index.values()):
        if sum(costs[number] for number in group) <= budget:
            premises += _all_of_group(facts, group)
            continue
        for number in group:
            shown, has_more = _near(number, names_of_facts[number], index, costs, budget)
            capped += has_more
            if len(shown) > 1:
                known = tuple(facts[other] for other in shown)
                premises.append(Premises((facts[number],), known=known))
    return PremiseList(premises, without=len(facts) - len(premises), capped=capped)


def _everything(facts: Sequence[Fact]) -> PremiseList:
    known = tuple(facts)
    if len(known) == 1:
        return PremiseList([], without=1)
    return PremiseList(_each_among(known))


def _each_among(known: tuple[Fact, ...]) -> list[Premises]:
    return [Premises((fact,), known=known) for fact in known]


def _all_of_group(facts: Sequence[Fact], group: Sequence[int]) -> list[Premises]:
    """Each fact of a group among the whole of it."""
    if len(group) == 1:
        return []
    known = tuple(facts[number] for number in group)
    return _each_among(known)


def _near(
    number: int,
    names: frozenset[str],
    index: Mapping[str, Sequence[int]],
    costs: Sequence[int],
    budget: int,
) -> tuple[list[int], bool]:
    """A fact and those of its neighbours that fit beside it, in the order of the facts; and
    whether it has more.
    """
    shown = {number}
    room = budget - costs[number]
    has_more = False
    for name in sorted(names):
        others = fact_index.around(index[name], number)
        for other in islice(others, _NEAR):
            if other in shown:
                continue
            if costs[other] <= room:
                shown.add(other)
                room -= costs[other]
            else:
                has_more = True
        if next(others, None) is not None:
            has_more = True
    return sorted(shown), has_more
