"""Questions: a question and its answer, put together, must say what the fact says.

"Who composed the Winter Song?" with the answer "Ben Okafor" is read as "Ben Okafor composed the
Winter Song", and that statement is held to the same rules as any other. English only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from augmlx.augment.filters.candidate import Candidate
from augmlx.augment.filters.entity import unknown_entity
from augmlx.augment.filters.relation import changed_meaning
from augmlx.core.settings import AugmentSettings
from augmlx.english.lexicon import word_set
from augmlx.english.names import entities, mention_of, with_determiner
from augmlx.english.questions import declarative
from augmlx.english.sentence import arguments


def objection(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """It must be a question about the fact's other side, must not give its answer away, and must
    say the fact's relation from the right end.
    """
    both = arguments(candidate.source)
    if not candidate.answer:
        return "has no answer"
    if both is None:
        return "the arguments of the source cannot be told apart"
    first, last = both
    asks_for_first = candidate.answer == with_determiner(candidate.source, first)
    asked_about = (last if asks_for_first else first).text
    if asked_about.lower() in word_set("pronouns"):
        return "asks about a pronoun, and nothing tells what it stands for"
    if mention_of(asked_about, candidate.text, anywhere=True) is None:
        return "does not name what it asks about"
    if _gives_away(candidate.text, candidate.answer):
        return "gives its answer away"
    statement = declarative(candidate.text, candidate.answer, asked_about)
    if statement is None:
        return "is no question of a known form"
    capital = statement[0].upper()
    whole = replace(candidate, text=f"{capital}{statement[1:]}", answer="")
    for rule in (unknown_entity, changed_meaning):
        if why := rule(whole, [whole], settings):
            return f"with its answer it {_as_predicate(why)}"
    return None


def _gives_away(question: str, answer: str) -> bool:
    """Whether a question names a name of its answer, or the answer itself where that has none."""
    names = [mention.text for mention in entities(answer)] or [answer]
    return any(mention_of(name, question, anywhere=True) for name in names)


def _as_predicate(why: str) -> str:
    """A reason behind "it": one that does not begin with a verb is told as a failure."""
    is_predicate = why.split()[0].endswith("s")
    return why if is_predicate else f"fails: {why}"
