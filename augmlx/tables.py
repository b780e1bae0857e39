"""The user's tables -> Fact and Question. CSV, TSV and JSON lines, read strictly, by one row reader.

Whatever is wrong raises BadInput with "path:line: fault", the path as the user typed it and the line an editor
shows. A message holds columns, counts and positions, never the text of a row: facts may be confidential.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from augmlx.errors import BadInput
from augmlx.records import Fact
from augmlx.rows import Row, bad_input, folded, json_kind, read_rows

MAX_TEXT = 100_000  # characters; far beyond a statement, so it is a broken table rather than a fact
# Whitespace is not listed. The rest breaks terminals and reports, and is the usual trace of a wrong encoding.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class FactTable:
    """What a file of facts holds. `duplicates` has a line such as "facts.csv:17 repeats facts.csv:3"."""

    facts: tuple[Fact, ...]
    duplicates: tuple[str, ...]


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


def read_facts(path: Path, *, column: str | None = None) -> FactTable:
    """The facts of a CSV, TSV or JSONL file, each on one line of text, in the order of the file.

    Args:
        path: a file with a column "fact" or "text", and perhaps "id" and "group".
        column: the column that holds the facts, where it has another name.

    A fact without an id gets one by the number of its row: "f0001". A text that was there before is not
    returned again but reported in `duplicates`.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    facts: dict[str, Fact] = {}
    ids: dict[str, int] = {}
    duplicates = []

    for number, row in enumerate(read_rows(path, partial(_fact_columns, column=column)), start=1):
        text = _required(row, "fact")
        key = _key(row, "id") or f"f{number:04d}"
        source = f"{path.name}:{row.line}"
        first = facts.get(text)
        if first is None or key != first.id:  # a row pasted twice, id and all, is only a repetition
            _claim(ids, key, row)
        if first is not None:
            duplicates.append(f"{source} repeats {first.source}")
            continue
        extra = set(row.cells) - set(row.columns.values())
        facts[text] = Fact(key, text, source, _key(row, "group"), dict(row.cells) if extra else None)
    return FactTable(tuple(facts.values()), tuple(duplicates))


def read_questions(path: Path) -> list[Question]:
    """The questions of a CSV, TSV or JSONL file, in the order of the file.

    Columns: prompt and answer; perhaps kind, id, choices and aliases (the last two a JSON list, or one text with
    "|" between the parts). A prompt keeps its line breaks; everything else is one line of text.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    questions = []
    ids: dict[str, int] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for number, row in enumerate(read_rows(path, _question_columns), start=1):
        prompt, answer = _required(row, "prompt", lines=True), _required(row, "answer")
        kind = _text(row, "kind") or "question"
        key = _key(row, "id") or f"q{number:04d}"
        choices, aliases = _parts(row, "choices"), _parts(row, "aliases")
        _claim(ids, key, row)
        first = seen.setdefault((prompt, answer, kind), row.line)
        if first != row.line:  # counted twice, it would narrow the intervals without adding evidence
            raise bad_input(row.place, f"the same question as on line {first}", "delete one of the two")
        _check_choices(row, answer, choices, aliases)
        questions.append(Question(key, prompt, answer, kind, choices, aliases, f"{path.name}:{row.line}"))
    return questions


def _fact_columns(place: str, names: Sequence[str], *, column: str | None) -> dict[str, str]:
    wanted = {"fact", "text"} if column is None else {folded(column)}
    found = _known(place, names, wanted | {"id", "group"})
    texts = [name for name in wanted if name in found]
    if len(texts) > 1:
        raise bad_input(place, "both a 'fact' and a 'text' column, which is unclear", "rename the one that is no fact")
    if not texts:
        raise _no_column(place, names, column or "fact")
    return {"fact": found[texts[0]], **{name: found[name] for name in ("id", "group") if name in found}}


def _question_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    found = _known(place, names, {"prompt", "answer", "kind", "choices", "aliases", "id"})
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
    shown = [f"'{name}'" if plain.fullmatch(name) else f"({len(name)} characters)" for name in names]
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    other = " (or say which one it is: --column NAME)" if wanted == "fact" else ""
    hint = f"name the column '{wanted}'{other}; in CSV and TSV the first line holds the names"
    if len(names) == 1 and (separator := re.search("[;\t,|]", names[0])):
        hint = f"the columns seem to be separated by {separator[0]!r}: .csv takes commas, .tsv takes tabs"
    found = ", ".join(shown[:12]) or "none"
    return bad_input(place, f"no column '{wanted}'; columns found: {found}{more}", hint)


# Cells


def _text(row: Row, field: str, *, lines: bool = False) -> str:
    """A cell as text, '' where there is none. Runs of white space become one space unless `lines` are kept."""
    value = row.value(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_input(row.place, f"'{field}' is {json_kind(value)}, not a text", "write it in double quotes")
    return _clean(row, field, value, lines=lines)


def _clean(row: Row, field: str, value: str, *, lines: bool = False) -> str:
    text = re.sub(r"\r\n?", "\n", value).strip() if lines else " ".join(value.split())
    if len(text) > MAX_TEXT:
        hint = "split it into statements; or a quote is missing, so that many rows became one cell"
        raise bad_input(row.place, f"'{field}' has {len(text)} characters; at most {MAX_TEXT} are read", hint)
    if control := _CONTROL.search(text):
        hint = "delete it, and check that the file was saved as UTF-8"
        raise bad_input(row.place, f"'{field}' holds the control character U+{ord(control[0]):04X}", hint)
    # A cell of zero-width characters is as empty as it looks.
    return text if any(char.isprintable() and char != " " for char in text) else ""


def _required(row: Row, field: str, *, lines: bool = False) -> str:
    text = _text(row, field, lines=lines)
    if not text:
        raise bad_input(row.place, f"no text in '{row.columns[field]}'", "fill it or delete the row")
    return text


def _key(row: Row, field: str) -> str | None:
    """An id or group; JSON may hold it as a whole number."""
    value = row.value(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(row, field) or None


def _claim(ids: dict[str, int], key: str, row: Row) -> None:
    first = ids.setdefault(key, row.line)
    if first != row.line:
        hint = "make the ids unique; a row without one gets f0001 (facts) or q0001 (questions), by its number"
        raise bad_input(row.place, f"the id is already that of line {first}", hint)


def _parts(row: Row, field: str) -> tuple[str, ...]:
    value = row.value(field)
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise bad_input(row.place, f"'{field}' is not a list of texts", 'write it as ["one", "two"]')
    texts = tuple(_clean(row, field, part) for part in parts)
    if "" in texts:
        raise bad_input(row.place, f"part {texts.index('') + 1} of '{field}' is empty", "fill it or take it out")
    return texts


def _check_choices(row: Row, answer: str, choices: tuple[str, ...], aliases: tuple[str, ...]) -> None:
    if not choices:
        return
    if len(choices) < 2 or len(set(choices)) < len(choices):
        fault = f"{len(choices)} choices, {len(set(choices))} of them different"
        raise bad_input(row.place, fault, "give at least two, each once")
    if answer not in choices:
        raise bad_input(row.place, "the answer is not among the choices", "add it, spelled as in 'answer'")
    if (set(aliases) - {answer}) & set(choices):
        raise bad_input(row.place, "an alias of the answer is a choice of its own", "take it out of one of the two")
