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
class _Statement:
    """A kept example that could contradict something."""

    id: str
    agreement: float
    form: Form


class Consistency:
    """What the facts fix, and the kept statements that could deny it.

    Attributes:
        disputes: (source, source) of facts that contradict each other; both stay.
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._claims = Claims()
        self._ids: list[str] = []  # of the claims, in the order in which they were taken
        self._waiting: list[_Statement] = []
        self.disputes: list[tuple[str, str]] = []
        sources = {fact.id: fact.source for fact in facts}
        for fact in facts:
            form = logic.parse(fact.text)
            if form is None:
                continue
            denied = self._denied_by(form)
            if denied is not None:
                self.disputes.append((fact.source, sources[denied]))
            self._take(fact.id, form)

    def _denied_by(self, form: Form) -> str | None:
        """The id of the first statement that one cannot stand beside."""
        number = next(self._claims.against(form), None)
        return None if number is None else self._ids[number]

    def _take(self, statement_id: str, form: Form) -> None:
        self._claims.add(form)
        self._ids.append(statement_id)

    def settle(self, example: Example) -> None:
        """Take an example that stays, as an earlier round's does."""
        form = logic.parse(example.text)
        if form is not None:
            self._take(example.id, form)

    def consider(self, example: Example) -> None:
        """Note an example that may have to go."""
        form = logic.parse(example.text)
        if form is None:
            return
        agreement = 1.0 if example.agreement is None else example.agreement  # no model wrote it
        self._waiting.append(_Statement(example.id, agreement, form))

    def losers(self) -> dict[str, str]:
        """id -> why it goes, of every example that contradicts a fact or a stronger example."""
        reasons = {}
        # Stable: earlier ones win among equals.
        strongest_first = sorted(self._waiting, key=lambda statement: -statement.agreement)
        for statement in strongest_first:
            denied = self._denied_by(statement.form)
            if denied is None:
                self._take(statement.id, statement.form)
            else:
                reasons[statement.id] = f"contradicts {denied}"
        return reasons
