"""Rule before judge: where a statement has a known form, logic decides. English only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.logic import (
    GENERAL,
    Claims,
    Form,
    consequences,
    contrapositive,
    converse,
    parse,
)

_UNKNOWN_FORM = "is no statement of a form that is known"


def follows_by(
    rule: str,
) -> Callable[[Candidate, Sequence[Candidate], AugmentSettings], str | None]:
    """The filter of a deductive operator: a candidate must follow from its premises by this rule (a
    name in logic.RULES).
    """

    def invalid(
        candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
    ) -> str | None:
        conclusion = parse(candidate.text)
        if conclusion is None:
            return _UNKNOWN_FORM
        premises = [form for form in map(parse, candidate.ground) if form is not None]
        if conclusion not in consequences(rule, premises, known=Claims(premises)):
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
    """
    source, form = parse(candidate.source), parse(candidate.text)
    if source is None:
        return None
    if form is None:
        return _UNKNOWN_FORM if source.kind in GENERAL else None
    if not _is_decided(source, form):
        return None
    allowed = (source, converse(source), contrapositive(source))
    return None if form in allowed else "is not what its source says"


def _is_decided(source: Form, form: Form) -> bool:
    """Whether a rule decides between two forms.

    None does between two relations that are not known to be the same or opposite ("mother of",
    "child of"), nor whether a role holds both ways round ("spouse of").
    """
    if source.relation != form.relation or "member" in (source.kind, form.kind):
        return False
    if source.kind == form.kind == "if":
        # A clause may have been paraphrased.
        return {term.key for term in source.terms} == {term.key for term in form.terms}
    return not (form.kind == "role" and form.terms == source.terms[::-1])
