"""Finding and checking operator files: the shipped ones, and the user's beside augmlx.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from augmlx.augment.operators import rendering
from augmlx.augment.operators.schema import PREMISES, Operator
from augmlx.core.errors import BadInput, storage_errors

Files = dict[str, Traversable]


@dataclass(frozen=True, slots=True)
class Listed:
    """An operator that can be named, and where it comes from."""

    operator: Operator
    place: str  # "shipped", or the user's file
    overrides: bool = False  # whether the user's file takes a shipped one's place


def available(filters: Collection[str], folder: Path | None = None) -> list[Listed]:
    """Every operator, by name. Raises as `load`: a listing that leaves a broken file out would hide
    it.
    """
    shipped, files = _files(None), _operators(folder)
    return [
        Listed(
            _read(file, name.removesuffix(".toml"), filters),
            str(file) if isinstance(file, Path) and file != shipped.get(name) else "shipped",
            name in shipped and file != shipped[name],
        )
        for name, file in sorted(files.items())
    ]


def load(
    wanted: Sequence[str], filters: Collection[str], folder: Path | None = None
) -> list[Operator]:
    """The named operators. A file in `folder` (beside augmlx.toml) overrides or adds to the shipped
    ones.

    `filters` are the names that an operator may ask for.

    Raises:
        BadInput: with the file, the key and the reason; or with the known names for an unknown one.
        StorageError: a file cannot be read.
    """
    files = _files(folder)
    operators = []
    for name in wanted:
        if f"{name}.toml" not in files:
            known = ", ".join(names(folder))
            raise BadInput(
                f"augment.operators: no operator named {name!r}", hint=f"known operators: {known}"
            )
        operators.append(_read(files[f"{name}.toml"], name, filters))
    return operators


def names(folder: Path | None = None) -> list[str]:
    """The names of all operators, good or broken."""
    return sorted(file.removesuffix(".toml") for file in _operators(folder))


def _operators(folder: Path | None) -> Files:
    """The files that are meant to be operators: the user's project may hold other TOML files
    (pyproject.toml).
    """
    return {name: file for name, file in _files(folder).items() if _meant(file)}


def _meant(file: Traversable) -> bool:
    try:
        keys = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):  # told where it is read
        return True
    return bool(set(keys) & set(Operator.model_fields))


def _files(folder: Path | None) -> Files:
    shipped = resources.files("augmlx.augment.operators")
    files: Files = {file.name: file for file in shipped.iterdir() if file.name.endswith(".toml")}
    if folder is not None and folder.is_dir():
        files |= {
            file.name: file for file in sorted(folder.glob("*.toml")) if file.name != "augmlx.toml"
        }
    return files


def _read(file: Traversable, name: str, filters: Collection[str]) -> Operator:
    place = str(file) if isinstance(file, Path) else file.name
    with storage_errors(place):
        data = file.read_bytes()
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # tomllib leaks more than its own error
        raise BadInput(
            f"{place}: not valid TOML: {error}", hint="mend the line it names"
        ) from error
    try:
        operator = Operator.model_validate(values)
    except ValidationError as error:
        faults = [
            _fault(place, [*f["loc"]], f["msg"].removeprefix("Value error, "))
            for f in error.errors()
        ]
        raise BadInput("\n".join(faults), hint="mend the file") from error
    if operator.name != name:
        raise BadInput(
            f"{place}: name: is {operator.name!r} but the file is {name}.toml",
            hint="make them the same",
        )
    if unknown := [item for item in operator.filters if item not in filters]:
        raise BadInput(
            f"{place}: filters: unknown {', '.join(unknown)}", hint=f"known: {', '.join(filters)}"
        )
    for item, fits, wanted in (
        ("bridge", operator.arity == "pair", "arity pair"),
        ("question", operator.answer != "none", "an operator that has an answer"),
    ):
        if item in operator.filters and not fits:
            raise BadInput(
                f"{place}: filters: {item} goes with {wanted}", hint="take it out of the filters"
            )
    _check_templates(operator, place)
    return operator


def _fault(place: str, location: Sequence[object], message: str) -> str:
    where = ".".join(map(str, location))
    return f"{place}: {where}: {message}" if where else f"{place}: {message}"


def _check_templates(operator: Operator, place: str) -> None:
    facts = ["Ada owns Bor.", "Bor is in Cyr."][: PREMISES[operator.arity]]
    known, answer = ["Dov knows Eli."], "Ada" if operator.answer != "none" else ""
    try:
        before = rendering.prefix(
            operator, operator.exemplars, known if operator.arity == "corpus" else ()
        )
        asked = rendering.suffix(operator, facts, answer)
        written = rendering.output(operator, "Result.", answer)
    except BadInput as error:  # on texts of ours, so the cause may be told
        hint = "mend the prefix, suffix or output template"
        raise BadInput(f"{place}: template: {error.__cause__}", hint=hint) from error
    if not all(fact in asked for fact in facts):
        raise BadInput(
            f"{place}: suffix: does not hold the fact",
            hint="put {{ fact }} (or {{ facts }}) into it",
        )
    if answer not in asked:
        raise BadInput(
            f"{place}: suffix: does not hold the answer", hint="put {{ answer }} into it"
        )
    if operator.arity == "corpus" and known[0] not in before:
        raise BadInput(
            f"{place}: prefix: does not hold the other facts", hint="put {{ known }} into it"
        )
    if "Result." not in written:
        raise BadInput(
            f"{place}: output: does not hold the result", hint="put {{ result }} into it"
        )
