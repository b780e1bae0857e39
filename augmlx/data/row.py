"""One row of a table of the user's, and what all readers of tables agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from augmlx.core.counting import counted
from augmlx.core.errors import BadInput
from augmlx.core.records import Json

# (place, names of the columns found) -> our field -> name of its column in the file
Resolve = Callable[[str, Sequence[str]], Mapping[str, str]]


class Row(NamedTuple):
    """One row with its place in the file; a tuple, of which many are made quickly.

    Args:
        place: "path:line", for messages.
        line: where the row starts, from 1; in Parquet the number of the row.
        cells: name of the column -> value, as the file holds it.
        columns: our field -> name of its column.
    """

    place: str
    line: int
    cells: Json
    columns: Mapping[str, str]

    def value(self, field: str) -> Any:
        """The cell of a field, as the file holds it; None where there is no such column."""
        name = self.columns.get(field)
        return None if name is None else self.cells.get(name)


_SHOWN = 20  # faulty rows that a message names


@dataclass(slots=True)
class Findings:
    """What reading a file finds out besides its rows: all that is wrong, so that it is mended in
    one go, and what the user should know.
    """

    faults: list[BadInput] = field(default_factory=list)
    count: int = 0  # of faulty rows; the first of them are kept
    notes: list[str] = field(default_factory=list)

    def add(self, error: BadInput) -> None:
        """Note what is wrong with a row; the next is read."""
        self.count += 1
        if self.count <= _SHOWN:
            self.faults.append(error)

    def refuse(self) -> None:
        """Raises BadInput with every fault, each on a line of its own, if there are any."""
        if not self.faults:
            return
        lines = [error.message for error in self.faults]
        if self.count > _SHOWN:
            lines.append(f"and {counted(self.count - _SHOWN, 'more faulty row')}")
        hints = dict.fromkeys(error.hint for error in self.faults if error.hint)
        raise BadInput("\n".join(lines), hint="; or ".join(hints))


def bad_input(place: Path | str, fault: str, hint: str) -> BadInput:
    """The error about one place in a file of the user's."""
    return BadInput(f"{place}: {fault}", hint=hint)


def folded(name: str) -> str:
    """The name of a column as names are compared."""
    return name.strip().casefold()


def column_names(place: str, cells: Sequence[str]) -> list[str]:
    """The names of the columns of a header, each once; one without a name is "column 3".

    Raises:
        BadInput: two columns have the same name.
    """
    # Spreadsheets leave columns without a name at the end, pandas leaves one at the beginning.
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, start=1)]
    numbers: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        first = numbers.setdefault(folded(name), number)
        if first != number:
            fault = f"columns {first} and {number} have the same name"
            raise bad_input(place, fault, "rename one of them (the first line holds the names)")
    return names
