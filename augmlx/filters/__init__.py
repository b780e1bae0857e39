"""Filters: pure functions that object to a candidate, or do not.

A filter sees one candidate and those of the same fact and operator that survived the filters before it ("siblings",
in sample order, the candidate among them). It returns why the candidate must go, or None. Reasons never quote the
user's text: they end up in logs and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from augmlx.filters import form, logic, votes
from augmlx.filters.candidate import Candidate
from augmlx.settings import AugmentSettings

__all__ = ["FILTERS", "Candidate", "Verdict", "judge"]

Filter = Callable[[Candidate, Sequence[Candidate], AugmentSettings], str | None]

FILTERS: Mapping[str, Filter] = {
    "form": form.objection,
    "entity": logic.unknown_entity,
    "direction": logic.same_direction,
    "order": logic.changed_order,
    "swap": logic.swapped,
    "relation": logic.lost_relation,
    "meaning": logic.changed_meaning,
    "vote": votes.outvoted,
    "duplicate": votes.duplicate,
    "keep": votes.surplus,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a candidate; `by` and `why` are empty where it is kept."""

    candidate: Candidate
    by: str = ""
    why: str = ""

    @property
    def kept(self) -> bool:
        return not self.by


def judge(candidates: Sequence[Candidate], filters: Sequence[str], settings: AugmentSettings) -> list[Verdict]:
    """One verdict per candidate of one fact and operator, in their order.

    The filters run one after another over what is left, so logic decides before the vote is counted. "keep", the limit
    of examples per fact and operator, always comes last.
    """
    verdicts = {candidate.sample: Verdict(candidate) for candidate in candidates}
    left = list(candidates)
    for name in (*filters, "keep"):
        objections = {c.sample: FILTERS[name](c, left, settings) for c in left}
        for candidate in left:
            if why := objections[candidate.sample]:
                verdicts[candidate.sample] = Verdict(candidate, by=name, why=why)
        left = [candidate for candidate in left if not objections[candidate.sample]]
    return [verdicts[candidate.sample] for candidate in candidates]
