"""Finding operator files, the shipped ones and the user's beside augmlx.toml, and reading them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from augmlx.augment.operators.checking import checked
from augmlx.augment.operators.schema import Operator
from augmlx.core.errors import BadInput, storage_errors

_SUFFIX = ".toml"
_SETTINGS = "augmlx.toml"
_Files = Mapping[str, Traversable]  # name of an operator -> its file


@dataclass(frozen=True, slots=True)
class Listed:
    """An operator that can be named, and where it comes from."""

    operator: Operator
    place: str  # "shipped", or the user's file
    overrides: bool = False  # whether the user's file takes a shipped one's place


def available(filters: Collection[str], folder: Path | None = None) -> list[Listed]:
    """Every operator, by name.

    Args:
        filters: the names that an operator may ask for.
        folder: of augmlx.toml, if there is one.

    Raises:
        BadInput: as `load`, for any of them: a listing that leaves a broken file out would hide it.
    """
    shipped = _shipped()
    listed = []
    for name, file in sorted(_operator_files(folder).items()):
        is_shipped = file == shipped.get(name)
        listed.append(
            Listed(
                operator=_read(file, name, filters),
                place="shipped" if is_shipped else str(file),
                overrides=name in shipped and not is_shipped,
            )
        )
    return listed


def load(
    wanted: Sequence[str], filters: Collection[str], folder: Path | None = None
) -> list[Operator]:
    """The named operators, in their order.

    Args:
        wanted: their names.
        filters: the names that an operator may ask for.
        folder: of augmlx.toml; a file in it overrides or adds to the shipped ones.

    Raises:
        BadInput: with the file, the key and the reason; or with the known names for an unknown one.
        StorageError: a file cannot be read.
    """
    files = _files(folder)
    operators = []
    for name in wanted:
        if name not in files:
            fault = f"augment.operators: no operator named {name!r}"
            raise BadInput(fault, hint=f"known operators: {', '.join(names(folder))}")
        operators.append(_read(files[name], name, filters))
    return operators


def names(folder: Path | None = None) -> list[str]:
    """The names of all operators, good or broken."""
    return sorted(_operator_files(folder))


def _operator_files(folder: Path | None) -> _Files:
    """The files that are meant to be operators: the user's project may hold other TOML files
    (pyproject.toml).
    """
    return {name: file for name, file in _files(folder).items() if _is_meant(file)}


def _is_meant(file: Traversable) -> bool:
    try:
        keys = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):  # told where it is read
        return True
    return not Operator.model_fields.keys().isdisjoint(keys)


def _files(folder: Path | None) -> _Files:
    """All files that may be operators."""
    files = _shipped()
    if folder is None or not folder.is_dir():
        return files
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path.name != _SETTINGS:
            files[path.name.removesuffix(_SUFFIX)] = path
    return files


def _shipped() -> dict[str, Traversable]:
    files = {}
    for file in resources.files("augmlx.augment.operators").iterdir():
        name, dot, suffix = file.name.rpartition(".")
        if dot + suffix == _SUFFIX:
            files[name] = file
    return files


def _read(file: Traversable, name: str, filters: Collection[str]) -> Operator:
    place = str(file) if isinstance(file, Path) else file.name
    with storage_errors(place):
        data = file.read_bytes()
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # tomllib leaks more than its own error
        fault = f"{place}: not valid TOML: {error}"
        raise BadInput(fault, hint="mend the line it names") from error
    return checked(values, place, name, filters)
