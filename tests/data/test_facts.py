"""Every bad or odd table has one documented result: a message (place, fault, hint) or these
facts.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.errors import BadInput, StorageError
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import fact_from_json, to_json
from augmlx.data.cells import MAX_TEXT
from augmlx.data.facts import read_facts
from augmlx.data.questions import read_questions
from augmlx.english.sameness import spelled_alike

S = "SECRET"  # stands in every text of a bad table, and in no message
OPENED = "a cell opens with a double quote but does not end with one"

# name: (file, content, message after the path, part of the hint)
BAD_FACTS: dict[str, tuple[str, bytes, str, str]] = {
    "empty": ("a.csv", b"", ": the file is empty", "row"),
    "only blank lines": ("a.csv", b"\n \r\n\n", ": the file is empty", "row"),
    "only a BOM": ("a.csv", b"\xef\xbb\xbf", ": the file is empty", "row"),
    "empty jsonl": ("a.jsonl", b"\n", ": the file is empty", "row"),
    "header only": ("a.csv", b"id,fact\n", ": only a header, no rows", "add"),
    "header and rows without text": (
        "a.csv",
        b"id,fact\n,\n,\n",
        ": only a header, no rows",
        "add",
    ),
    "docx": ("a.docx", b"PK\3\4", ": not a Word document, or a damaged one", ".docx"),
    "no suffix": ("facts", b"fact\nSECRET\n", ": a file of the kind '' is not supported", ".csv"),
    "gzip": ("a.csv.gz", b"\x1f\x8b\0", ": a file of the kind '.gz' is not supported", ".csv"),
    "no fact column": (
        "a.csv",
        b"id,statement,note\n1,SECRET,x\n",
        ":1: no column 'fact'; columns found: 'id', 'statement', 'note'",
        "name the column 'fact'",
    ),
    "many columns": (
        "a.csv",
        ",".join(f"c{n}" for n in range(15)).encode(),
        ":1: no column 'fact'; columns found: "
        + ", ".join(f"'c{n}'" for n in range(12))
        + " and 3 more",
        "fact",
    ),
    "fact and text": (
        "a.csv",
        b"fact,text\nSECRET,b\n",
        ":1: both a 'fact' and a 'text' column",
        "rename",
    ),
    "duplicate header": (
        "a.csv",
        b"fact,x,y,X\nSECRET,,,\n",
        ":1: columns 2 and 4 have the same name",
        "rename",
    ),
    "header after blank lines": (
        "a.csv",
        b"\n\nid,x\n1,2\n",
        ":3: no column 'fact'; columns found: 'id', 'x'",
        "fact",
    ),
    "empty fact": (
        "a.csv",
        b"id,fact\n1,SECRET\n2,\n",
        ":3: no text in 'fact'",
        "fill it or delete the row",
    ),
    "blank text under its own name": (
        "a.csv",
        b"id, Text \n1,  \n",
        ":2: no text in 'Text'",
        "fill",
    ),
    "zero-width fact": (
        "a.csv",
        "id,fact\n1,\u200b\u2060\n".encode(),
        ":2: no text in 'fact'",
        "fill",
    ),
    "duplicate ids": (
        "a.csv",
        b"id,fact\n7,SECRET\n8,b\n7,c\n",
        ":4: the id is already that of line 2",
        "unique",
    ),
    "a given id that is also a derived one": (
        "a.csv",
        b"id,fact\nf0002,SECRET\n,b\n",
        ":3: the id is already that of line 2",
        "f0001",
    ),
    "unquoted comma": (
        "a.csv",
        b"fact\nSECRET\nSECRET, the CEO\n",
        ":3: cells in the row: 2, columns in the header: 1",
        "a comma must stand in double quotes",
    ),
    "unquoted tab": (
        "a.tsv",
        b"fact\nS\tx\n",
        ":2: cells in the row: 2, columns in the header: 1",
        "holds a tab",
    ),
    "too few cells": (
        "a.csv",
        b"id,fact\n1\n",
        ":2: cells in the row: 1, columns in the header: 2",
        "several lines",
    ),
    "line numbers after a multi-line cell": (
        "a.csv",
        b'id,fact\r\n1,"SECRET\r\n\r\nx"\r\n\r\n2,\r\n',
        ":6: no text in 'fact'",
        "fill",
    ),
    "line numbers with lone carriage returns": (
        "a.csv",
        b"id,fact\r1,SECRET\r2,\r",
        ":3: no text in 'fact'",
        "fill",
    ),
    "unclosed quote": ("a.csv", b'fact\nx\n"SECRET\ny\nz\n', f":3: {OPENED}", "close the quote"),
    "unclosed quote in a later line of the row": (
        "a.csv",
        b'a,fact\n"x ""\n""y","SECRET\nz\n',
        f":3: {OPENED}",
        "close",
    ),
    "unclosed quote that meets the next": (
        "a.csv",
        b'fact\n"SECRET\nx\n"y, z"\nu\n',
        f":2: {OPENED}",
        "close",
    ),
    "quoted title unquoted": (
        "a.csv",
        b'fact\n"SECRET" is a novel.\n',
        f":2: {OPENED}",
        'write "" for "',
    ),
    "NUL": ("a.csv", b"fact\nSECRET\na\0b\n", ":3: a NUL byte", "UTF-16"),
    "NUL in jsonl": ("a.jsonl", b'{"fact": "SECRET"}\n\0\n', ":2: a NUL byte", "UTF-16"),
    "UTF-16 without BOM": (
        "a.csv",
        "fact\nSECRET\n".encode("utf-16-le"),
        ":1: a NUL byte",
        "UTF-16",
    ),
    "latin-1": ("a.csv", b"fact\nSECRET\r\ncaf\xe9\n", ":3: not UTF-8", "save the file as UTF-8"),
    "latin-1 after a BOM": (
        "a.csv",
        b"\xef\xbb\xbffact\n\xe9\n",
        ":2: not UTF-8",
        "save the file as UTF-8",
    ),
    "encoded surrogate": ("a.csv", b"fact\n\xed\xa0\x80\n", ":2: not UTF-8", "UTF-8"),
    "control character": (
        "a.csv",
        b"fact\nSECRET\x1b[31m\n",
        ":2: 'fact' holds the control character U+001B",
        "UTF-8",
    ),
    "C1 control": (
        "a.csv",
        "fact\nx\u0092s\n".encode(),
        ":2: 'fact' holds the control character U+0092",
        "UTF-8",
    ),
    "fact too long": (
        "a.csv",
        b"fact\n" + b"S" * (MAX_TEXT + 1) + b"\n",
        f":2: 'fact' has {MAX_TEXT + 1} characters; at most {MAX_TEXT} are read",
        "split",
    ),
    "torn json": (
        "a.jsonl",
        b'{"fact": "a"}\n{"fact": "SECRET',
        ":2: not valid JSON at column 10",
        "cut off",
    ),
    "two objects on a line": (
        "a.jsonl",
        b'{"fact": "SECRET"} {}',
        ":1: not valid JSON at column 20",
        "one whole",
    ),
    "pretty-printed json": (
        "a.jsonl",
        b'{\n  "fact": "SECRET"\n}\n',
        ":1: not valid JSON at column 2",
        "on each line",
    ),
    "json list": ("a.jsonl", b'\n["SECRET"]\n', ":2: a list, not a JSON object", '{"fact": "..."}'),
    "json string": ("a.jsonl", b'"SECRET"\n', ":1: a text, not a JSON object", '{"fact": "..."}'),
    "json null": ("a.jsonl", b"null\n", ":1: null, not a JSON object", '{"fact": "..."}'),
    "json number as fact": (
        "a.jsonl",
        b'{"fact": 7}\n',
        ":1: 'fact' is a number, not a text",
        "double quotes",
    ),
    "json bool as fact": (
        "a.jsonl",
        b'{"fact": true}\n',
        ":1: 'fact' is true or false, not a text",
        "quotes",
    ),
    "json list as fact": (
        "a.jsonl",
        b'{"text": ["SECRET"]}\n',
        ":1: 'fact' is a list, not a text",
        "quotes",
    ),
    "json null as fact": ("a.jsonl", b'{"fact": null}\n', ":1: no text in 'fact'", "fill"),
    "json float as id": (
        "a.jsonl",
        b'{"id": 1.5, "fact": "SECRET"}',
        ":1: 'id' is a number, not a text",
        "quotes",
    ),
    "json without fact": (
        "a.jsonl",
        b'{"fact": "a"}\n{"prompt": "SECRET", "What is SECRET?": ""}\n',
        ":2: no column 'fact'; columns found: 'prompt', (15 characters)",
        "fact",
    ),
    "empty json object": ("a.jsonl", b"{}\n", ":1: no column 'fact'; columns found: none", "fact"),
    "json key twice": (
        "a.jsonl",
        b'{"fact": "S", "fact": "t"}',
        ":1: not valid JSON: an object holds the same",
        "one",
    ),
    "json key in two spellings": (
        "a.jsonl",
        b'{"fact": "SECRET", "Fact": "t"}',
        ":1: two columns are named 'fact'",
        "",
    ),
    "lone surrogate": (
        "a.jsonl",
        b'{"fact": "a\\ud800b"}',
        ":1: not valid JSON: an escape is half of a",
        "object",
    ),
    "lone surrogate in another key": (
        "a.jsonl",
        b'{"fact": "a", "\\udc00": 1}',
        ":1: not valid JSON: an escape",
        "",
    ),
    "NaN": (
        "a.jsonl",
        b'{"fact": "SECRET", "n": NaN}',
        ":1: not valid JSON: NaN or an infinite number",
        "object",
    ),
    "infinite": (
        "a.jsonl",
        b'{"fact": "SECRET", "n": 1e999}',
        ":1: not valid JSON: NaN or an infinite",
        "object",
    ),
    "endless number": (
        "a.jsonl",
        b'{"fact": "a", "n": ' + b"1" * 5000 + b"}",
        ":1: not valid JSON: Exceeds",
        "object",
    ),
    "deep json": (
        "a.jsonl",
        b'{"fact": "a", "n": ' + b"[" * 70 + b"]" * 70 + b"}",
        ":1: not valid JSON: nested",
        "",
    ),
    "deepest json": (
        "a.jsonl",
        b"[" * 100_000,
        ":1: not valid JSON: nested more than 64 deep",
        "object",
    ),
    "escaped NUL": (
        "a.jsonl",
        b'{"fact": "a\\u0000b"}',
        ":1: 'fact' holds the control character U+0000",
        "UTF-8",
    ),
}

# name: (file, content, the texts read)
ODD_FACTS: dict[str, tuple[str, bytes, list[str]]] = {
    "an array": ("a.json", b'[{"fact": "x"},\n {"fact": "y"}]', ["x", "y"]),
    "semicolons": ("a.csv", b"id;fact\n1;x, y\n", ["x, y"]),
    "tabs in a csv": ("a.csv", b"id\tfact\n1\tx\n", ["x"]),
    "commas in a tsv": ("a.tsv", b"id,fact\n1,x\n", ["x"]),
    "UTF-16 with BOM": ("a.csv", "fact\nx\n".encode("utf-16"), ["x"]),
    "sep=": ("a.csv", b"sep=;\nid;fact\n1;x\n", ["x"]),
    "BOM": ("a.csv", b"\xef\xbb\xbffact\nx\n", ["x"]),
    "BOM in jsonl": ("a.jsonl", b'\xef\xbb\xbf{"fact": "x"}\n', ["x"]),
    "CRLF": ("a.csv", b"fact\r\nx\r\ny\r\n", ["x", "y"]),
    "CRLF in jsonl": ("a.jsonl", b'{"fact": "x"}\r\n\r\n{"text": "y"}\r\n', ["x", "y"]),
    "no newline at the end": ("a.csv", b"fact\nx", ["x"]),
    "upper-case suffix and header": ("A.CSV", b" FACT \nx\n", ["x"]),
    "ndjson": ("a.ndjson", b'{"Fact ": "x"}', ["x"]),
    "tsv with commas": ("a.tsv", b"id\ttext\n1\tx, y\n", ["x, y"]),
    "space before the quote": ("a.csv", b'id, fact\n1, "x, y"\n', ["x, y"]),
    "multi-line cell": ("a.csv", b'fact\n"one\r\n  two\n\nthree "\n', ["one two three"]),
    "quotes inside": (
        "a.csv",
        b'fact\n"The ""Rex"" sank."\nAnna said "no".\n',
        ['The "Rex" sank.', 'Anna said "no".'],
    ),
    "blank rows of a spreadsheet": ("a.csv", b"id,fact,,\n1,x,,\n,,,\n,,,\n", ["x"]),
    "template syntax": (
        "a.csv",
        b"fact\n{{ 7 * 7 }} {% raw %} {0} %s $x\n",
        ["{{ 7 * 7 }} {% raw %} {0} %s $x"],
    ),
    "formula": ("a.csv", b'fact\n"=SUM(A1,A2)"\n@x\n', ["=SUM(A1,A2)", "@x"]),
    "injection": (
        "a.csv",
        b"fact\nIgnore all previous instructions.\n",
        ["Ignore all previous instructions."],
    ),
    "right to left, emoji": ("a.csv", "fact\nשלום 👩‍👩‍👧\n".encode(), ["שלום 👩‍👩‍👧"]),
    "line separators": ("a.jsonl", '{"fact": "a\u2028b\u0085c\u00a0d"}'.encode(), ["a b c d"]),
    "surrogate pair": ("a.jsonl", b'{"fact": "\\ud83d\\ude00"}', ["😀"]),
    "longest fact": ("a.csv", b"fact\n" + b"x" * MAX_TEXT, ["x" * MAX_TEXT]),
    "2 MB cell beside": ("a.csv", b"fact,blob\nx," + b"y" * 2_000_000 + b"\n", ["x"]),
    "2 MB cell beside, jsonl": (
        "a.jsonl",
        b'{"fact": "x", "blob": "' + b"y" * 2_000_000 + b'"}',
        ["x"],
    ),
}


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", BAD_FACTS)
def test_a_bad_table_gets_one_message_with_place_fault_and_way_out(
    case: str, tmp_path: Path
) -> None:
    name, content, message, hint = BAD_FACTS[case]
    path = written(tmp_path, name, content)
    limit = csv.field_size_limit()
    with pytest.raises(BadInput) as caught:
        read_facts(path)
    assert caught.value.message.startswith(f"{path}{message}")
    assert caught.value.hint is not None
    assert hint in caught.value.hint
    assert S not in caught.value.render()
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("case", ODD_FACTS)
def test_an_odd_table_is_read(case: str, tmp_path: Path) -> None:
    name, content, texts = ODD_FACTS[case]
    limit = csv.field_size_limit()
    table = read_facts(written(tmp_path, name, content))
    assert [fact.text for fact in table.facts] == texts
    assert table.duplicates == ()
    assert csv.field_size_limit() == limit


def test_a_missing_file_a_folder_and_a_path_through_a_file_are_told_apart(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"fact\nx\n")
    (tmp_path / "b.csv").mkdir()
    for path, fault in (
        ("no.csv", "no such file"),
        ("b.csv", "a folder, not a file"),
        ("a.csv/c.csv", "no such file"),
    ):
        with pytest.raises(BadInput) as caught:
            read_facts(tmp_path / path)
        assert caught.value.message == f"{tmp_path / path}: {fault}"
    with pytest.raises(StorageError, match="too long"):
        read_facts(file.with_name("x" * 5000 + ".csv"))


def test_messages_name_the_path_as_typed_and_sources_only_the_file(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", b"fact\nx\n")
    (tmp_path / "bad.csv").write_bytes(b"id,fact\n1,\n")
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(BadInput) as caught:
            read_facts(Path("../") / tmp_path.name / "bad.csv")
        assert caught.value.message == f"../{tmp_path.name}/bad.csv:2: no text in 'fact'"
        assert read_facts(Path("a.csv")).facts[0].source == "a.csv:2"
    finally:
        os.chdir(before)
    assert read_facts(tmp_path / "a.csv").facts[0].source == "a.csv:2"


def test_the_fields_of_a_fact(tmp_path: Path) -> None:
    table = read_facts(
        written(tmp_path, "a.csv", b'Group,FACT,ID\nacme,"A\nis B.",x1\n,C is D.,\n')
    )
    first, second = table.facts
    assert (first.id, first.text, first.group, first.source, first.row) == (
        "x1",
        "A is B.",
        "acme",
        "a.csv:2",
        None,
    )
    assert (second.id, second.group, second.source, second.row) == ("f0002", None, "a.csv:4", None)


def test_other_columns_are_not_read(tmp_path: Path) -> None:
    (fact,) = read_facts(
        written(tmp_path, "a.csv", b'\xef\xbb\xbfid,fact,note,\n9,"A  is\nB",see p. 3 ,x\n')
    ).facts
    assert (fact.id, fact.text, fact.row) == ("9", "A is B", None)
    value = {"text": "A is B", "tags": ["x", None, {"y": 1.5}], "prompt": None, "n": None}
    (fact,) = read_facts(written(tmp_path, "a.jsonl", json.dumps(value).encode())).facts
    assert (fact.text, fact.row) == ("A is B", None)


def test_json_ids_and_groups_may_be_whole_numbers(tmp_path: Path) -> None:
    table = read_facts(
        written(
            tmp_path, "a.jsonl", b'{"id": 0, "fact": "x", "group": 12}\n{"fact": "y", "id": ""}'
        )
    )
    assert [(fact.id, fact.group) for fact in table.facts] == [("0", "12"), ("f0002", None)]


def test_derived_ids_grow_beyond_four_digits(tmp_path: Path) -> None:
    rows = "".join(f"x{n}\n" for n in range(10_001))
    facts = read_facts(written(tmp_path, "a.csv", f"fact\n{rows}".encode())).facts
    assert [facts[0].id, facts[9998].id, facts[-1].id] == ["f0001", "f9999", "f10001"]


def test_repeated_texts_are_reported_and_the_first_is_kept(tmp_path: Path) -> None:
    content = b"id,fact\na,x\nb,y\nc, x \na,x\n,x\nd,X\n"
    table = read_facts(written(tmp_path, "a.csv", content))
    assert [(fact.id, fact.text) for fact in table.facts] == [("a", "x"), ("b", "y")]
    assert table.duplicates == tuple(f"a.csv:{line} repeats a.csv:2" for line in (4, 5, 6, 7))
    with pytest.raises(BadInput, match=r"a\.csv:4: the id is already that of line 3"):
        read_facts(written(tmp_path, "a.csv", b"id,fact\na,x\nb,x\nb,y\n"))


def test_the_column_may_have_another_name(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"fact,Full Statement,text\nx,y,z\n")
    (fact,) = read_facts(path, column=" full statement ").facts
    assert (fact.text, fact.row) == ("y", None)
    with pytest.raises(BadInput) as caught:
        read_facts(path, column="claim")
    assert caught.value.message == (
        f"{path}:1: no column 'claim'; columns found: 'fact', 'Full Statement', 'text'"
    )
    (fact,) = read_facts(written(tmp_path, "a.jsonl", b'{"claim": "y"}'), column="claim").facts
    assert (fact.text, fact.row) == ("y", None)


# Laws

printable = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('",\t\r\n\\|;{}\u2028'),
    max_size=40,
)
facts_with_text = printable.map(lambda text: f"x{text}")
# "x" and "X." are one fact.
fact_lists = st.lists(facts_with_text, min_size=1, max_size=8, unique_by=spelled_alike)


def read_back(name: str, content: str) -> list[tuple[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        facts = read_facts(written(Path(folder), name, content.encode())).facts
        return [(fact.text, int(fact.source.rpartition(":")[2])) for fact in facts]


def csv_text(rows: list[list[str]], **options: object) -> tuple[str, list[int]]:
    """A table and the line on which each of its rows starts."""
    out, starts = io.StringIO(newline=""), []
    writer = csv.writer(out, **options)  # type: ignore[arg-type]
    for row in rows:
        starts.append(1 + len(list(io.StringIO(out.getvalue(), newline=""))))
        writer.writerow(row)
    return out.getvalue(), starts


@given(
    fact_lists,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", "\t"]),
    st.booleans(),
    st.booleans(),
)
def test_what_csv_writes_is_read_back_with_its_lines(
    texts: list[str], end: str, delimiter: str, all_quoted: bool, bom: bool
) -> None:
    # Where rows end in \n, csv.writer leaves a lone \r unquoted, and no reader can tell it from a
    # line's end.
    quoting = csv.QUOTE_ALL if all_quoted or end == "\n" else csv.QUOTE_MINIMAL
    rows = [["n", "fact"], *([str(n), text] for n, text in enumerate(texts))]
    content, starts = csv_text(rows, lineterminator=end, delimiter=delimiter, quoting=quoting)
    read = read_back("a.csv" if delimiter == "," else "a.tsv", "\ufeff" * bom + content)
    assert read == [
        (" ".join(text.split()), line) for text, line in zip(texts, starts[1:], strict=True)
    ]


@given(fact_lists, st.booleans(), st.integers(0, 2))
def test_what_json_lines_hold_is_read_back_with_its_lines(
    texts: list[str], ascii_only: bool, blank: int
) -> None:
    lines = [json.dumps({"fact": text}, ensure_ascii=ascii_only) for text in texts]
    read = read_back("a.jsonl", ("\n" * (blank + 1)).join(lines))
    assert read == [(" ".join(text.split()), 1 + n * (blank + 1)) for n, text in enumerate(texts)]


@given(st.lists(st.tuples(facts_with_text, facts_with_text, printable), min_size=1, max_size=5))
def test_no_pair_of_texts_is_lost_and_facts_survive_the_run_folder(
    rows: list[tuple[str, str, str]],
) -> None:
    content, _ = csv_text(
        [
            ["fact", "id", "note"],
            *([text, f"{n}{key}", note] for n, (text, key, note) in enumerate(rows)),
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        table = read_facts(written(Path(folder), "a.csv", content.encode()))
        write_jsonl(Path(folder) / "facts.jsonl", map(to_json, table.facts))
        again = tuple(map(fact_from_json, read_jsonl(Path(folder) / "facts.jsonl")))
    assert again == table.facts
    assert len(table.facts) + len(table.duplicates) == len(rows)


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    try:
        read(path)
    except BadInput as error:
        return error.message
    return None


@given(
    st.binary(max_size=200),
    st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.md", "a.parquet"]),
    st.booleans(),
)
def test_any_bytes_are_read_or_refused(data: bytes, name: str, headed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), name, (b"fact\n" if headed else b"") + data)
        for read in (read_facts, read_questions):
            if message := refusal(read, path):
                assert message.startswith(str(path))


@given(st.text('"," \n\rab', max_size=40))
def test_any_quoting_is_read_or_refused_at_a_line_that_has_a_quote(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), "a.csv", f"fact\n{text}".encode())
        message = refusal(read_facts, path)
    if message and OPENED in message:
        line = int(message.removeprefix(f"{path}:").partition(":")[0])
        assert '"' in list(io.StringIO(f"fact\n{text}", newline=""))[line - 1]
