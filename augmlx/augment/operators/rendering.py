"""Operators -> prompts. Templates are sandboxed Jinja with undefined names refused; a fact is a
value of the template, never part of it, so braces in a fact are only text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from augmlx.augment.operators.schema import Exemplar, Operator
from augmlx.core.errors import BadInput
from augmlx.english.names import with_determiner
from augmlx.english.sentence import arguments, closing_phrase
from augmlx.english.text import Mention
from augmlx.english.turning import turned

_JINJA = SandboxedEnvironment(
    undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
)
# What a bad template of the user's may raise.
_FAULTS = (
    jinja2.TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


@lru_cache(maxsize=64)
def _template(text: str) -> jinja2.Template:
    return _JINJA.from_string(text)


_LABELS = ("instruction", "known_label", "input_label", "answer_label", "output_label")


def _render(operator: Operator, part: str, **values: Any) -> str:
    labels = {name: getattr(operator, name) for name in _LABELS}
    try:
        return _template(getattr(operator, part)).render(**labels, **values)
    except _FAULTS as error:  # which may quote the fact, so it is not passed on
        fault = (
            f"{operator.name}.toml: {part}: the template fails on a text of yours "
            f"({type(error).__name__})"
        )
        raise BadInput(fault, hint="make it hold for every text") from error


def prefix(operator: Operator, exemplars: Sequence[Exemplar], known: Sequence[str] = ()) -> str:
    """The part of the prompt that many requests share: instruction, exemplars and, for a corpus
    operator, the other facts. Raises BadInput, as the other two, where a template of the user's
    cannot be rendered.
    """
    return _render(operator, "prefix", exemplars=exemplars, known=known)


def suffix(operator: Operator, facts: Sequence[str], answer: str = "") -> str:
    """The part of the prompt that is of these facts alone."""
    return _render(operator, "suffix", fact=facts[0], facts=facts, answer=answer)


def output(operator: Operator, result: str, answer: str = "") -> str:
    """The text to train on, made of what the model wrote."""
    return _render(operator, "output", result=result, answer=answer)


def opening(operator: Operator, text: str) -> str:
    """What the completion must begin with: the fact's first argument with its determiner, or what
    it ends with and can be turned round about (`closing_phrase`), with its verb where that is known
    (`turned`), or nothing.
    """
    return _capital(
        turned(text) if operator.prefill == "turned" else _argument(operator.prefill, text)
    )


def answer_of(operator: Operator, text: str) -> str:
    """What a question about the fact must ask for, as the fact says it; nothing where it speaks of
    one thing only.
    """
    return _argument(operator.answer, text)


def _argument(side: str, text: str) -> str:
    found = arguments(text)
    if side not in ("first", "last") or found is None:
        return ""
    return (side == "last" and closing_phrase(text)) or _first(text, found)


def _first(text: str, found: tuple[Mention, Mention]) -> str:
    return with_determiner(text, found[0])


def _capital(start: str) -> str:
    if not start:
        return ""
    capital = start[0].upper()
    return (capital if len(capital) == 1 else start[0]) + start[1:]  # "ß" has none of its own
