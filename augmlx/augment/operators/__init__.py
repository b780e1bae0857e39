"""Operators as data: one TOML file each.

An operator says how facts are put to the model (instruction, exemplars, what the answer must begin
with) and which filters its output must pass. A few need no model: they name a function of
`deterministic`.
"""

from __future__ import annotations

from augmlx.augment.operators.conversation import message, message_prefix, system, turns
from augmlx.augment.operators.deterministic import FUNCTIONS
from augmlx.augment.operators.loading import Listed, available, load
from augmlx.augment.operators.rendering import answer_of, opening, output, prefix, suffix
from augmlx.augment.operators.schema import Exemplar, Operator

__all__ = [
    "FUNCTIONS",
    "Exemplar",
    "Listed",
    "Operator",
    "answer_of",
    "available",
    "load",
    "message",
    "message_prefix",
    "opening",
    "output",
    "prefix",
    "suffix",
    "system",
    "turns",
]
