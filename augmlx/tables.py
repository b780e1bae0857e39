"""The user's tables -> Fact and Question. CSV, TSV and JSON lines, read strictly, by one row reader.

Whatever is wrong raises BadInput with "path:line: fault", the path as the user typed it and the line an editor
shows. A message holds columns, counts and positions, never the text of a row: facts may be confidential.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jsonlines

from augmlx.errors import BadInput, storage_errors
from augmlx.records import Fact, Json

MAX_TEXT = 100_000  # characters; far beyond a statement, so it is a broken table rather than a fact
_MAX_DEPTH = 64  # of nested JSON; what is deeper cannot be copied or written back without a recursion error
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
# Whitespace is not listed. The rest breaks terminals and reports, and is the usual trace of a wrong encoding.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")

Resolve = Callable[[str, Sequence[str]], Mapping[str, str]]  # (place, names found) -> our field -> name in the file


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


@dataclass(frozen=True, slots=True)
class _Row:
    place: str  # "path:line", for errors
    line: int  # where the row starts
    cells: Json  # untouched
    columns: Mapping[str, str]

    def value(self, field: str) -> Any:
        return self.cells.get(self.columns[field]) if field in self.columns else None


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

    for number, row in enumerate(_rows(path, partial(_fact_columns, column=column)), start=1):
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
    for number, row in enumerate(_rows(path, _question_columns), start=1):
        prompt, answer = _required(row, "prompt", lines=True), _required(row, "answer")
        kind = _text(row, "kind") or "question"
        key = _key(row, "id") or f"q{number:04d}"
        choices, aliases = _parts(row, "choices"), _parts(row, "aliases")
        _claim(ids, key, row)
        first = seen.setdefault((prompt, answer, kind), row.line)
        if first != row.line:  # counted twice, it would narrow the intervals without adding evidence
            raise _bad(row.place, f"the same question as on line {first}", "delete one of the two")
        _check_choices(row, answer, choices, aliases)
        questions.append(Question(key, prompt, answer, kind, choices, aliases, f"{path.name}:{row.line}"))
    return questions


def _bad(place: Path | str, fault: str, hint: str) -> BadInput:
    return BadInput(f"{place}: {fault}", hint=hint)


# Columns


def _fact_columns(place: str, names: Sequence[str], *, column: str | None) -> dict[str, str]:
    wanted = {"fact", "text"} if column is None else {_folded(column)}
    found = _known(place, names, wanted | {"id", "group"})
    texts = [name for name in wanted if name in found]
    if len(texts) > 1:
        raise _bad(place, "both a 'fact' and a 'text' column, which is unclear", "rename the one that is no fact")
    if not texts:
        raise _no_column(place, names, column or "fact")
    return {"fact": found[texts[0]], **{name: found[name] for name in ("id", "group") if name in found}}


def _question_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    found = _known(place, names, {"prompt", "answer", "kind", "choices", "aliases", "id"})
    for name in ("prompt", "answer"):
        if name not in found:
            raise _no_column(place, names, name)
    return found


def _folded(name: str) -> str:
    return name.strip().casefold()


def _known(place: str, names: Sequence[str], wanted: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        field = _folded(name)
        if field in found:
            raise _bad(place, f"two columns are named '{field}'", "rename one of them")
        if field in wanted:
            found[field] = name
    return found


def _no_column(place: str, names: Sequence[str], wanted: str) -> BadInput:
    # Without a header line the first row stands here: only what looks like a name may be repeated.
    plain = re.compile(r"(?=.{1,30}$)\w+([ _-]\w+)?")
    shown = [f"'{name}'" if plain.fullmatch(name) else f"({len(name)} characters)" for name in names]
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    hint = f"name the column '{wanted}'; in CSV and TSV the first line holds the names"
    if len(names) == 1 and (separator := re.search("[;\t,|]", names[0])):
        hint = f"the columns seem to be separated by {separator[0]!r}: .csv takes commas, .tsv takes tabs"
    found = ", ".join(shown[:12]) or "none"
    return _bad(place, f"no column '{wanted}'; columns found: {found}{more}", hint)


# Cells


def _text(row: _Row, field: str, *, lines: bool = False) -> str:
    """A cell as text, '' where there is none. Runs of white space become one space unless `lines` are kept."""
    value = row.value(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _bad(row.place, f"'{field}' is {_json_kind(value)}, not a text", "write it in double quotes")
    return _clean(row, field, value, lines=lines)


def _clean(row: _Row, field: str, value: str, *, lines: bool = False) -> str:
    text = re.sub(r"\r\n?", "\n", value).strip() if lines else " ".join(value.split())
    if len(text) > MAX_TEXT:
        hint = "split it into statements; or a quote is missing, so that many rows became one cell"
        raise _bad(row.place, f"'{field}' has {len(text)} characters; at most {MAX_TEXT} are read", hint)
    if control := _CONTROL.search(text):
        hint = "delete it, and check that the file was saved as UTF-8"
        raise _bad(row.place, f"'{field}' holds the control character U+{ord(control[0]):04X}", hint)
    # A cell of zero-width characters is as empty as it looks.
    return text if any(char.isprintable() and char != " " for char in text) else ""


def _required(row: _Row, field: str, *, lines: bool = False) -> str:
    text = _text(row, field, lines=lines)
    if not text:
        raise _bad(row.place, f"no text in '{row.columns[field]}'", "fill it or delete the row")
    return text


def _key(row: _Row, field: str) -> str | None:
    """An id or group; JSON may hold it as a whole number."""
    value = row.value(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(row, field) or None


def _claim(ids: dict[str, int], key: str, row: _Row) -> None:
    first = ids.setdefault(key, row.line)
    if first != row.line:
        hint = "make the ids unique; a row without one gets f0001 (facts) or q0001 (questions), by its number"
        raise _bad(row.place, f"the id is already that of line {first}", hint)


def _parts(row: _Row, field: str) -> tuple[str, ...]:
    value = row.value(field)
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise _bad(row.place, f"'{field}' is not a list of texts", 'write it as ["one", "two"]')
    texts = tuple(_clean(row, field, part) for part in parts)
    if "" in texts:
        raise _bad(row.place, f"part {texts.index('') + 1} of '{field}' is empty", "fill it or take it out")
    return texts


def _check_choices(row: _Row, answer: str, choices: tuple[str, ...], aliases: tuple[str, ...]) -> None:
    if not choices:
        return
    if len(choices) < 2 or len(set(choices)) < len(choices):
        fault = f"{len(choices)} choices, {len(set(choices))} of them different"
        raise _bad(row.place, fault, "give at least two, each once")
    if answer not in choices:
        raise _bad(row.place, "the answer is not among the choices", "add it, spelled as in 'answer'")
    if (set(aliases) - {answer}) & set(choices):
        raise _bad(row.place, "an alias of the answer is a choice of its own", "take it out of one of the two")


# Rows: the one reader of all formats


def _rows(path: Path, resolve: Resolve) -> Iterator[_Row]:
    """The rows of a file that are not blank. Raises BadInput and StorageError; there is at least one row."""
    suffix, content = path.suffix.lower(), _content(path)
    if suffix in _DELIMITERS:
        rows = _csv_rows(path, content, _DELIMITERS[suffix], resolve)
    else:
        rows = _json_rows(path, content, resolve)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        yield row
    if not count:
        raise _bad(path, "only a header, no rows", "add at least one row")


def _content(path: Path) -> str:
    """The text of a UTF-8 file of a kind that is supported, without its byte order mark."""
    with storage_errors(path):
        try:
            with path.open("rb") as file:
                if path.suffix.lower() not in (*_DELIMITERS, *_JSON_LINES):
                    hint = "use .csv, .tsv, .jsonl or .ndjson; .txt, .md and .parquet are not supported yet"
                    raise _bad(path, f"a file of the kind '{path.suffix}' is not supported", hint)
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise _bad(path, "no such file", "check the path") from None
        except IsADirectoryError:
            raise _bad(path, "a folder, not a file", "name a file in it") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _bad(f"{path}:1", "the file is UTF-16", "save it as UTF-8 (in Excel: CSV UTF-8)")
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        hint = "save the file as UTF-8 text; this may be UTF-16, or no text at all"
        raise _bad(f"{path}:{_line_at(data, data.index(0))}", "a NUL byte", hint)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8 (in Excel: CSV UTF-8)"
        raise _bad(f"{path}:{_line_at(data, error.start)}", "not UTF-8", hint) from None
    if not text.strip():
        raise _bad(path, "the file is empty", "give it at least one row")
    return text


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def _json_rows(path: Path, content: str, resolve: Resolve) -> Iterator[_Row]:
    # Not splitlines(): a JSON string may hold U+2028 and its like as they are.
    numbered = [(n, text) for n, text in enumerate(content.split("\n"), start=1) if text.strip()]
    reader = jsonlines.Reader((text for _, text in numbered), loads=_loads)
    for line, _ in numbered:
        place = f"{path}:{line}"
        try:
            value = reader.read(allow_none=True)
        except jsonlines.InvalidLineError as error:
            cause = error.__cause__  # the error itself quotes the line, so it is not passed on
            at = f" at column {cause.colno}" if isinstance(cause, json.JSONDecodeError) else f": {cause}"
            hint = "write one whole JSON object on each line; the line may be cut off"
            raise _bad(place, f"not valid JSON{at}", hint) from None
        if not isinstance(value, dict):
            hint = 'write one object on each line, such as {"fact": "..."}'
            raise _bad(place, f"{_json_kind(value)}, not a JSON object", hint)
        yield _Row(place, line, value, resolve(place, list(value)))


def _loads(text: str | bytes) -> Any:
    """A JSON value that can be copied and written back. Raises ValueError, without a word of the text."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
        depth = _depth(value)
    except RecursionError:
        depth = _MAX_DEPTH + 1
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("an escape is half of a surrogate pair (U+D800 to U+DFFF)") from None
    except ValueError:
        raise ValueError("NaN or an infinite number") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _json_kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _csv_rows(path: Path, content: str, delimiter: str, resolve: Resolve) -> Iterator[_Row]:
    header: list[str] = []
    columns: Mapping[str, str] = {}
    for line, cells in _csv_cells(path, content, delimiter):
        place = f"{path}:{line}"
        if not header:
            header = _header(place, cells)
            columns = resolve(place, header)
            continue
        if len(cells) != len(header):
            name = "tab" if delimiter == "\t" else "comma"
            many = f'a cell that holds a {name} must stand in double quotes: "..."'
            few = "fill the row up; a cell of several lines must stand in double quotes"
            fault = f"cells in the row: {len(cells)}, columns in the header: {len(header)}"
            raise _bad(place, fault, many if len(cells) > len(header) else few)
        yield _Row(place, line, dict(zip(header, cells, strict=True)), columns)


