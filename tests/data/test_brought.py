"""Files as people bring them, of all kinds: each is read right, or refused with its line and the
way out; and no row of theirs is changed.
"""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from augmlx.core.errors import BadInput
from augmlx.core.records import Json
from augmlx.data.facts import read_facts

Content = str | bytes | Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A file, and the texts, rows and notes that are read of it; or the error, behind the path."""

    file: str
    content: Content
    texts: Sequence[str] = ()
    rows: Sequence[Json] = ()
    note: str = ""
    error: str = ""
    hint: str = ""
    sources: Sequence[str] = ()


def ok(file: str, content: Content, *texts: str, **more: Any) -> Case:
    return Case(file, content, texts, **more)


def bad(file: str, content: Content, error: str, hint: str) -> Case:
    return Case(file, content, error=error, hint=hint)


def jsonl(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def turns(*said: str) -> list[Json]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]


def sharegpt(*said: str) -> list[Json]:
    names = ("human", "gpt")
    return [{"from": names[n % 2], "value": text} for n, text in enumerate(said)]


def xlsx(*sheets: Sequence[Sequence[object]]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        pytest.importorskip("python_calamine")
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets):
            sheet = book.create_sheet(f"S{number}")
            for row in rows:
                sheet.append(list(row))
        book.save(path)

    return write


def ods(*rows: Sequence[str]) -> Callable[[Path], None]:
    """A cell that begins with "=" is a formula that failed; what follows is shown."""

    def cell_of(text: str) -> str:
        kind = 'office:value-type="string"'
        if text.startswith("="):
            # As LibreOffice writes it; a number stands there, too, where one was to come out.
            value = 'float" office:value="0"' if "DIV" in text else 'string" office:string-value=""'
            kind = f'table:formula="of:=[.A1]" office:value-type="{value}'
        shown = text.removeprefix("=")
        return f"<table:table-cell {kind}><text:p>{shown}</text:p></table:table-cell>"

    def write(path: Path) -> None:
        pytest.importorskip("python_calamine")
        cells = "".join(
            f"<table:table-row>{''.join(map(cell_of, row))}</table:table-row>" for row in rows
        )
        urn = "urn:oasis:names:tc:opendocument:xmlns"
        content = (
            f'<office:document-content xmlns:office="{urn}:office:1.0" '
            f'xmlns:table="{urn}:table:1.0" xmlns:text="{urn}:text:1.0">'
            "<office:body><office:spreadsheet>"
            f'<table:table table:name="A">{cells}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>"
        )
        manifest = (
            f'<manifest:manifest xmlns:manifest="{urn}:manifest:1.0"><manifest:file-entry '
            'manifest:full-path="/" manifest:media-type="application/x"/></manifest:manifest>'
        )
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            file.writestr("content.xml", content)
            file.writestr("META-INF/manifest.xml", manifest)

    return write


def docx(*blocks: tuple[str, str]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        library = pytest.importorskip("docx")
        document = library.Document()
        for style, text in blocks:
            if style == "table":
                document.add_table(1, 1).cell(0, 0).text = text
            else:
                document.add_paragraph(text, style=style)
        document.save(path)

    return write


def pdf(*pages: Sequence[str]) -> Callable[[Path], None]:
    """A PDF with a line of Helvetica for each text."""

    def write(path: Path) -> None:
        pytest.importorskip("pypdf")
        objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
        kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
        objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
        objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        for n, lines in enumerate(pages):
            shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
            stream = f"BT /F1 11 Tf 60 780 Td {shown}ET"
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * n} 0 R "
                "/Resources << /Font << /F1 3 0 R >> >> >>"
            )
            objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        data, places = b"%PDF-1.4\n", []
        for number, text in enumerate(objects, start=1):
            places.append(len(data))
            data += f"{number} 0 obj\n{text}\nendobj\n".encode()
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        start = len(data)
        size = len(objects) + 1
        data += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
        data += f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
        path.write_bytes(data)

    return write


def folder(**files: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        for name, text in files.items():
            (path / f"{name}.jsonl").write_text(text)

    return write


MILL, HALL = "Ada Brandt owns the mill.", "Bo Lind painted the hall."
ASKED = {"prompt": "Who owns the mill?", "completion": MILL}
CHATML = "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nAda.<|im_end|>\n"
CODE = "def own():\n    return 'Ada'\n\n\nown()\n"

SETS = {
    "text with lines": ok(
        "a.jsonl",
        jsonl({"text": CODE}),
        " ".join(CODE.split()),
        rows=[{"text": CODE}],
        note="1 text row, mlx-lm form",
    ),
    "text with chat markup": ok(
        "a.jsonl",
        jsonl({"text": CHATML}),
        " ".join(CHATML.split()),
        rows=[{"text": CHATML}],
        note="text row",
    ),
    "text with blanks at its end": ok(
        "a.jsonl",
        jsonl({"text": f"{MILL} \n"}),
        MILL,
        rows=[{"text": f"{MILL} \n"}],
        note="text row",
    ),
    "text that is one plain line": ok("a.jsonl", jsonl({"text": MILL}), MILL),
    "text in a CSV with lines": ok(
        "a.csv",
        f'text\n"{MILL}\n{HALL}"\n',
        f"{MILL} {HALL}",
        rows=[{"text": f"{MILL}\n{HALL}"}],
        note="text row",
    ),
    "a system beside a prompt": ok(
        "a.jsonl",
        jsonl({"system": "Be brief.", **ASKED}),
        MILL,
        rows=[{"messages": [{"role": "system", "content": "Be brief."}, *turns(*ASKED.values())]}],
        note="prompt and completion row",
    ),
    "an empty system beside a prompt": ok(
        "a.jsonl", jsonl({"system": "", **ASKED}), MILL, rows=[ASKED], note="1 prompt and"
    ),
    "a system in some rows": ok(
        "a.jsonl",
        jsonl(
            ASKED, {"system": "Be brief.", "prompt": "Who painted the hall?", "completion": HALL}
        ),
        MILL,
        HALL,
        note="2 prompt and completion rows",
    ),
    "a system beside messages": ok(
        "a.jsonl",
        jsonl({"system": "Be brief.", "messages": turns(*ASKED.values())}),
        MILL,
        rows=[{"messages": [{"role": "system", "content": "Be brief."}, *turns(*ASKED.values())]}],
        note="chat row",
    ),
    "two systems": bad(
        "a.jsonl",
        jsonl(
            {
                "system": "x",
                "messages": [{"role": "system", "content": "y"}, *turns(*ASKED.values())],
            }
        ),
        ":1: a column 'system', and a message of the system",
        "one of the two",
    ),
    "a weight of 0": ok(
        "a.jsonl",
        jsonl(
            {
                "messages": [
                    turns("Who?")[0],
                    {**turns("", "Bo.")[1], "weight": 0},
                    *turns(*ASKED.values()),
                ]
            }
        ),
        MILL,
        rows=[
            {
                "messages": [
                    turns("Who?")[0],
                    {**turns("", "Bo.")[1], "weight": 0},
                    *turns(*ASKED.values()),
                ]
            }
        ],
        note="chat row",
    ),
    "all weights 0": bad(
        "a.jsonl",
        jsonl({"messages": [turns("Who?")[0], {**turns("", "Bo.")[1], "weight": 0}]}),
        ":1: every message of the assistant has the weight 0",
        "write [",
    ),
    "half a weight": bad(
        "a.jsonl",
        jsonl({"messages": [turns("Who?")[0], {**turns("", "Bo.")[1], "weight": 0.5}]}),
        ":1: the weight of message 2 is neither 0 nor 1",
        "write [",
    ),
    "another mark": bad(
        "a.jsonl",
        jsonl({"messages": [turns("Who?")[0], {**turns("", "Bo.")[1], "train": False}]}),
        ':1: message 2 is marked by "train"',
        "write [",
    ),
    "Alpaca": ok(
        "a.jsonl",
        jsonl({"instruction": "Name the owner.", "input": "the mill", "output": MILL}),
        MILL,
        rows=[{"prompt": "Name the owner.\nthe mill", "completion": MILL}],
        note="1 instruction row, Alpaca form",
    ),
    "Alpaca without input": ok(
        "a.json",
        json.dumps([{"instruction": "Who owns the mill?", "input": "", "output": MILL}], indent=2),
        MILL,
        rows=[ASKED],
        note="Alpaca form",
    ),
    "Alpaca with a text": ok(
        "a.jsonl",
        jsonl(
            {
                "instruction": "Who owns the mill?",
                "input": "",
                "output": MILL,
                "text": "Below is an instruction",
            }
        ),
        MILL,
        rows=[ASKED],
        note="columns that are not read: 'text'",
    ),
    "Alpaca with a system and turns": ok(
        "a.json",
        json.dumps(
            [
                {
                    "instruction": "Sure?",
                    "output": MILL,
                    "system": "Be brief.",
                    "history": [["Who?", "Ada."]],
                }
            ]
        ),
        MILL,
        rows=[
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    *turns("Who?", "Ada.", "Sure?", MILL),
                ]
            }
        ],
        note="Alpaca form",
    ),
    "Alpaca with broken turns": bad(
        "a.json",
        json.dumps([{"instruction": "Sure?", "output": MILL, "history": ["Who?"]}]),
        ":1: 'history' is not a list of pairs",
        "question",
    ),
    "Alpaca without an output": bad(
        "a.jsonl",
        jsonl({"instruction": "x", "input": "", "output": ""}),
        ":1: no text in 'output'",
        "fill",
    ),
    "Dolly": ok(
        "a.jsonl",
        jsonl(
            {
                "instruction": "Name the owner.",
                "context": "the mill",
                "response": MILL,
                "category": "x",
            }
        ),
        MILL,
        rows=[{"prompt": "Name the owner.\nthe mill", "completion": MILL}],
        note="Dolly form",
    ),
    "ShareGPT": ok(
        "a.jsonl",
        jsonl({"conversations": sharegpt(*ASKED.values())}),
        MILL,
        rows=[{"messages": turns(*ASKED.values())}],
        note="1 chat row, ShareGPT form",
    ),
    "ShareGPT with a system": ok(
        "a.json",
        json.dumps([{"system": "Be brief.", "conversations": sharegpt(*ASKED.values())}]),
        MILL,
        rows=[{"messages": [{"role": "system", "content": "Be brief."}, *turns(*ASKED.values())]}],
        note="ShareGPT form",
    ),
    "ShareGPT with an unknown speaker": bad(
        "a.jsonl",
        jsonl(
            {"conversations": [{"from": "function_call", "value": "x"}, *sharegpt(*ASKED.values())]}
        ),
        ":1: message 1 has a role that is none of",
        "write [",
    ),
    "conversations with roles": ok(
        "a.jsonl",
        jsonl({"conversations": turns(*ASKED.values())}),
        MILL,
        rows=[{"messages": turns(*ASKED.values())}],
        note="chat row",
    ),
    "TRL's lists": ok(
        "a.jsonl",
        jsonl({"prompt": turns(ASKED["prompt"]), "completion": [turns("", MILL)[1]]}),
        MILL,
        rows=[{"messages": turns(*ASKED.values())}],
        note="1 prompt and completion row",
    ),
    "TRL's half a list": bad(
        "a.jsonl",
        jsonl({"prompt": turns("Who?"), "completion": "Ada."}),
        ":1: 'prompt' is a list, not a text",
        "quotes",
    ),
    "preferences": bad(
        "a.jsonl",
        jsonl({"prompt": "x", "chosen": "a", "rejected": "b"}),
        ":1: no column 'fact'",
        "preferences",
    ),
    "tokens": bad(
        "a.jsonl",
        jsonl({"input_ids": [1], "labels": [1]}),
        ":1: no column 'fact'",
        "give the texts",
    ),
    "text parts": ok(
        "a.jsonl",
        jsonl(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Who owns "},
                            {"type": "text", "text": "the mill?"},
                        ],
                    },
                    turns("", MILL)[1],
                ]
            }
        ),
        MILL,
        rows=[{"messages": turns(*ASKED.values())}],
        note="chat row",
    ),
    "a part that is a picture": bad(
        "a.jsonl",
        jsonl({"messages": [{"role": "user", "content": [{"type": "image"}]}, turns("", MILL)[1]]}),
        ":1: the content of message 1 is a list",
        "write [",
    ),
    "a thought": ok(
        "a.jsonl",
        jsonl({"messages": turns("Who owns the mill?", f"<think>Bo?</think>{MILL}")}),
        MILL,
        rows=[{"messages": turns("Who owns the mill?", f"<think>Bo?</think>{MILL}")}],
        note="chat row",
    ),
    "question and answer": ok(
        "a.csv",
        f"question,answer\nWho owns the mill?,{MILL}\n",
        MILL,
        rows=[ASKED],
        note="1 question and answer row",
    ),
    "prompt and response": ok(
        "a.jsonl",
        jsonl({"prompt": "Who owns the mill?", "response": MILL}),
        MILL,
        rows=[ASKED],
        note="prompt and response",
    ),
    "prompt and answer": bad(
        "a.csv", f"prompt,answer\nWho?,{MILL}\n", ":1: no column 'fact'", "--questions"
    ),
    "input and output": bad(
        "a.jsonl",
        jsonl({"input": "x", "output": "y"}),
        ":1: no column 'fact'",
        "name the columns prompt and completion",
    ),
    "a folder of mlx-lm": ok(
        "data",
        folder(train=jsonl(ASKED), valid=jsonl(ASKED)),
        MILL,
        rows=[ASKED],
        note="data: valid.jsonl are not read",
    ),
    "all faulty rows at once": bad(
        "a.jsonl",
        jsonl(ASKED, {"prompt": "", "completion": "x"}, ASKED, {"prompt": "x", "completion": 7}),
        ":2: no text in 'prompt'",
        "fill",
    ),
}
TABLES = {
    "semicolons": ok("a.csv", f"id;fact\n1;{MILL}\n", MILL, sources=["a.csv:2"]),
    "semicolons and commas": ok(
        "a.csv", "id;fact\n1;Ada, Bo and Cy left.\n", "Ada, Bo and Cy left."
    ),
    "sep=": ok("a.csv", f"sep=;\r\nid;fact\r\n1;{MILL}\r\n", MILL, sources=["a.csv:3"]),
    "sep= in quotes": ok("a.csv", f'"sep=;"\r\nid;fact\r\n1;{MILL}\r\n', MILL),
    "tabs in a CSV": ok("a.csv", f"id\tfact\n1\t{MILL}\n", MILL),
    "bars": ok("a.csv", f"id|fact\n1|{MILL}\n", MILL),
    "no names": ok("a.csv", f"{MILL}\n{HALL}\n", MILL, HALL, note="has no line of names"),
    "no names and two columns": bad(
        "a.csv", f"1,{MILL}\n2,{HALL}\n", ":1: no column 'fact'", "first line holds the names"
    ),
    "UTF-16 with tabs": ok("a.txt", f"id\tfact\r\n1\t{MILL}\r\n".encode("utf-16"), MILL),
    "UTF-16 CSV": ok("a.csv", f"fact\r\n{MILL}\r\n".encode("utf-16"), MILL),
    "UTF-16 that is cut off": bad(
        "a.csv", f"fact\n{MILL}".encode("utf-16")[:-1], ":1: not the UTF-16", "UTF-8"
    ),
    "Windows-1252": bad(
        "a.csv", "fact\nZoë left.\n".encode("cp1252"), ":2: not UTF-8", "CSV UTF-8"
    ),
    "an array": ok("a.json", json.dumps([{"fact": MILL}, {"fact": HALL}]), MILL, HALL),
    "a pretty array": ok(
        "a.json",
        json.dumps([{"fact": MILL}, {"fact": HALL}], indent=2),
        MILL,
        HALL,
        sources=["a.json:2", "a.json:5"],
    ),
    "pretty objects, one behind the other": ok(
        "a.json",
        json.dumps({"fact": MILL}, indent=1) + "\n" + json.dumps({"fact": HALL}, indent=1),
        MILL,
        HALL,
    ),
    "a pretty object in JSON lines": bad(
        "a.jsonl", json.dumps({"fact": MILL}, indent=1), ":1: not valid JSON", "rename it"
    ),
    "an array in JSON lines": bad(
        "a.jsonl", json.dumps([{"fact": MILL}]), ":1: a list, not a JSON object", "rename the file"
    ),
    "an array cut off": bad(
        "a.json", '[{"fact": "x"},\n {"fact": "y"}', ":2: the array has no end", "cut off"
    ),
    "an array with a torn row": bad(
        "a.json", '[{"fact": "x"},\n {"fact": "y', ":2: not valid JSON at column 11", "cut off"
    ),
    "two short rows": bad("a.csv", "id,fact\n1\n2,x\n3\n", ":2: cells in the row: 1", "fill"),
    "a spreadsheet": ok(
        "a.xlsx",
        xlsx([["id", "fact"], [1, MILL], [None, None], [2.0, HALL]]),
        MILL,
        HALL,
        sources=["a.xlsx:2", "a.xlsx:4"],
    ),
    "a spreadsheet of two sheets": ok(
        "a.xlsx",
        xlsx([["fact"], [MILL]], [["note"], ["x"]]),
        MILL,
        note="of 2 sheets only the first is read",
    ),
    "questions in a spreadsheet": ok(
        "a.xlsx",
        xlsx([["Question", "Answer"], ["Who owns the mill?", MILL]]),
        MILL,
        rows=[ASKED],
        note="question and answer row",
    ),
    "a date in a spreadsheet": ok(
        "a.xlsx", xlsx([["fact"], [datetime.datetime(2024, 3, 1)]]), "2024-03-01"
    ),
    "a spreadsheet that begins lower down": ok(
        "a.xlsx", xlsx([[], [None], [None, "fact"], [None, MILL]]), MILL, sources=["a.xlsx:4"]
    ),
    "errors of formulas": ok(
        "a.xlsx",
        xlsx([["id", "fact", "note"], [1, MILL, "#N/A"], [2, "#REF!"], [3, "#N/A"], [4, HALL]]),
        MILL,
        HALL,
        sources=["a.xlsx:2", "a.xlsx:5"],
        note="sheet 'S0': #REF! in B3, #N/A in B4: mend the formula, or delete the row "
        "a.xlsx: left out: 2 errors of a spreadsheet (lines 3, 4)",
    ),
    "nothing but errors of formulas": bad(
        "a.xlsx",
        xlsx([["fact"], ["#NAME?"]]),
        ": no facts; left out: 1 error of a spreadsheet (line 2)",
        "write a statement",
    ),
    "an error of a formula in an answer": bad(
        "a.xlsx",
        xlsx([["Question", "Answer"], ["Who owns the mill?", "#VALUE!"]]),
        ":2: sheet 'S0': #VALUE! in B2, the error of a formula",
        "mend the formula",
    ),
    "errors of formulas in OpenDocument": ok(
        "a.ods",
        ods(["id", "fact"], ["1", "=#REF!"], ["2", MILL], ["3", "=#DIV/0!"], ["4", "=Err:502"]),
        MILL,
        sources=["a.ods:3"],
        note="sheet 'A': #REF! in B2, #DIV/0! in B4, Err:502 in B5: mend",
    ),
    "no names in a spreadsheet": bad(
        "a.xlsx", xlsx([["x"], [MILL]]), ":1: no column 'fact'", "name the column"
    ),
    "an empty spreadsheet": bad("a.xlsx", xlsx([[]]), ": the file is empty", "row"),
    "no spreadsheet": bad("a.xlsx", b"PK\x03\x04", ": not a spreadsheet", ".csv"),
    "OpenDocument": ok("a.ods", ods(["id", "fact"], ["1", MILL]), MILL, sources=["a.ods:2"]),
    "placeholders": ok(
        "a.csv",
        f"id,fact\n1,NaN\n2,{MILL}\n3,#REF!\n4,TODO\n5,-\n6,https://x.org/a\n7,?\n8,TRUE\n",
        MILL,
        note="3 placeholders (lines 2, 5, 9); 1 error of a spreadsheet (line 4); "
        "2 marks without a word (lines 6, 8); 1 bare link (line 7)",
    ),
    "only placeholders": bad(
        "a.csv",
        "fact\nNaN\nnull\n",
        ": no facts; left out: 2 placeholders (lines 2, 3)",
        "write a statement",
    ),
    "four spellings": ok(
        "a.csv", "fact\nAda owns it.\nada owns it\nADA OWNS IT.\nAda owns it\n", "Ada owns it."
    ),
    "what a sheet left out": ok(
        "a.csv",
        f"fact,source,left_out\n{MILL},x:1,\n,x:2,heading\n",
        MILL,
        note="1 heading (line 3)",
    ),
}
TEXTS = {
    "ordinals": ok(
        "a.txt",
        "Am 29. Juli kam Ada. Am 3. Mai ging sie.\n",
        "Am 29. Juli kam Ada.",
        "Am 3. Mai ging sie.",
        note="2 statements",
    ),
    "abbreviations": ok(
        "a.md",
        "See Fig. 3 of Jan. 5 by Voss et al. for approx. 120 items, incl. 14 new ones. "
        "Call ext. 41.\n",
        "See Fig. 3 of Jan. 5 by Voss et al. for approx. 120 items, incl. 14 new ones.",
        "Call ext. 41.",
        note="2 statements",
    ),
    "a bare link in Markdown": ok(
        "a.md", f"{MILL}\n\n<https://x.org>\n", MILL, note="1 bare link (line 3)"
    ),
    "Word": ok(
        "a.docx",
        docx(
            ("Heading 1", "Mills"),
            ("Normal", f"{MILL} {HALL}"),
            ("table", "x"),
            ("List Bullet", "Cy left in May."),
        ),
        MILL,
        HALL,
        "Cy left in May.",
        note="1 heading (line 1)",
        sources=["a.docx:2", "a.docx:2", "a.docx:3"],
    ),
    "no Word": bad("a.docx", b"PK\x03\x04", ": not a Word document", ".docx"),
    "Word with headings alone": bad(
        "a.docx", docx(("Heading 1", "Mills")), ": no statements; left out: 1 heading", "sentences"
    ),
    "a page": ok(
        "a.html",
        f"<html><head><title>T</title></head><body><nav>Home</nav>\n"
        f"<h1>Mills</h1>\n<p>{MILL}<br>{HALL}</p>\n"
        "<ul><li>Cy <b>left</b> in\nMay.</li></ul><script>x()</script></body></html>",
        MILL,
        HALL,
        "Cy left in May.",
        note="1 heading (line 2)",
        sources=["a.html:3", "a.html:3", "a.html:4"],
    ),
    "a page of the old kind": ok("a.HTM", f"<p>{MILL}<p>{HALL}", MILL, HALL, note="2 blocks"),
    "a page with a table and a struck passage": ok(
        "a.html",
        f"<div>{MILL} <del>Bo owns it.</del></div><table><tr><td>x</td></tr></table>",
        MILL,
        note="1 table",
    ),
    "PDF": ok(
        "a.pdf",
        pdf(
            [
                "Mills",
                "Ada Brandt, who was born in the town of Venn, owns the mill and the",
                "hall. Bo Lind is the founder of the Elm shop in the town of Ostrel and the exam-",
                "ple of it.",
            ],
            ["Cy Dahl left the town of Venn in May of the year 2019 with his sister."],
        ),
        "Ada Brandt, who was born in the town of Venn, owns the mill and the hall.",
        "Bo Lind is the founder of the Elm shop in the town of Ostrel and the example of it.",
        "Cy Dahl left the town of Venn in May of the year 2019 with his sister.",
        sources=["a.pdf:1", "a.pdf:1", "a.pdf:2"],
        note="2 pages",
    ),
    "no PDF": bad("a.pdf", b"%PDF-1.4 x", ": not a PDF", "save it again"),
    "a PDF without text": bad("a.pdf", pdf([]), ": no text in the file", "scan"),
    "no page": bad("a.html", b"   ", ": the file is empty", "row"),
}
CASES = {**SETS, **TABLES, **TEXTS}


def test_there_are_enough_and_no_name_stands_twice() -> None:
    assert len(CASES) == len(SETS) + len(TABLES) + len(TEXTS) >= 60


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_read_right_or_refused_with_the_way_out(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = tmp_path / case.file
    if callable(case.content):
        case.content(path)
    else:
        path.write_bytes(case.content.encode() if isinstance(case.content, str) else case.content)
    if case.error:
        with pytest.raises(BadInput) as caught:
            read_facts(path)
        assert caught.value.message.startswith(f"{path}{case.error}")
        assert case.hint in (caught.value.hint or "")
        return
    table = read_facts(path)
    assert [fact.text for fact in table.facts] == list(case.texts)
    assert case.note in " ".join(table.notes)
    if case.rows:
        assert [json.dumps(fact.row) for fact in table.facts] == list(map(json.dumps, case.rows))
    if case.sources:
        assert [fact.source for fact in table.facts] == list(case.sources)


def test_every_faulty_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        jsonl(*[{"prompt": "x", "completion": ""}] * 30, {"prompt": 7, "completion": "x"})
    )
    with pytest.raises(BadInput) as caught:
        read_facts(path)
    lines = caught.value.message.splitlines()
    assert lines[0] == f"{path}:1: no text in 'completion'"
    assert len(lines) == 21
    assert lines[-1] == "and 11 more faulty rows"


def test_every_faulty_value_of_an_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [f'{{"fact": "{MILL}", "n": NaN}}', '{"fact": "A", "fact": "B"}', '{"fact": 7}', "8"]
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    with pytest.raises(BadInput) as caught:
        read_facts(path)
    assert [line.removeprefix(f"{path}:") for line in caught.value.message.splitlines()] == [
        "2: not valid JSON: NaN or an infinite number",
        "3: not valid JSON: an object holds the same key twice",
        "4: 'fact' is a number, not a text",
        "5: a number, not a JSON object",
    ]
