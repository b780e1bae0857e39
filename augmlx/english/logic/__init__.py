"""Statements of known patterns as logic: recognise one, say it, and draw what follows from one or
two of them.

English only, and no model: `parse` reads a sentence into a `Form` or gives None, `say` writes one,
`consequences` draws conclusions by the name of a rule, `Claims` tells what cannot hold beside what
is known, `terms` are for an index of facts that share something. Everything is pure; where a
pattern is not sure, there is no form.
"""

from augmlx.english.logic.contradiction import Claims, claims, contradicts, differ
from augmlx.english.logic.parse import parse
from augmlx.english.logic.rules import (
    RULES,
    chain,
    consequences,
    contrapositive,
    converse,
    inherit,
    intersection,
    membership,
    syllogism,
    union,
)
from augmlx.english.logic.say import opening, say
from augmlx.english.logic.statement import GENERAL, Form, Term, terms

__all__ = [
    "GENERAL",
    "RULES",
    "Claims",
    "Form",
    "Term",
    "chain",
    "claims",
    "consequences",
    "contradicts",
    "contrapositive",
    "converse",
    "differ",
    "inherit",
    "intersection",
    "membership",
    "opening",
    "parse",
    "say",
    "syllogism",
    "terms",
    "union",
]
