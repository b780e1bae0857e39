"""A clause in another order: the words that it begins with, and what follows them."""

from __future__ import annotations

from typing import NamedTuple

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, capitalised, closed
from augmlx.english.lexicon import word_set


class Turned(NamedTuple):
    """A clause in another order.

    Attributes:
        opening: the words that it begins with.
        parts: what follows, in any order.
        stop: the mark that ends it.
    """

    opening: str
    parts: tuple[str, ...]
    stop: str

    @property
    def text(self) -> str:
        """The whole sentence, its parts in the given order."""
        text = " ".join((self.opening, *self.parts))
        is_ended = bool(self.stop) and text.endswith(self.stop)  # "at 2 a.m."
        return text if is_ended else text + self.stop


def moved_first(clause: Clause, subject: Phrase, part: Phrase) -> Turned:
    """ "A opens on Mondays" -> "On Mondays," A opens."""
    return Turned(f"{capitalised(part.text)},", said(clause, subject, part), clause.stop)


def leaves_a_sentence(clause: Clause, moved: Phrase) -> bool:
    """Whether the clause is one without a part, which then stands first: not "is" alone, nor
    "comes" of "comes with"; and whether that part is no end of a change ("from May to June").
    """
    others = [part for part in clause.others(moved) if part.role != "clause"]
    if clause.verb == "be" and not clause.passive:
        return any(not part.preposition and part.kind != "time" for part in others)
    leans = clause.verb in word_set("leaning_verbs") and not clause.passive
    is_close = leans and moved == clause.complements[0] and moved.kind != "time"
    changes = moved.preposition == "from" and clause.verb in word_set("changing_verbs")
    return not is_close and not changes


def said(clause: Clause, subject: Phrase, moved: Phrase) -> tuple[str, ...]:
    """The clause without a part, subject and verb first."""
    group, others, thing = clause.group, clause.others(moved), clause.object
    if clause.is_fixed and thing is not None and thing != moved:
        group = [*group[:-1], thing.text, clause.particle]
        others = [part for part in others if part != thing]
    first = " ".join([closed(clause.lowered(subject)), *group])
    return (first, *map(clause.lowered, others))


def is_pronoun(part: Phrase) -> bool:
    """Whether a part stands for a name ("she", "this")."""
    return part.text.lower() in word_set("pronouns")


def may_speak_of_another(clause: Clause, moved: Phrase) -> bool:
    """Whether a pronoun in a part that is put first would be taken for the subject, though there is
    an object: "Until they hatch, male seahorses carry the eggs.".
    """
    has_pronoun = not word_set("subject_pronouns").isdisjoint(moved.text.lower().split())
    return moved.role == "clause" and has_pronoun and clause.object is not None


def points_back(part: Phrase) -> bool:
    """Whether a part speaks of somebody who was named before it ("his sister")."""
    return not word_set("pointing_back").isdisjoint(part.text.lower().split())
