"""exemplars.csv -> worked examples of the user's own, by operator.

Exemplars near the data are worth more than shipped ones: a small model copies the wording of what
it has just seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from augmlx.augment.operators.loading import names
from augmlx.augment.operators.schema import Exemplar, Operator
from augmlx.data.row import Row, bad_input, folded
from augmlx.data.rows import read_rows

FILE = "exemplars.csv"
_FIELDS = ("fact", "fact2", "operator", "answer", "result")
_REQUIRED = ("fact", "operator", "result")
Exemplars = Mapping[str, tuple[Exemplar, ...]]  # by operator


def read(folder: Path | None, operators: Sequence[Operator]) -> Exemplars:
    """The rows of exemplars.csv beside augmlx.toml.

    Its columns are fact, operator, result; for a pair also fact2, for a question also answer. A row
    for a known operator that is not among `operators` is left alone.

    Args:
        folder: that of augmlx.toml, if there is one.
        operators: those that the run uses.

    Raises:
        BadInput: with path:line, where a row does not fit its operator.
        StorageError: the file cannot be read.
    """
    path = folder / FILE if folder is not None else None
    if path is None or not path.is_file():
        return {}
    by_name = {operator.name: operator for operator in operators}
    known = names(folder)
    exemplars: dict[str, list[Exemplar]] = {}
    for row in read_rows(path, _columns):
        name = _cell(row, "operator")
        if name in by_name:
            exemplars.setdefault(name, []).append(_exemplar(row, by_name[name]))
        elif name not in known:
            fault = "no such operator in 'operator'"
            raise bad_input(row.place, fault, f"known operators: {', '.join(known)}")
    return {name: tuple(rows) for name, rows in exemplars.items()}


def _columns(place: str, names_in_file: Sequence[str]) -> dict[str, str]:
    by_field = {folded(name): name for name in names_in_file}
    columns = {field: name for field, name in by_field.items() if field in _FIELDS}
    missing = [field for field in _REQUIRED if field not in columns]
    if missing:
        hint = "exemplars have the columns fact, operator and result"
        raise bad_input(place, f"no column '{missing[0]}'", hint)
    return columns


def _cell(row: Row, field: str) -> str:
    value = row.value(field)
    if not isinstance(value, str):
        return ""
    return " ".join(value.split())


def _exemplar(row: Row, operator: Operator) -> Exemplar:
    if operator.function or operator.arity == "corpus":
        fault = f"{operator.name} takes no exemplars of this form"
        raise bad_input(row.place, fault, "put them into its TOML file")
    cells = (_cell(row, "fact"), _cell(row, "fact2"))
    facts = tuple(cell for cell in cells if cell)
    if len(facts) != operator.takes:
        wanted = "fact and fact2" if operator.arity == "pair" else "fact alone"
        fault = f"{operator.name} takes {wanted}"
        raise bad_input(row.place, fault, "fill the row, or empty fact2")
    answer = _answer(row, operator)
    try:
        return Exemplar(facts=facts, answer=answer, result=_cell(row, "result"))
    except ValidationError:
        hint = "fill it or delete the row"
        raise bad_input(row.place, "no text in 'result'", hint) from None


def _answer(row: Row, operator: Operator) -> str:
    answer = _cell(row, "answer")
    if answer and not operator.asks:
        fault = f"{operator.name} asks no question, so it takes no 'answer'"
        raise bad_input(row.place, fault, "empty the cell")
    if operator.asks and not answer:
        fault = f"no text in 'answer', which {operator.name} asks for"
        raise bad_input(row.place, fault, "fill it")
    return answer
