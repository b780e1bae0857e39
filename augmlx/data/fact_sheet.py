"""What was read of files as a table to look at and edit before anything is generated: one fact a
row, its source, and what was left out, with the reason.

The table is itself a file of facts: a row with something in "left_out" is none.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from augmlx.core.errors import BadSettings
from augmlx.core.files import file_sha256
from augmlx.core.records import Json, fingerprint
from augmlx.data.facts import FactTable
from augmlx.data.spreadsheet import harmless

HEADER = ("fact", "source", "left_out")
MADE_HEADER = (*HEADER, "sentence", "note")  # where a model has taken sentences apart


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row; where `left_out` says why, it is no fact.

    Args:
        row: of a training set.
        sentence: what a model made the fact of, where it is not the fact itself.
        note: why a sentence that a model was to take apart is as it was.
    """

    fact: str
    source: str
    left_out: str = ""
    row: Mapping[str, object] | None = None
    sentence: str = ""
    note: str = ""


def rows_as_read(table: FactTable) -> list[SheetRow]:
    """A row for each fact of a file."""
    return [SheetRow(fact.text, fact.source, row=fact.row) for fact in table.facts]


def sheet_rows(
    tables: Sequence[FactTable], made: Sequence[Sequence[SheetRow]] | None = None
) -> list[SheetRow]:
    """The rows of several files, each file's facts first and then what was left out of it; a fact
    that an earlier row holds is left out.

    Args:
        made: the rows of each file's facts, where they are not those that were read.
    """
    rows: list[SheetRow] = []
    sources: dict[str, str] = {}
    of_facts = made if made is not None else list(map(rows_as_read, tables))
    for table, found in zip(tables, of_facts, strict=True):
        for row in found:
            content = fingerprint(row.row) if row.row else row.fact.casefold()
            is_new = bool(row.left_out) or content not in sources
            if is_new:
                rows.append(row)
            else:
                why = f"repeats {sources[content]}"
                rows.append(replace(row, fact="", left_out=why, row=None, note=""))
            if not row.left_out:
                sources.setdefault(content, row.source)
        rows += [SheetRow("", source, why) for source, why in table.left_out]
        rows += [SheetRow("", *_repeated(repeat)) for repeat in table.duplicates]
    return rows


def _repeated(repeat: str) -> tuple[str, str]:
    """ "a.csv:17 repeats a.csv:3" -> its source and the rest."""
    source, _, first = repeat.partition(" repeats ")
    return source, f"repeats {first}"


def sheet_content(path: Path, rows: Sequence[SheetRow]) -> bytes:
    """What a table holds as a .csv, or as a .jsonl, which keeps rows of a training set as they are.

    Raises:
        BadSettings: another kind of file, or a .csv for rows of a training set.
    """
    _check_form(path, has_training_rows=any(row.row for row in rows))
    text = io.StringIO(newline="")
    if path.suffix.lower() == ".jsonl":
        text.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _as_json(rows))
        return text.getvalue().encode()
    writer = csv.writer(text)
    has_made = any(row.sentence or row.note for row in rows)
    writer.writerow(MADE_HEADER if has_made else HEADER)
    writer.writerows(_cells(rows, has_made=has_made))
    return text.getvalue().encode("utf-8-sig")


def digest(content: bytes) -> str:
    """What tells a table that was written from one that was edited: its sha256 (hex)."""
    return hashlib.sha256(content).hexdigest()


def refuse_edited(path: Path, known: Collection[str]) -> None:
    """Raises BadSettings where there is a file that holds something else than what is known."""
    if path.is_file() and file_sha256(path) not in known:
        raise BadSettings(
            f"{path}: is there already, and holds what this would not write: it may be edited by "
            "hand; nothing was written",
            hint="rename it to keep it, and run again, or choose another -o",
        )


def _check_form(path: Path, *, has_training_rows: bool) -> None:
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise BadSettings(f"{path}: a table of facts is .csv or .jsonl", hint="name it facts.csv")
    if suffix == ".csv" and has_training_rows:
        raise BadSettings(
            f"{path}: rows of a training set are kept as they are, which CSV cannot",
            hint="name it facts.jsonl",
        )


def _cells(rows: Iterable[SheetRow], *, has_made: bool) -> Iterator[list[str]]:
    for row in rows:
        made = (row.sentence, row.note) if has_made else ()
        yield [harmless(cell) for cell in (row.fact, row.source, row.left_out, *made)]


def _as_json(rows: Iterable[SheetRow]) -> Iterator[Json]:
    """What is left out of a training set is none of its rows."""
    rows = list(rows)
    is_training_set = any(row.row for row in rows)
    for row in rows:
        if row.row is not None:
            yield {**json.loads(json.dumps(row.row)), "source": row.source}
        elif not is_training_set:
            more = {"left_out": row.left_out, "sentence": row.sentence, "note": row.note}
            told = {name: text for name, text in more.items() if text}
            yield {"fact": row.fact, "source": row.source, **told}
