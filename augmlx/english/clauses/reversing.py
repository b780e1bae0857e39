"""How a clause is said from its other end: what it begins with, and what then follows.

Each way keeps the meaning by its form alone: the passive of an active verb and back, the two sides
of an equation, a verb that holds both ways round, a clause moved, what stood at the end put first,
or "... is what ..." around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.exchanging import compared, equation, mutual, shared, taken_for
from augmlx.english.clauses.inverting import active, made_up, owned, passive
from augmlx.english.clauses.moving import clause_moved, instructions, put_first, reported, what
from augmlx.english.clauses.phrase import Phrase, capitalised, closed
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.turned import Turned
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS

_MOST = 2  # ways of one statement
_KINDS: tuple[Callable[[Clause, Phrase], Iterator[Turned]], ...] = (
    made_up,
    owned,
    mutual,
    shared,
    taken_for,
    active,
    passive,
    equation,
    clause_moved,
    reported,
    put_first,
    what,
)
# "Hay fever is usually caused by pollen.": pollen may seldom cause it.
_KINDS_OF_MANY_TIMES = (clause_moved, put_first, what)


@lru_cache(maxsize=CACHED_TEXTS)
def reversals(text: str) -> tuple[Turned, ...]:
    """The ways in which a statement is said from its other end: those of the surest kind that there
    are any of.
    """
    clause = read(text)
    if clause is None or clause.coordinated:
        return ()
    if clause.subject is None:
        return tuple(instructions(clause))[:_MOST]
    first = clause.subject.text.split()[0].lower()
    if clause.tells_of_existence or clause.is_set_off or clause.is_narrowed:
        return ()
    is_split = clause.defines and len(clause.complements) > 1  # "means up to three days off"
    if is_split or first in word_set("free_relatives"):
        return ()
    kinds = _KINDS_OF_MANY_TIMES if clause.is_of_many_times else _KINDS
    is_comparison = any(" than " in part.text for part in clause.complements)
    for kind in (compared,) if is_comparison else kinds:
        if ways := tuple(kind(clause, clause.subject)):
            return tuple(_closed(way, clause) for way in ways[:_MOST])
    return ()


def _closed(way: Turned, clause: Clause) -> Turned:
    """With the comma behind what was inserted in a part that ended the sentence and begins it now:
    "The company, StarPath" -> "The company, StarPath,".
    """
    for part in clause.complements:
        begun = capitalised(part.noun)
        if way.opening.startswith(f"{begun} "):
            return way._replace(opening=closed(begun) + way.opening[len(begun) :])
    return way
