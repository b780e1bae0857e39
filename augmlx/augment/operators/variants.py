"""An operator as it is put to facts in another language: with that language's instruction, labels
and worked examples, where they are shipped. An operator of the user's own stays as it is.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from augmlx.augment.languages.lexicon import ENGLISH, lexicon
from augmlx.augment.operators.schema import Operator


def is_read_in(operator: Operator, code: str) -> str:
    """The language whose rules hold for what an operator makes of a fact in the language `code`.

    Rules of deduction and what links several facts are English whatever the facts are.
    """
    is_plain = operator.arity == "one" and not operator.rule and not operator.function
    return code if is_plain else ENGLISH


@cache
def in_language(operator: Operator, code: str) -> Operator:
    """The variant of an operator for a language; the operator itself where there is none."""
    if code == ENGLISH:
        return operator
    own = lexicon(code).operators.get(operator.name)
    if own is None or operator != _shipped(operator.name):
        return operator
    words = lexicon(code)
    labels = {"input_label": words.fact, "answer_label": words.answer}
    asking = _ASKING if operator.asks else {}
    # What the filters know to be right may be said in several ways, so it is not put to a vote.
    filters = [name for name in operator.filters if name != "vote"]
    changed = {**labels, **_STATING, **asking, **own, "filters": filters}
    return Operator.model_validate({**operator.model_dump(), **changed})


_STATING = {"prefill": "none", "samples": 4}
# Without a grammar nobody can tell what may be asked for: the model chooses it.
_ASKING = {"answer": "by-model", "samples": 6, "max_tokens": 64}


@cache
def _shipped(name: str) -> Operator:
    file = resources.files("augmlx.augment.operators").joinpath(f"{name}.toml")
    return Operator.model_validate(tomllib.loads(file.read_text("utf-8")))
