"""The user's files -> Fact and Question. Tables, training sets, plain text and Markdown, read
strictly.

Whatever is wrong raises BadInput with "path:line: fault", the path as the user typed it and the
line an editor shows (in Parquet the number of the row). A message holds columns, counts and
positions, never the text of a row: facts may be confidential.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from augmlx.core.errors import BadInput
from augmlx.core.records import Fact, Json, fingerprint
from augmlx.data import prose, training_sets
from augmlx.data.cells import claim, clean, key_of, parts_of, required, text_of
from augmlx.data.rows import Row, bad_input, folded, read_rows

# The kinds of rows that hold facts: what tells one, and its name in messages.
_KINDS = {
    "fact": (("fact",), "a fact"),
    "completion": (("prompt", "completion"), "a prompt and a completion"),
    "chat": (("messages",), "the messages of a chat"),
}


@dataclass(frozen=True, slots=True)
class FactTable:
    """What a file of facts holds.

    `duplicates` has a line such as "facts.csv:17 repeats facts.csv:3", `notes` what the user should
    know of how the file was read, such as "notes.txt: 12 lines, 15 statements (one a sentence)".
    """

    facts: tuple[Fact, ...]
    duplicates: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the user's. Where there are `choices`, the answer is one of them."""

    id: str
    prompt: str
    answer: str
    kind: str
    choices: tuple[str, ...]
    aliases: tuple[str, ...]
    source: str
    facts: tuple[str, ...] = ()  # ids of those that it is about


def read_facts(path: Path, *, column: str | None = None) -> FactTable:
    """The facts of a file, each on one line of text, in the order of the file.

    Tables (.csv, .tsv, .jsonl, .ndjson, .parquet) have a column "fact" or "text", and perhaps "id"
    and "group". A training set is a table with "prompt" and "completion", or with "messages" (and
    perhaps "tools"): each row is kept as Fact.row, to be trained on as it is, and the fact's text
    is the statement of trainsets.py. All rows of a file are of one kind. In plain text (.txt) each
    line, in Markdown (.md) each paragraph and list item is split into sentences, and each is a
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
    facts: dict[str, Fact] = {}  # by text, or by the fingerprint of a training row
    ids: dict[str, int] = {}
    duplicates = []
    kind, kind_line = "", 0
    for number, row in enumerate(read_rows(path, partial(_fact_columns, column=column)), start=1):
        found = _kind(row.columns)
        if kind not in ("", found):
            fault = f"{_KINDS[found][1]}, but line {kind_line} holds {_KINDS[kind][1]}"
            raise bad_input(row.place, fault, "put them into files of their own")
        kind, kind_line = found, kind_line or row.line
        training = _training_row(row)
        text = (
            required(row, "fact")
            if training is None
            else clean(row.place, "the row", training_sets.statement(training))
        )
        key = key_of(row, "id") or f"f{number:04d}"
        source = f"{path.name}:{row.line}"
        what = text if training is None else fingerprint(training)
        first = facts.get(what)
        if first is None or key != first.id:  # a row pasted twice, id and all, is only a repetition
            claim(ids, key, row)
        if first is not None:
            duplicates.append(f"{source} repeats {first.source}")
            continue
        facts[what] = Fact(key, text, source, key_of(row, "group"), training)
    rows = len(facts) + len(duplicates)
    told = (
        "1 training row, trained on as it is"
        if rows == 1
        else f"{rows} training rows, trained on as they are"
    )
    notes = () if kind == "fact" else (f"{path.name}: {told}",)
    return FactTable(tuple(facts.values()), tuple(duplicates), notes)


def _read_prose(path: Path, column: str | None) -> FactTable:
    if column is not None:
        raise bad_input(path, "a text has no columns", "leave out --column")
    read = prose.read_prose(path)
    facts: dict[str, Fact] = {}
    duplicates = []
    for number, (line, statement) in enumerate(read.statements, start=1):
        text, source = clean(f"{path}:{line}", "the statement", statement), f"{path.name}:{line}"
        if text in facts:
            duplicates.append(f"{source} repeats {facts[text].source}")
        else:
            facts[text] = Fact(f"f{number:04d}", text, source)
    return FactTable(tuple(facts.values()), tuple(duplicates), read.notes)


def read_questions(path: Path) -> list[Question]:
    """The questions of a table (CSV, TSV, JSONL or Parquet), in the order of the file.

    Columns: prompt and answer; perhaps kind, id, choices, aliases and facts: the ids of those that
    it is about. The last three are a JSON list, or one text with "|" between the parts. A prompt
    keeps its line breaks; everything else is one line of text.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    questions = []
    ids: dict[str, int] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for number, row in enumerate(read_rows(path, _question_columns), start=1):
        prompt, answer = required(row, "prompt", lines=True), required(row, "answer")
        kind = text_of(row, "kind") or "question"
        key = key_of(row, "id") or f"q{number:04d}"
        choices, aliases = parts_of(row, "choices"), parts_of(row, "aliases")
        claim(ids, key, row)
        first = seen.setdefault((prompt, answer, kind), row.line)
        if (
            first != row.line
        ):  # counted twice, it would narrow the intervals without adding evidence
            raise bad_input(
                row.place, f"the same question as on line {first}", "delete one of the two"
            )
        _check_choices(row, answer, choices, aliases)
        place, about = f"{path.name}:{row.line}", parts_of(row, "facts")
        questions.append(Question(key, prompt, answer, kind, choices, aliases, place, about))
    return questions


