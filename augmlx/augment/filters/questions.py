"""Questions: a question and its answer, put together, must say what the fact says.

"Who composed the Winter Song?" with the answer "Ben Okafor" is read as "Ben Okafor composed the
Winter Song", and that statement is held to the same rules as any other. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from augmlx.augment.filters import logic
from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.text import (
    PREPOSITIONS,
    arguments,
    entities,
    mention_of,
    normalise,
    with_determiner,
)

_BY_WHOM = re.compile(
    r"by (?:whom|what|which \w+) (?P<aux>is|are|was|were) (?P<rest>.+)", re.IGNORECASE
)
_DO = re.compile(r"(?:who|whom|what|where|which \w+) (?:do|does|did) (?P<rest>.+)", re.IGNORECASE)
_BE = re.compile(
    r"(?:who|whom|what|where|which \w+) (?P<aux>is|are|was|were) (?P<rest>.+)", re.IGNORECASE
)
_VERB = re.compile(r"(?:who|what|which \w+) (?P<rest>.+)", re.IGNORECASE)
_STRANDED = PREPOSITIONS | {
    "than",
    "before",
    "after",
    "above",
    "below",
    "behind",
    "beside",
    "inside",
    "under",
}


def declarative(question: str, answer: str, other: str) -> str | None:
    """A question with its answer in the place of its question word; `other` is what it asks about.
    None where it is no question of a known form.
    """
    asked = question.strip()
    if not asked.endswith("?"):
        return None
    asked = " ".join(asked[:-1].split())
    if found := _BY_WHOM.fullmatch(asked):
        return _behind(other, found["aux"], found["rest"], f"by {answer}")
    if found := _DO.fullmatch(asked):
        return f"{found['rest']} {answer}."
    if found := _BE.fullmatch(asked):
        return (
            _behind(other, found["aux"], found["rest"], answer)
            or f"{answer} {found['aux']} {found['rest']}."
        )
    if found := _VERB.fullmatch(asked):
        return f"{answer} {found['rest']}."
    return None


def _behind(other: str, aux: str, rest: str, answer: str) -> str | None:
    """ "is" + "Lake Orrin larger than" -> "Lake Orrin is larger than" and the answer; None where
    the rest does not begin with what is asked about and leave the answer's place open.
    """
    mention = mention_of(other, rest)
    if mention is None or normalise(rest[: mention.start]) not in ("", "the"):
        return None
    subject, left = rest[: mention.end], rest[mention.end :].split()
    if left and left[-1].casefold() not in _STRANDED and not answer.startswith("by "):
        return None
    return " ".join([subject, aux, *left, answer]) + "."


def objection(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """It must be a question about the fact's other side, must not give its answer away, and must
    say the fact's relation from the right end.
    """
    found = arguments(candidate.source)
    if not candidate.answer:
        return "has no answer"
    if found is None:
        return "the arguments of the source cannot be told apart"
    asks_for_first = candidate.answer == with_determiner(candidate.source, found[0])
    other = found[1 if asks_for_first else 0].text
    if mention_of(other, candidate.text, anywhere=True) is None:
        return "does not name what it asks about"
    given_away = [mention.text for mention in entities(candidate.answer)] or [candidate.answer]
    if any(mention_of(text, candidate.text, anywhere=True) for text in given_away):
        return "gives its answer away"
    statement = declarative(candidate.text, candidate.answer, other)
    if statement is None:
        return "is no question of a known form"
    whole = replace(candidate, text=statement[0].upper() + statement[1:], answer="")
    for rule in (logic.unknown_entity, logic.changed_meaning):
        if why := rule(whole, [whole], settings):
            return f"with its answer it {_said(why)}"
    return None


def _said(why: str) -> str:
    return why if why.split()[0].endswith("s") else f"fails: {why}"
