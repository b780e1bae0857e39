"""The keys of an operator's file -> an operator that every fact can be put to, or what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from augmlx.augment.operators import rendering
from augmlx.augment.operators.schema import Operator
from augmlx.core.errors import BadInput

# What stands in for the user's texts when a template is tried.
_FACTS = ("Ada owns Bor.", "Bor is in Cyr.")
_KNOWN = "Dov knows Eli."
_ANSWER = "Ada"
_RESULT = "Result."


def checked(values: Mapping[str, Any], place: str, name: str, filters: Collection[str]) -> Operator:
    """The operator that a file describes.

    Args:
        values: what the file holds.
        place: the file, for messages.
        name: the operator's, by the name of the file.
        filters: the names that it may ask for.

    Raises:
        BadInput: with the place, the key and the reason.
    """
    try:
        operator = Operator.model_validate(values)
    except ValidationError as error:
        faults = [
            _fault(place, fault["loc"], fault["msg"].removeprefix("Value error, "))
            for fault in error.errors()
        ]
        raise BadInput("\n".join(faults), hint="mend the file") from error
    if operator.name != name:
        fault = f"{place}: name: is {operator.name!r} but the file is {name}.toml"
        raise BadInput(fault, hint="make them the same")
    _check_filters(operator, place, filters)
    _check_templates(operator, place)
    return operator


def _fault(place: str, location: Sequence[object], message: str) -> str:
    if not location:
        return f"{place}: {message}"
    key = ".".join(map(str, location))
    return f"{place}: {key}: {message}"


def _check_filters(operator: Operator, place: str, filters: Collection[str]) -> None:
    unknown = [name for name in operator.filters if name not in filters]
    if unknown:
        fault = f"{place}: filters: unknown {', '.join(unknown)}"
        raise BadInput(fault, hint=f"known: {', '.join(filters)}")
    hint = "take it out of the filters"
    if "bridge" in operator.filters and operator.arity != "pair":
        raise BadInput(f"{place}: filters: bridge goes with arity pair", hint=hint)
    if "question" in operator.filters and not operator.asks:
        fault = "question goes with an operator that has an answer"
        raise BadInput(f"{place}: filters: {fault}", hint=hint)


def _check_templates(operator: Operator, place: str) -> None:
    """Raises BadInput where a template does not hold what it must."""
    facts = _FACTS[: operator.takes]
    shows_others = operator.arity == "corpus"
    answer = _ANSWER if operator.gives_answer else ""
    try:
        prefix = rendering.prefix(operator, operator.exemplars, [_KNOWN] if shows_others else [])
        suffix = rendering.suffix(operator, facts, answer)
        output = rendering.output(operator, _RESULT, answer)
    except BadInput as error:  # on texts of ours, so the cause may be told
        hint = "mend the prefix, suffix or output template"
        raise BadInput(f"{place}: template: {error.__cause__}", hint=hint) from error
    if not all(fact in suffix for fact in facts):
        hint = "put {{ fact }} (or {{ facts }}) into it"
        raise BadInput(f"{place}: suffix: does not hold the fact", hint=hint)
    if answer not in suffix:
        hint = "put {{ answer }} into it"
        raise BadInput(f"{place}: suffix: does not hold the answer", hint=hint)
    if shows_others and _KNOWN not in prefix:
        hint = "put {{ known }} into it"
        raise BadInput(f"{place}: prefix: does not hold the other facts", hint=hint)
    if _RESULT not in output:
        hint = "put {{ result }} into it"
        raise BadInput(f"{place}: output: does not hold the result", hint=hint)
