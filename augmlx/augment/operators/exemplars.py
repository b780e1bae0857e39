"""Worked examples of the user's own, and which of them stand in a fact's prompt.

Exemplars near the data are worth more than shipped ones: a small model copies the wording of what
it has just seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from augmlx.augment.operators.loading import names
from augmlx.augment.operators.schema import PREMISES, Exemplar, Operator
from augmlx.core.errors import BadInput
from augmlx.data.row import Row, bad_input, folded
from augmlx.data.rows import read_rows
from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems

FILE = "exemplars.csv"
_FIELDS = ("fact", "fact2", "operator", "answer", "result")
Exemplars = Mapping[str, tuple[Exemplar, ...]]  # by operator


def read(folder: Path | None, operators: Sequence[Operator]) -> Exemplars:
    """The rows of exemplars.csv beside augmlx.toml: fact, operator, result; for a pair also fact2,
    for a question also answer. A row for a known operator that is not among `operators` is left
    alone.

    Raises:
        BadInput: with path:line, where a row does not fit its operator.
        StorageError: the file cannot be read.
    """
    path = folder / FILE if folder is not None else None
    if path is None or not path.is_file():
        return {}
    by_name = {operator.name: operator for operator in operators}
    known = names(folder)
    found: dict[str, list[Exemplar]] = {}
    for row in read_rows(path, _columns):
        named = _cell(row, "operator")
        if operator := by_name.get(named):
            found.setdefault(named, []).append(_exemplar(row, operator))
        elif named not in known:
            raise bad_input(
                row.place, "no such operator in 'operator'", f"known operators: {', '.join(known)}"
            )
    return {name: tuple(rows) for name, rows in found.items()}


def _columns(place: str, columns: Sequence[str]) -> dict[str, str]:
    found = {folded(name): name for name in columns if folded(name) in _FIELDS}
    if missing := [name for name in ("fact", "operator", "result") if name not in found]:
        raise bad_input(
            place,
            f"no column '{missing[0]}'",
            "exemplars have the columns fact, operator and result",
        )
    return found


def _cell(row: Row, field: str) -> str:
    value = row.value(field)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _exemplar(row: Row, operator: Operator) -> Exemplar:
    if operator.function or operator.arity == "corpus":
        raise bad_input(
            row.place,
            f"{operator.name} takes no exemplars of this form",
            "put them into its TOML file",
        )
    facts = tuple(text for text in (_cell(row, "fact"), _cell(row, "fact2")) if text)
    if len(facts) != PREMISES[operator.arity]:
        wanted = "fact and fact2" if operator.arity == "pair" else "fact alone"
        raise bad_input(
            row.place, f"{operator.name} takes {wanted}", "fill the row, or empty fact2"
        )
    answer = _cell(row, "answer")
    if bool(answer) != (operator.answer != "none"):
        if answer:
            raise bad_input(
                row.place,
                f"{operator.name} asks no question, so it takes no 'answer'",
                "empty the cell",
            )
        raise bad_input(
            row.place, f"no text in 'answer', which {operator.name} asks for", "fill it"
        )
    try:
        return Exemplar(facts=facts, answer=answer, result=_cell(row, "result"))
    except ValidationError:
        raise BadInput(
            f"{row.place}: no text in 'result'", hint="fill it or delete the row"
        ) from None


def chosen(
    operator: Operator, own: Sequence[Exemplar], facts: Sequence[str], most: int
) -> tuple[Exemplar, ...]:
    """The exemplars for a prompt about `facts`: the `most` of the user's whose relation wording is
    nearest, behind as many shipped ones as are left room for.

    They stand in one order whatever the fact is, so that facts of one relation share a prompt's
    beginning.
    """
    wanted = _relation(tuple(facts))
    if len(own) > most:
        rank = sorted(
            range(len(own)), key=lambda n: (-_likeness(wanted, _relation(own[n].premises)), n)
        )
        own = [own[n] for n in sorted(rank[:most])]
    return (*operator.exemplars[: max(0, most - len(own))], *own)


@lru_cache(maxsize=8192)
def _relation(facts: tuple[str, ...]) -> frozenset[str]:
    """The stems of what facts say about their arguments."""
    stems: set[str] = set()
    for text in facts:
        named = {stem for mention in arguments(text) or () for stem in content_stems(mention.text)}
        stems |= set(content_stems(text)) - named
    return frozenset(stems)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
