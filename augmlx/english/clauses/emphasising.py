"""A statement with a word beside its verb that changes nothing of what it says."""

from __future__ import annotations

from functools import lru_cache

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import children
from augmlx.english.clauses.reading import read
from augmlx.english.text import CACHED_TEXTS

_HELPERS = ("aux", "auxpass")


def emphasised(text: str, words: str) -> str | None:
    """ "The head of the lab is Ana." and "in fact" -> "The head of the lab is in fact Ana."; None
    where it would change what is said, or the statement cannot be read.
    """
    place = _place(text)
    return None if place is None else f"{text[:place].rstrip()} {words} {text[place:].lstrip()}"


@lru_cache(maxsize=CACHED_TEXTS)
def _place(text: str) -> int | None:
    """Behind "is" or the first auxiliary, else before the verb."""
    clause = read(text)
    if clause is None or clause.subject is None or clause.negations or clause.coordinated:
        return None
    return _behind_helper(clause) if clause.auxiliaries else _beside_verb(clause)


def _behind_helper(clause: Clause) -> int | None:
    own = [clause.tokens[n] for n in children(clause.tokens, clause.root)]
    return next((token.end for token in own if token.dep in _HELPERS), None)


def _beside_verb(clause: Clause) -> int:
    verb = clause.tokens[clause.root]
    return verb.end if clause.verb == "be" else verb.start