def _header(place: str, cells: list[str]) -> list[str]:
    # Spreadsheets leave columns without a name at the end, pandas leaves one at the beginning.
    names = [name.strip() or f"column {n}" for n, name in enumerate(cells, start=1)]
    folded = [_folded(name) for name in names]
    for n, name in enumerate(folded):
        if name in folded[:n]:
            fault = f"columns {folded.index(name) + 1} and {n + 1} have the same name"
            raise _bad(place, fault, "rename one of them (the first line holds the names)")
    return names


def _csv_cells(path: Path, content: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where the row starts, cells) of every row that is not blank."""
    lines = list(io.StringIO(content, newline=""))
    # Strict, or an unclosed quote would swallow the rest of the file without a word. Spaces after a delimiter are
    # skipped, or the quotes of `1, "Smith, Anna"` would be read as part of the text.
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    rows, line = [], 1
    # The csv module's limit is global and 128 KiB; longer cells are legal in columns that are not read.
    limit = csv.field_size_limit(len(content) + 1)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error:
        opened = line + _last_opened_quote(lines[line - 1 : reader.line_num], delimiter)
        hint = 'close the quote; inside a quoted cell write "" for "'
        raise _bad(f"{path}:{opened}", "a cell opens with a double quote but does not end with one", hint) from None
    finally:
        csv.field_size_limit(limit)
    return rows


def _last_opened_quote(row: Sequence[str], delimiter: str) -> int:
    """The index of the line of a faulty row in which its last quoted cell opens."""
    opened, state = 0, "start"
    for index, text in enumerate(row):
        for char in text:
            if state == "quoted":
                state = "closed" if char == '"' else "quoted"
            elif char == '"' and state != "plain":
                opened = index if state == "start" else opened  # a doubled quote closes and opens the same cell
                state = "quoted"
            elif char == delimiter:
                state = "start"
            elif char != " " or state == "closed":
                state = "plain"
    return opened
