"""Rule before judge: where a statement has a known form, logic decides. English only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.logic import GENERAL, Claims, consequences, contrapositive, converse, parse


def follows_by(
    rule: str,
) -> Callable[[Candidate, Sequence[Candidate], AugmentSettings], str | None]:
    """The filter of a deductive operator: a candidate must follow from its premises by this rule (a
    name in forms.RULES).
    """

    def invalid(
        candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
    ) -> str | None:
        said = parse(candidate.text)
        if said is None:
            return "is no statement of a form that is known"
        premises = [form for form in map(parse, candidate.ground) if form is not None]
        if said not in consequences(rule, premises, known=Claims(premises)):
            return "does not follow from its premises"
        return None

    return invalid


def recognised_form(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Where source and candidate both have a known form, the candidate must say the same or a valid
    conversion of it.

    Of a source that is about kinds, a list or a condition only what has a known form can be checked
    at all.

    No rule decides between two relations that are not known to be the same or opposite ("mother
    of", "child of"), nor whether a role holds both ways round ("spouse of").
    """
    source, said = parse(candidate.source), parse(candidate.text)
    if source is not None and said is None and source.kind in GENERAL:
        return "is no statement of a form that is known"
    if source is None or said is None or source.relation != said.relation:
        return None
    if source.kind == said.kind == "if" and {term.key for term in source.terms} != {
        term.key for term in said.terms
    }:
        return None  # a clause may have been paraphrased
    if "member" in (source.kind, said.kind) or (
        said.kind == "role" and said.terms == source.terms[::-1]
    ):
        return None
    allowed = (source, converse(source), contrapositive(source))
    return None if said in allowed else "is not what its source says"
