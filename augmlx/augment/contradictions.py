"""Contradictions: of two kept statements that cannot both hold, the weaker goes.

Facts are the strongest; then what the most samples agree on. Statements are taken in that order,
each unless it denies one that was taken before. They are found by what they fix, in linear time,
and only among sentences of a known form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augmlx.core.records import Example, Fact
from augmlx.english import logic
from augmlx.english.logic import Claims, Form


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    agreement: float
    form: Form


class Consistency:
    """What the facts fix, and the kept statements that could deny it."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._claims = Claims()
        self._names: list[str] = []  # in the order in which they were taken
        self._kept: list[_Kept] = []
        self.disputes: list[
            tuple[str, str]
        ] = []  # sources of facts that contradict each other; both stay
        sources = {fact.id: fact.source for fact in facts}
        for fact in facts:
            form = logic.parse(fact.text)
            if form is not None:
                if (other := next(self._claims.against(form), None)) is not None:
                    self.disputes.append((fact.source, sources[self._names[other]]))
                self._take(fact.id, form)

    def _take(self, name: str, form: Form) -> None:
        self._claims.add(form)
        self._names.append(name)

    def settle(self, example: Example) -> None:
        """Take an example that stays, as an earlier round's does."""
        form = logic.parse(example.text)
        if form is not None:
            self._take(example.id, form)

    def consider(self, example: Example) -> None:
        form = logic.parse(example.text)
        if form is not None:
            agreement = (
                1.0 if example.agreement is None else example.agreement
            )  # None: no model wrote it
            self._kept.append(_Kept(example.id, agreement, form))

    def losers(self) -> dict[str, str]:
        """id -> why it goes, of every example that contradicts a fact or a stronger example."""
        found = {}
        for kept in sorted(
            self._kept, key=lambda kept: -kept.agreement
        ):  # stable: earlier ones win among equals
            other = next(self._claims.against(kept.form), None)
            if other is None:
                self._take(kept.name, kept.form)
            else:
                found[kept.name] = f"contradicts {self._names[other]}"
        return found
