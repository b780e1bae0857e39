"""Files of the user's -> facts: tables, training sets, plain text and Markdown, read strictly.

Whatever is wrong raises BadInput with "path:line: fault", the path as the user typed it and the
line an editor shows (in Parquet the number of the row). A message holds columns, counts and
positions, never the text of a row: facts may be confidential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from augmlx.core.errors import RunError
from augmlx.core.files import read_jsonl
from augmlx.core.records import Fact, Json, fact_from_json, fingerprint
from augmlx.core.run_folder import RunFolder
from augmlx.data import prose, training_sets
from augmlx.data.cells import claim, clean, key_of, required
from augmlx.data.columns import FACT, FactKind, fact_columns, fact_kind
from augmlx.data.row import Row, bad_input
from augmlx.data.rows import read_rows


@dataclass(frozen=True, slots=True)
class FactTable:
    """What a file of facts holds.

    Args:
        facts: in the order of the file.
        duplicates: such as "facts.csv:17 repeats facts.csv:3".
        notes: what the user should know of how the file was read, such as
            "notes.txt: 12 lines, 15 statements (one a sentence)".
    """

    facts: tuple[Fact, ...]
    duplicates: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_facts(path: Path, *, column: str | None = None) -> FactTable:
    """The facts of a file, each on one line of text, in the order of the file.

    Tables (.csv, .tsv, .jsonl, .ndjson, .parquet) have a column "fact" or "text", and perhaps "id"
    and "group". A training set is a table with "prompt" and "completion", or with "messages" (and
    perhaps "tools"): each row is kept as Fact.row, to be trained on as it is, and the fact's text
    is the statement of training_sets.py. All rows of a file are of one kind. In plain text (.txt)
    each line, in Markdown (.md) each paragraph and list item is split into sentences, and each is a
    fact; `notes` say how many, and what was left out.

    Args:
        path: the file; its suffix tells the format.
        column: the column that holds the facts, where it has another name.

    A fact without an id gets one by the number of its row: "f0001". A text (in training sets, a
    row) that was there before is not returned again but reported in `duplicates`.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    if path.suffix.lower() in prose.KINDS:
        return _read_prose(path, column)
    return _read_table(path, column)


def facts_of_run(run: RunFolder) -> list[Fact]:
    """The facts that a run is over, from its facts.jsonl.

    Raises:
        RunError: it holds none.
        BadInput: a line of it was changed by hand.
    """
    if not run.facts.exists():
        raise RunError(f"{run.path}: holds no facts", hint="run: augmlx augment FACTS -o RUN")
    return [fact_from_json(row) for row in read_jsonl(run.facts)]


# Plain text and Markdown


def _read_prose(path: Path, column: str | None) -> FactTable:
    if column is not None:
        raise bad_input(path, "a text has no columns", "leave out --column")
    read = prose.read_prose(path)
    facts: dict[str, Fact] = {}  # by text
    duplicates = []
    for number, (line, statement) in enumerate(read.statements, start=1):
        text = clean(f"{path}:{line}", "the statement", statement)
        source = f"{path.name}:{line}"
        if text in facts:
            duplicates.append(f"{source} repeats {facts[text].source}")
        else:
            facts[text] = Fact(_numbered(number), text, source)
    return FactTable(tuple(facts.values()), tuple(duplicates), read.notes)


def _numbered(number: int) -> str:
    """The id of a fact that has none."""
    return f"f{number:04d}"


# Tables and training sets


def _read_table(path: Path, column: str | None) -> FactTable:
    table = _Table(path.name)
    resolve = partial(fact_columns, column=column)
    for number, row in enumerate(read_rows(path, resolve), start=1):
        table.check_kind(row)
        table.add(row, number)
    notes = () if table.kind is FACT else (table.training_note(),)
    return FactTable(tuple(table.facts.values()), tuple(table.duplicates), notes)


@dataclass(slots=True)
class _Table:
    """What was read of a table so far; `facts` are by their text, or by the fingerprint of a
    training row.
    """

    file_name: str
    facts: dict[str, Fact] = field(default_factory=dict)
    lines_of_ids: dict[str, int] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)
    kind: FactKind | None = None
    kind_line: int = 0  # where the first row stands

    def check_kind(self, row: Row) -> None:
        """Raises BadInput where a row is of another kind than the first."""
        kind = fact_kind(row.columns)
        if self.kind is None:
            self.kind, self.kind_line = kind, row.line
        elif kind is not self.kind:
            fault = f"{kind.about}, but line {self.kind_line} holds {self.kind.about}"
            raise bad_input(row.place, fault, "put them into files of their own")

    def add(self, row: Row, number: int) -> None:
        """Take the fact of a row, or note that it was there before."""
        training_row = _training_row(row)
        if training_row is None:
            text = required(row, "fact")
            content = text
        else:
            text = clean(row.place, "the row", training_sets.statement(training_row))
            content = fingerprint(training_row)
        fact_id = key_of(row, "id") or _numbered(number)
        source = f"{self.file_name}:{row.line}"
        first = self.facts.get(content)
        # A row pasted twice, id and all, is only a repetition.
        if first is None or fact_id != first.id:
            claim(self.lines_of_ids, fact_id, row)
        if first is not None:
            self.duplicates.append(f"{source} repeats {first.source}")
            return
        self.facts[content] = Fact(fact_id, text, source, key_of(row, "group"), training_row)

    def training_note(self) -> str:
        rows = len(self.facts) + len(self.duplicates)
        if rows == 1:
            return f"{self.file_name}: 1 training row, trained on as it is"
        return f"{self.file_name}: {rows} training rows, trained on as they are"


def _training_row(row: Row) -> Json | None:
    """What of a row is trained on as it is; None where it holds a plain fact."""
    if "fact" in row.columns:
        return None
    if "messages" in row.columns:
        training_row = {"messages": _messages(row)}
    else:
        for name in ("prompt", "completion"):
            required(row, name, lines=True)
        training_row = {name: row.value(name) for name in ("prompt", "completion")}
    tools = _tools(row)
    return {**training_row, "tools": tools} if tools else training_row


def _messages(row: Row) -> list[Mapping[str, Any]]:
    messages: list[Mapping[str, Any]] = row.value("messages")
    if fault := training_sets.fault(messages):
        hint = 'write [{"role": "user", "content": "..."}, {"role": "assistant", ...}]'
        raise bad_input(row.place, fault, hint)
    for number, message in enumerate(messages, start=1):
        clean(row.place, f"message {number}", message.get("content") or "", lines=True)
    return messages


def _tools(row: Row) -> list[Mapping[str, Any]]:
    tools: list[Mapping[str, Any]] | None = row.value("tools")
    if tools is None:
        return []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        fault = "'tools' is not a list of objects"
        raise bad_input(row.place, fault, "write it as a list, or take it out")
    return tools
