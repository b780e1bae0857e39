"""What was read of files as a table to look at and edit before anything is generated: one fact a
row, its source, and what was left out, with the reason.

The table is itself a file of facts: a row with something in "left_out" is none.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.errors import BadSettings
from augmlx.core.files import atomic_path, write_jsonl
from augmlx.core.records import Json, fingerprint
from augmlx.data.facts import FactTable
from augmlx.data.spreadsheet import harmless

HEADER = ("fact", "source", "left_out")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row; where `left_out` says why, there is no fact."""

    fact: str
    source: str
    left_out: str = ""
    row: Mapping[str, object] | None = None  # of a training set


def sheet_rows(tables: Sequence[FactTable]) -> list[SheetRow]:
    """The rows of several files, each file's facts first and then what was left out of it; a fact
    that an earlier file holds is left out of a later one.
    """
    rows: list[SheetRow] = []
    sources: dict[str, str] = {}
    for table in tables:
        for fact in table.facts:
            content = fingerprint(fact.row) if fact.row else fact.text.casefold()
            first = sources.setdefault(content, fact.source)
            if first == fact.source:
                rows.append(SheetRow(fact.text, fact.source, row=fact.row))
            else:
                rows.append(SheetRow("", fact.source, f"repeats {first}"))
        rows += [SheetRow("", source, why) for source, why in table.left_out]
        rows += [SheetRow("", *_repeated(repeat)) for repeat in table.duplicates]
    return rows


def _repeated(repeat: str) -> tuple[str, str]:
    """ "a.csv:17 repeats a.csv:3" -> its source and the rest."""
    source, _, first = repeat.partition(" repeats ")
    return source, f"repeats {first}"


def write_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Write the table as .csv, or as .jsonl, which keeps the rows of a training set as they are.

    Raises:
        BadSettings: another kind of file, or a .csv for rows of a training set.
        StorageError: it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        write_jsonl(path, _as_json(rows))
        return
    if suffix != ".csv":
        raise BadSettings(f"{path}: a table of facts is .csv or .jsonl", hint="name it facts.csv")
    if any(row.row for row in rows):
        raise BadSettings(
            f"{path}: rows of a training set are kept as they are, which CSV cannot",
            hint="name it facts.jsonl",
        )
    with atomic_path(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_cells(rows))


def _cells(rows: Iterable[SheetRow]) -> Iterator[list[str]]:
    for row in rows:
        yield [harmless(cell) for cell in (row.fact, row.source, row.left_out)]


def _as_json(rows: Iterable[SheetRow]) -> Iterator[Json]:
    """What is left out of a training set is none of its rows."""
    rows = list(rows)
    is_training_set = any(row.row for row in rows)
    for row in rows:
        if row.row is not None:
            yield {**json.loads(json.dumps(row.row)), "source": row.source}
        elif not is_training_set:
            left_out = {"left_out": row.left_out} if row.left_out else {}
            yield {"fact": row.fact, "source": row.source, **left_out}
