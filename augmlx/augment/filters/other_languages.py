"""Texts about facts that are not English, judged without a grammar: they must be made of the words
of their fact, each once, and in an order that says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.augment.languages import content
from augmlx.augment.languages.fitting import fits
from augmlx.augment.languages.restating import is_rephrasing, is_reversal
from augmlx.core.settings import AugmentSettings


def question(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """The words of a question and those of its answer, which is a part of the fact, are together
    the words of the fact, but perhaps for a year or who did it: so it asks for the answer, does
    not give it away, and adds nothing.
    """
    code, answer = candidate.language, candidate.answer
    if not answer:
        return "has no answer"
    if not content.place_of(answer, candidate.source):
        return "its answer is no part of the source"
    if not content.asks(code, candidate.text):
        return "asks for nothing"
    asked = content.content(code, candidate.text, asking=True)
    told = content.content(code, answer)
    if not asked or not told:
        return "asks for nothing"
    if not fits(code, candidate.source, candidate.text, answer):
        return "does not ask for what its answer is"
    kind = content.asked_kind(code, candidate.text, answer)
    given = Counter(asked) - Counter(kind)
    return _said_otherwise(candidate, (*given.elements(), *told), of_part=True)


def not_turned(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A reversal has the words of its fact, in an order that is known to be its other way round."""
    why = _said_otherwise(candidate, _content(candidate))
    if why is not None:
        return why
    is_turned = is_reversal(candidate.language, candidate.source, candidate.text)
    return None if is_turned else "is not known to be its source the other way round"


def not_reworded(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """A rephrasing has the words of its fact, in an order that is known to say the same."""
    why = _said_otherwise(candidate, _content(candidate))
    if why is not None:
        return why
    is_reworded = is_rephrasing(candidate.language, candidate.source, candidate.text)
    return None if is_reworded else "is not known to say what its source says"


def _content(candidate: Candidate) -> tuple[str, ...]:
    return content.content(candidate.language, candidate.text)


def _said_otherwise(
    candidate: Candidate, said: Sequence[str], *, of_part: bool = False
) -> str | None:
    given = content.content(candidate.language, candidate.source)
    _, missing, added = content.difference(given, said)
    if of_part:
        missing = content.beside_circumstances(candidate.language, candidate.source, missing)
    if content.NEGATED in (*missing, *added):
        return "negates, or no longer negates, its source"
    if added:
        return "says something that is not in the source, or says it twice"
    return "does not say all that its source says" if missing else None