# Training rows


def _kind(columns: Mapping[str, str]) -> str:
    return next(kind for kind, (fields, _) in _KINDS.items() if set(fields) <= set(columns))


def _training_row(row: Row) -> Json | None:
    """What of a row is trained on as it is; None where it holds a plain fact."""
    if "fact" in row.columns:
        return None
    if "messages" in row.columns:
        messages = row.value("messages")
        if fault := training_sets.fault(messages):
            raise bad_input(
                row.place,
                fault,
                'write [{"role": "user", "content": "..."}, {"role": "assistant", ...}]',
            )
        for number, message in enumerate(messages, start=1):
            clean(row.place, f"message {number}", message.get("content") or "", lines=True)
    else:
        required(row, "prompt", lines=True)
        required(row, "completion", lines=True)
    training = {
        field: row.value(field)
        for field in ("prompt", "completion", "messages")
        if field in row.columns
    }
    tools = row.value("tools")
    if tools is None or tools == []:
        return training
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise bad_input(
            row.place, "'tools' is not a list of objects", "write it as a list, or take it out"
        )
    return {**training, "tools": tools}


# Columns


def _fact_columns(place: str, names: Sequence[str], *, column: str | None) -> dict[str, str]:
    """The columns that are read: id and group, and those of one kind of fact."""
    if column is not None:
        wanted = folded(column)
        found = _known(place, names, {wanted, "id", "group"})
        if wanted not in found:
            raise _no_column(place, names, column)
        return {
            **{name: found[name] for name in ("id", "group") if name in found},
            "fact": found[wanted],
        }
    found = _known(
        place, names, {"id", "group", "fact", "text", "prompt", "completion", "messages", "tools"}
    )
    if "fact" in found and "text" in found:
        raise bad_input(
            place,
            "both a 'fact' and a 'text' column, which is unclear",
            "rename the one that is no fact",
        )
    if "text" in found:
        found["fact"] = found.pop("text")
    kinds = [(fields, what) for fields, what in _KINDS.values() if set(fields) <= set(found)]
    if len(kinds) > 1:
        fault = f"the columns of {' and of '.join(what for _, what in kinds)}, which is unclear"
        raise bad_input(
            place,
            fault,
            "leave only one of them, or say which column holds the facts: --column NAME",
        )
    if not kinds:
        raise _no_column(place, names, "fact")
    used = {"id", "group", *kinds[0][0]} | ({"tools"} if "fact" not in kinds[0][0] else set())
    return {field: name for field, name in found.items() if field in used}


def _question_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    found = _known(place, names, {"prompt", "answer", "kind", "choices", "aliases", "facts", "id"})
    for name in ("prompt", "answer"):
        if name not in found:
            raise _no_column(place, names, name)
    return found


def _known(place: str, names: Sequence[str], wanted: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        field = folded(name)
        if field in found:
            raise bad_input(place, f"two columns are named '{field}'", "rename one of them")
        if field in wanted:
            found[field] = name
    return found


def _no_column(place: str, names: Sequence[str], wanted: str) -> BadInput:
    # Without a header line the first row stands here: only what looks like a name may be repeated.
    plain = re.compile(r"(?=.{1,30}$)\w+([ _-]\w+)?")
    shown = [
        f"'{name}'" if plain.fullmatch(name) else f"({len(name)} characters)" for name in names
    ]
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    other = " (or say which one it is: --column NAME)" if wanted == "fact" else ""
    hint = f"name the column '{wanted}'{other}; in CSV and TSV the first line holds the names"
    if wanted == "fact":
        hint += "; a training set has prompt and completion, or messages"
    if len(names) == 1 and (separator := re.search("[;\t,|]", names[0])):
        hint = (
            f"the columns seem to be separated by {separator[0]!r}: .csv takes commas, .tsv "
            f"takes tabs"
        )
    found = ", ".join(shown[:12]) or "none"
    return bad_input(place, f"no column '{wanted}'; columns found: {found}{more}", hint)


def _check_choices(
    row: Row, answer: str, choices: tuple[str, ...], aliases: tuple[str, ...]
) -> None:
    if not choices:
        return
    if len(choices) < 2 or len(set(choices)) < len(choices):
        fault = f"{len(choices)} choices, {len(set(choices))} of them different"
        raise bad_input(row.place, fault, "give at least two, each once")
    if answer not in choices:
        raise bad_input(
            row.place, "the answer is not among the choices", "add it, spelled as in 'answer'"
        )
    if (set(aliases) - {answer}) & set(choices):
        raise bad_input(
            row.place,
            "an alias of the answer is a choice of its own",
            "take it out of one of the two",
        )


def question_row(question: Question) -> Json:
    """A question as `read_questions` reads it back from a .jsonl file."""
    row: Json = {
        "id": question.id,
        "prompt": question.prompt,
        "answer": question.answer,
        "kind": question.kind,
    }
    if question.choices:
        row["choices"] = list(question.choices)
    if question.aliases:
        row["aliases"] = list(question.aliases)
    if question.facts:
        row["facts"] = list(question.facts)
    return row
