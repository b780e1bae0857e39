"""A main clause and the relative clause that a pronoun ties to its end."""

from __future__ import annotations

import re

from augmlx.english.lexicon import NEGATIONS, either
from augmlx.english.stems import content_stems
from augmlx.english.text import Mention, normalise

_TIE = re.compile(rf",? (?:{either('tying_pronouns')}) ")


def tied_clauses(text: str) -> tuple[str, str] | None:
    """The main clause and what stands behind the first pronoun; None where there is none."""
    main, *relative = _TIE.split(text, maxsplit=1)
    return (main, relative[0]) if relative else None


def says_behind_tie(relative: str, fact: str, first: Mention) -> bool:
    """Whether a relative clause says what a fact says of its first argument.

    What stood before the argument ("In 1891, ...") comes last; nothing else changes its place, or
    who did it might.
    """
    predicate = f"{fact[first.end :]} {fact[: first.start]}"
    return _meaning(relative) == _meaning(predicate)


def _meaning(text: str) -> list[str]:
    """What counts of a predicate: "which stands" and "which stood" may differ, "which did not
    stand" may not.
    """
    negations = [word for word in normalise(text).split() if word in NEGATIONS]
    return [*content_stems(text), *negations]
