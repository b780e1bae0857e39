"""Filters: pure functions that object to a candidate, or do not.

A filter sees one candidate and those of the same fact and operator that survived the filters before
it ("siblings", in sample order, the candidate among them). It returns why the candidate must go, or
None. Reasons never quote the user's text: they end up in logs and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from augmlx.augment.filters import (
    deduction,
    entity,
    form,
    links,
    order,
    other_languages,
    questions,
    relation,
    votes,
    weighing,
)
from augmlx.augment.filters.candidate import Candidate
from augmlx.augment.filters.measures import MEASURES, Rows
from augmlx.augment.filters.witnesses import WITNESSES, Testimony
from augmlx.augment.languages.lexicon import ENGLISH
from augmlx.core.settings import AugmentSettings
from augmlx.english.logic import RULES
from augmlx.english.text import normalise

__all__ = [
    "FILTERS",
    "MEASURES",
    "Candidate",
    "Rows",
    "Scores",
    "Verdict",
    "asks_model",
    "is_known",
    "is_known_right",
    "judge",
    "measures_of",
]

Filter = Callable[[Candidate, Sequence[Candidate], AugmentSettings], str | None]
Scores = Mapping[tuple[int, str], float]  # (sample, measure) -> what the model said

_PURE: Mapping[str, Filter] = {
    "form": form.objection,
    "entity": entity.unknown_entity,
    "direction": order.same_direction,
    "order": order.changed_order,
    "swap": relation.swapped,
    "relation": relation.lost_relation,
    "meaning": relation.changed_meaning,
    "question": questions.objection,
    "bridge": links.bridged,
    "linked": links.linked,
    "recognised": deduction.recognised_form,
    **{rule: deduction.follows_by(rule) for rule in sorted(RULES)},
    "vote": votes.outvoted,
    "duplicate": votes.duplicate,
    "keep": votes.surplus,
}
# The same for facts in other languages. What is not here would have to know a grammar, so it is
# silent.
_IN_OTHER_LANGUAGES: Mapping[str, Filter] = {
    "form": form.objection,
    "direction": other_languages.not_turned,
    "meaning": other_languages.not_reworded,
    "question": other_languages.question,
    "vote": votes.outvoted,
    "duplicate": votes.duplicate,
    "keep": votes.surplus,
}
# What is asked of a text that grammar knows to be right all the same.
_OF_ALL = ("form", "duplicate", "keep")
FILTERS = (*_PURE, *WITNESSES, *MEASURES)  # the names that an operator may ask for


_DEFAULTS = AugmentSettings()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a candidate; `by` and `why` are empty where it is kept."""

    candidate: Candidate
    by: str = ""
    why: str = ""

    @property
    def kept(self) -> bool:
        return not self.by


def judge(
    candidates: Sequence[Candidate],
    filters: Sequence[str],
    settings: AugmentSettings,
    scores: Scores | None = None,
    *,
    limit: bool = True,
) -> list[Verdict]:
    """One verdict per candidate of one operator on the same premises, in their order.

    The filters run one after another over what is left, so logic decides before the model is asked
    and the vote is counted. A text without a word is dropped whatever the filters are: nothing can
    be learnt from it. What a witness knows to be right is excused from all filters but those that
    ask something of every text. "keep", the limit of examples, always comes last, unless `limit` is
    false.
    """
    verdicts: dict[int, Verdict] = {}
    remaining: list[Candidate] = []
    for candidate in candidates:
        if normalise(candidate.text):
            verdicts[candidate.sample] = Verdict(candidate)
            remaining.append(candidate)
        else:
            verdicts[candidate.sample] = Verdict(candidate, by="form", why="empty")
    known_right = {each.sample for each in remaining if is_known_right(each, filters)}
    for name in (*filters, "keep") if limit else filters:
        passed = []
        for candidate in remaining:
            is_excused = candidate.sample in known_right and name not in _OF_ALL
            why = None
            if not is_excused:
                why = _objection(name, candidate, remaining, settings, scores or {})
            if why:
                verdicts[candidate.sample] = Verdict(candidate, by=name, why=why)
            else:
                passed.append(candidate)
        remaining = passed
    return [verdicts[candidate.sample] for candidate in candidates]


def is_known_right(candidate: Candidate, filters: Sequence[str]) -> bool:
    """Whether one of the witnesses among the filters knows a candidate to be right, and its form is
    in order.
    """
    if candidate.language != ENGLISH:
        return False
    witnesses = [WITNESSES[name] for name in filters if name in WITNESSES]
    if Testimony.RIGHT not in [witness(candidate) for witness in witnesses]:
        return False
    return form.objection(candidate, (candidate,), _DEFAULTS) is None


def is_known(candidate: Candidate, filters: Sequence[str]) -> bool | None:
    """The same; None where none of the filters is a witness, or none of the language."""
    has_witness = any(name in WITNESSES for name in filters)
    if not has_witness or candidate.language != ENGLISH:
        return None
    return is_known_right(candidate, filters)


def measures_of(filters: Sequence[str], settings: AugmentSettings) -> list[str]:
    """The measures that some filters go by; those of the weights where there is a witness."""
    named = [name for name in filters if name in MEASURES]
    if not any(name in WITNESSES for name in filters):
        return named
    weighed = [name for name in settings.weights if name in MEASURES and name not in named]
    return [*weighed, *named]


def asks_model(name: str, settings: AugmentSettings) -> bool:
    """Whether a filter goes by what the model says of a candidate."""
    return name in MEASURES or (name in WITNESSES and bool(settings.weights))


def _objection(
    name: str,
    candidate: Candidate,
    siblings: Sequence[Candidate],
    settings: AugmentSettings,
    scores: Scores,
) -> str | None:
    if name in MEASURES:
        value = scores.get((candidate.sample, name))
        return None if value is None else MEASURES[name].objection(value, settings)
    if candidate.language != ENGLISH:
        other = _IN_OTHER_LANGUAGES.get(name)
        return other(candidate, siblings, settings) if other else None
    if name in WITNESSES:
        return _doubt(WITNESSES[name](candidate), candidate, settings, scores)
    return _PURE[name](candidate, siblings, settings)


def _doubt(
    testimony: Testimony, candidate: Candidate, settings: AugmentSettings, scores: Scores
) -> str | None:
    """What there is against a candidate that grammar does not know to be right."""
    said = {name: scores[key] for name in MEASURES if (key := (candidate.sample, name)) in scores}
    if testimony is Testimony.RIGHT or not settings.weights or not said:
        return testimony.objection
    return weighing.objection(said, settings.weights, is_unsure=testimony is Testimony.UNSURE)
