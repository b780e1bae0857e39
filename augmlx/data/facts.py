"""Files of the user's -> facts: tables, training sets, texts and documents, read strictly.

Whatever is wrong raises BadInput with "path:line: fault", the path as the user typed it and the
line an editor shows (in Parquet and spreadsheets the number of the row, in PDF that of the page). A
message holds columns, counts and positions, never the text of a row: facts may be confidential.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from augmlx.core.counting import counted
from augmlx.core.errors import BadInput, RunError
from augmlx.core.files import read_jsonl
from augmlx.core.records import Fact, Json, canonical, fact_from_json
from augmlx.core.run_folder import RunFolder
from augmlx.data import columns, forms, own_rows, prose, rows, training_sets
from augmlx.data.cells import claim, clean, key_of, required, text_of
from augmlx.data.forms import RowForm
from augmlx.data.row import Findings, Row, bad_input
from augmlx.data.statements import listed, many
from augmlx.data.text_files import has_columns
from augmlx.english.junk import why_no_statement
from augmlx.english.sameness import mark, spelled_alike


@dataclass(frozen=True, slots=True)
class FactTable:
    """What a file of facts holds.

    Args:
        facts: in the order of the file.
        duplicates: such as "facts.csv:17 repeats facts.csv:3".
        notes: what the user should know of how the file was read, such as
            "notes.txt: 12 lines, 15 statements (one a sentence)".
        left_out: (source, why) of what was read and is no fact, repetitions apart.
        is_prose: whether each fact goes on from the one before it, as sentences do.
    """

    facts: tuple[Fact, ...]
    duplicates: tuple[str, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    is_prose: bool = False


def read_facts(path: Path, *, column: str | None = None) -> FactTable:
    """The facts of a file, each on one line of text, in the order of the file.

    Tables (CSV, TSV, JSON, Parquet, spreadsheets) have a column "fact" or "text", and perhaps "id"
    and "group"; a row with something in "left_out" is none. A training set is a table in one of the
    forms of forms.py, or a data folder of mlx-lm: each row is kept as Fact.row, to be trained on as
    it is, and the fact's text is the statement of training_sets.py. All rows of a file are of one
    form. Of a "text", what is more than one plain line is kept as such a row. In plain text each
    line, in Markdown and documents each paragraph and list item is split into sentences, and each
    is a fact; `notes` say how many, and what was left out.

    Args:
        path: the file; its suffix tells the format.
        column: the column that holds the facts, where it has another name.

    A fact without an id gets one by the number of its row: "f0001". A text that was there before,
    but for case and the mark at its end (in training sets, a row), is not returned again but
    reported in `duplicates`.

    Raises:
        BadInput: the file, or rows of it, are not what they should be.
        StorageError: the file cannot be read.
    """
    findings = Findings()
    resolve = partial(columns.fact_columns, column=column)
    if path.suffix.lower() in prose.KINDS:
        if not has_columns(path, resolve):
            return _read_prose(path, column)
        found = rows.separated_rows(path, resolve, findings, usual="\t")
    else:
        found = rows.read_rows(path, resolve, findings)
    return _read_table(path, found, findings)


def facts_of_run(run: RunFolder) -> list[Fact]:
    """The facts that a run is over, from its facts.jsonl.

    Raises:
        RunError: it holds none.
        BadInput: a line of it was changed by hand.
    """
    if not run.facts.exists():
        raise RunError(f"{run.path}: holds no facts", hint="run: augmlx augment FACTS -o RUN")
    return [fact_from_json(row) for row in read_jsonl(run.facts)]


# Plain text and documents


def _read_prose(path: Path, column: str | None) -> FactTable:
    if column is not None:
        raise bad_input(path, "a text has no columns", "leave out --column")
    read = prose.read_prose(path)
    facts: dict[bytes, Fact] = {}  # by spelling
    duplicates = []
    for number, (line, statement) in enumerate(read.statements, start=1):
        text = clean(f"{path}:{line}", "the statement", statement)
        source = f"{path.name}:{line}"
        spelling = mark(spelled_alike(text))
        if spelling in facts:
            duplicates.append(f"{source} repeats {facts[spelling].source}")
        else:
            facts[spelling] = Fact(_numbered(number), text, source)
    left_out = tuple((f"{path.name}:{line}", what) for line, what in read.left_out)
    return FactTable(tuple(facts.values()), tuple(duplicates), read.notes, left_out, True)


def _numbered(number: int) -> str:
    """The id of a fact that has none."""
    return f"f{number:04d}"


# Tables and training sets


def _content(row: Json) -> Hashable:
    """What two training rows that are the same share: the texts themselves, which take no
    memory besides, or a mark.
    """
    messages: list[Json] = row.get("messages", [])
    is_plain = all(len(message) == 2 and "content" in message for message in messages)
    if "tools" in row or not is_plain:
        return mark(canonical(row).decode())
    if not messages:
        return tuple(row.values())
    return tuple([message[name] for message in messages for name in ("role", "content")])


def _read_table(path: Path, found: Iterator[Row], findings: Findings) -> FactTable:
    table = _Table(path.name)
    for number, row in enumerate(found, start=1):
        try:
            table.check_form(row)
            table.add(row, number)
        except BadInput as error:
            findings.add(error)
    findings.refuse()
    if not table.facts:
        fault = f"no facts; left out: {table.what_is_left_out()}"
        raise bad_input(path, fault, "write a statement into each row")
    return FactTable(
        tuple(table.facts.values()),
        tuple(table.duplicates),
        (*findings.notes, *table.notes()),
        tuple(table.left_out),
    )


@dataclass(slots=True)
class _Table:
    """What was read of a table so far; `facts` are by marks of their spelling, or by what their
    training rows hold.
    """

    file_name: str
    facts: dict[Hashable, Fact] = field(default_factory=dict)
    lines_of_ids: dict[str, int] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    unread: dict[str, None] = field(default_factory=dict)  # names of columns
    rows_as_they_are: int = 0
    form: RowForm | None = None
    form_line: int = 0  # where the first row stands
    last_columns: Mapping[str, str] = field(default_factory=dict)  # of the row before

    def check_form(self, row: Row) -> None:
        """Raises BadInput where a row is of another form than the first."""
        if row.columns is self.last_columns:
            return
        form = forms.form_of_row(row)
        if self.form is None:
            self.form, self.form_line = form, row.line
        elif form.about != self.form.about:
            fault = f"{form.about}, but line {self.form_line} holds {self.form.about}"
            raise bad_input(row.place, fault, "put them into files of their own")
        self.last_columns = row.columns
        self.form = form
        self.unread.update(dict.fromkeys(set(row.cells) - set(row.columns.values())))

    def add(self, row: Row, number: int) -> None:
        """Take the fact of a row, or note that it was there before, or why it is none."""
        assert self.form is not None
        source = f"{self.file_name}:{row.line}"
        if why := text_of(row, "left_out"):
            self.left_out.append((source, why))
            return
        training_row = own_rows.training_row(row, self.form)
        if training_row is None:
            text = required(row, "fact")
            content: Hashable = mark(spelled_alike(text))
        else:
            text = clean(row.place, "the row", training_sets.statement(training_row))
            content = _content(training_row)
            self.rows_as_they_are += 1
        if "fact" in row.columns and (junk := why_no_statement(text)):
            self.left_out.append((source, junk))
            return
        fact_id = key_of(row, "id") or _numbered(number)
        first = self.facts.get(content)
        # A row pasted twice, id and all, is only a repetition.
        if first is None or fact_id != first.id:
            claim(self.lines_of_ids, fact_id, row)
        if first is not None:
            self.duplicates.append(f"{source} repeats {first.source}")
            return
        self.facts[content] = Fact(fact_id, text, source, key_of(row, "group"), training_row)

    def notes(self) -> list[str]:
        """What is trained on as it is, and what is not read."""
        notes = []
        if self.left_out:
            notes.append(f"{self.file_name}: left out: {self.what_is_left_out()}")
        if self.form is not None and self.rows_as_they_are:
            each = "it is" if self.rows_as_they_are == 1 else "they are"
            count = counted(self.rows_as_they_are, self.form.row)
            of = f", {self.form.origin} form" if self.form.origin else ""
            notes.append(f"{self.file_name}: {count}{of}, trained on as {each}")
            if self.unread:
                unread = columns.listed(list(self.unread))
                notes.append(f"{self.file_name}: columns that are not read: {unread}")
        return notes

    def what_is_left_out(self) -> str:
        """Such as "2 placeholders (lines 4, 9)"."""
        lines: dict[str, list[int]] = {}
        for source, why in self.left_out:
            _, _, line = source.rpartition(":")
            lines.setdefault(why, []).append(int(line))
        counts = [f"{many(len(at), why)} ({listed(at)})" for why, at in lines.items()]
        return "; ".join(counts)
