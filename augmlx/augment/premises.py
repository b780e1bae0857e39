"""What one result of an operator is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from augmlx.core.records import Fact


@dataclass(frozen=True, slots=True)
class Premises:
    """The facts that one result is drawn from.

    Args:
        facts: the one it is about first.
        known: others that are shown besides.
        openings: what the conclusions of a rule begin with, one for each conclusion.
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
        if len(ids) == 1:
            return ids[0]
        return "+".join(fact_id.replace("%", "%25").replace("+", "%2B") for fact_id in ids)


@dataclass(frozen=True, slots=True)
class PremiseList:
    """The premises of one operator among a set of facts.

    Args:
        premises: in the order of the facts.
        without: how many facts the operator has nothing to say of.
        capped: how many facts have more partners than are taken.
    """

    premises: list[Premises]
    without: int = 0
    capped: int = 0
