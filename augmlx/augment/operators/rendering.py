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

# What templates may name of their operator, besides the values of each part.
_LABELS = ("instruction", "known_label", "input_label", "answer_label", "output_label")


@lru_cache(maxsize=64)
def _template(text: str) -> jinja2.Template:
    return _JINJA.from_string(text)


def _render(operator: Operator, part: str, **values: Any) -> str:
    labels = {name: getattr(operator, name) for name in _LABELS}
    try:
        template = _template(getattr(operator, part))
        return template.render(**labels, **values)
    except _FAULTS as error:  # which may quote the fact, so it is not passed on
        reason = f"the template fails on a text of yours ({type(error).__name__})"
        fault = f"{operator.name}.toml: {part}: {reason}"
        raise BadInput(fault, hint="make it hold for every text") from error


def prefix(operator: Operator, exemplars: Sequence[Exemplar], known: Sequence[str] = ()) -> str:
    """The part of the prompt that many requests share: instruction, exemplars and, for a corpus
    operator, the other facts.

    Raises:
        BadInput: a template of the user's cannot be rendered; so do `suffix` and `output`.
    """
    shown = [as_shown(operator, exemplar) for exemplar in exemplars]
    return _render(operator, "prefix", exemplars=shown, known=known)


def as_shown(operator: Operator, exemplar: Exemplar) -> Exemplar:
    """A worked example as a prompt shows it: where the model chooses what is asked for, the answer
    stands in a line of its own behind the question.
    """
    if operator.answer != "by-model":
        return exemplar
    result = f"{exemplar.result}\n{operator.answer_label}: {exemplar.answer}"
    return exemplar.model_copy(update={"result": result, "answer": ""})


def suffix(operator: Operator, facts: Sequence[str], answer: str = "") -> str:
    """The part of the prompt that is of these facts alone."""
    values = {"fact": facts[0], "facts": facts, "answer": answer}
    return _render(operator, "suffix", **values)


def output(operator: Operator, result: str, answer: str = "") -> str:
    """The text to train on, made of what the model wrote."""
    return _render(operator, "output", result=result, answer=answer)


def opening(operator: Operator, text: str) -> str:
    """What the completion must begin with, with a capital letter.

    That is the fact's first argument with its determiner, or what it ends with and can be turned
    round about (`closing_phrase`), with its verb where that is known (`turned`), or nothing.
    """
    if operator.prefill == "turned":
        return _capital(turned(text))
    side = "first" if operator.prefill == "fronted" else operator.prefill
    return _capital(_argument(side, text))


def answer_of(operator: Operator, text: str) -> str:
    """What a question about the fact must ask for, as the fact says it; nothing where it speaks of
    one thing only.
    """
    return _argument(operator.answer, text)


def _argument(side: str, text: str) -> str:
    """The first or last thing that a text speaks of, "" where there is none or it is no side."""
    mentions = arguments(text)
    if side not in ("first", "last") or mentions is None:
        return ""
    closing = closing_phrase(text) if side == "last" else ""
    return closing or with_determiner(text, mentions[0])


def _capital(start: str) -> str:
    if not start:
        return ""
    capital = start[0].upper()
    if len(capital) > 1:  # "ß" has none of its own
        return start
    return capital + start[1:]
