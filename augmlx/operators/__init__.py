"""Operators as data: one TOML file each, one loader, one renderer.

An operator says how a fact is put to the model (instruction, exemplars, what the answer must begin with) and which
filters its output must pass. Templates are sandboxed Jinja with undefined names refused; a fact is a value of the
template, never part of it, so braces in a fact are only text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from augmlx.errors import BadInput, storage_errors
from augmlx.language import arguments, closing_phrase, with_determiner
from augmlx.records import Fact

_JINJA = SandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)

_PREFIX = """{{ instruction }}

{% for exemplar in exemplars %}{{ input_label }}: {{ exemplar.fact }}
{{ output_label }}: {{ exemplar.result }}

{% endfor %}"""
_SUFFIX = """{{ input_label }}: {{ fact }}
{{ output_label }}:"""


class Exemplar(BaseModel):
    """A worked example."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fact: str = Field(min_length=1)
    result: str = Field(min_length=1)


class Operator(BaseModel):
    """One operator, as its TOML file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    arity: Literal["one"]
    instruction: str = Field(min_length=1)
    input_label: str = "Fact"
    output_label: str = "Result"
    prefill: Literal["none", "first", "last"] = "none"
    filters: tuple[str, ...]
    exemplars: tuple[Exemplar, ...] = Field(min_length=1)
    prefix: str = _PREFIX
    suffix: str = _SUFFIX


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt. The completion's text is `prefill` + what the model writes."""

    prefix: str
    suffix: str
    prefill: str


def load(names: Sequence[str], filters: Collection[str], folder: Path | None = None) -> list[Operator]:
    """The named operators. A file in `folder` (beside augmlx.toml) overrides or adds to the shipped ones.

    `filters` are the names that an operator may ask for.

    Raises:
        BadInput: with the file, the key and the reason; or with the known names for an unknown one.
        StorageError: a file cannot be read.
    """
    shipped = resources.files("augmlx.operators")
    files: dict[str, Traversable] = {file.name: file for file in shipped.iterdir() if file.name.endswith(".toml")}
    if folder is not None and folder.is_dir():
        files |= {file.name: file for file in sorted(folder.glob("*.toml")) if file.name != "augmlx.toml"}
    operators = []
    for name in names:
        if f"{name}.toml" not in files:
            known = ", ".join(sorted(file.removesuffix(".toml") for file in files))
            raise BadInput(f"augment.operators: no operator named {name!r}", hint=f"known operators: {known}")
        operators.append(_read(files[f"{name}.toml"], name, filters))
    return operators


def _read(file: Traversable, name: str, filters: Collection[str]) -> Operator:
    place = str(file) if isinstance(file, Path) else file.name
    with storage_errors(place):
        data = file.read_bytes()
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # tomllib leaks more than its own error
        raise BadInput(f"{place}: not valid TOML: {error}", hint="mend the line it names") from error
    try:
        operator = Operator.model_validate(values)
        if operator.name != name:
            raise BadInput(
                f"{place}: name: is {operator.name!r} but the file is {name}.toml", hint="make them the same"
            )
        if unknown := [item for item in operator.filters if item not in filters]:
            raise BadInput(f"{place}: filters: unknown {', '.join(unknown)}", hint=f"known: {', '.join(filters)}")
    except ValidationError as error:
        faults = [f"{place}: {'.'.join(str(p) for p in f['loc'])}: {f['msg']}" for f in error.errors()]
        raise BadInput("\n".join(faults), hint="mend the file") from error
    _check_templates(operator, place)
    return operator


def _check_templates(operator: Operator, place: str) -> None:
    fact = Fact(id="check", text="Ada owns Bor.", source=place)
    try:
        prompt = render(operator, fact)
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"{place}: template: {error}", hint="mend the prefix or suffix template") from error
    if fact.text not in prompt.suffix:
        raise BadInput(f"{place}: suffix: does not hold the fact", hint="put {{ fact }} where it belongs")


@lru_cache(maxsize=32)
def _template(text: str) -> jinja2.Template:
    return _JINJA.from_string(text)


@lru_cache(maxsize=32)
def _prefix(operator: Operator) -> str:
    return _template(operator.prefix).render(**_labels(operator), exemplars=operator.exemplars)


def _labels(operator: Operator) -> dict[str, str]:
    return operator.model_dump(include={"instruction", "input_label", "output_label"})


def render(operator: Operator, fact: Fact) -> Prompt:
    """The prompt for one fact. The prefix is the same for every fact of the operator."""
    prefix = _prefix(operator)
    suffix = _template(operator.suffix).render(**_labels(operator), fact=fact.text)
    prefill = opening(operator, fact.text)
    return Prompt(prefix, f"{suffix} {prefill}" if prefill else suffix, prefill)


def opening(operator: Operator, text: str) -> str:
    """What the completion must begin with: the fact's first argument with its determiner, or what it ends with and
    can be turned round about (`closing_phrase`), or nothing."""
    found = arguments(text)
    if operator.prefill == "none" or found is None:
        return ""
    start = (operator.prefill == "last" and closing_phrase(text)) or with_determiner(text, found[0])
    capital = start[0].upper()
    return (capital if len(capital) == 1 else start[0]) + start[1:]  # "ß" has none of its own
