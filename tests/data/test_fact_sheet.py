"""What is read of files, as a table to look at and edit; and the command that writes it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from augmlx.cli import cli
from augmlx.data.facts import read_facts


def run(*arguments: object) -> str:
    done = CliRunner().invoke(cli, ["facts", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_sheet_holds_each_fact_once_with_its_source_and_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("fact\nAda left.\nTODO\nADA LEFT\n=1+1 is two.\n")
    (tmp_path / "b.md").write_text("# Head\n\nAda left. Bo stays at Dr. Cy's.\n")
    out = tmp_path / "facts.csv"
    run(tmp_path / "a.csv", tmp_path / "b.md", "-o", out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["fact"], row["source"], row["left_out"]) for row in rows] == [
        ("Ada left.", "a.csv:2", ""),
        ("'=1+1 is two.", "a.csv:5", ""),
        ("", "a.csv:3", "placeholder"),
        ("", "a.csv:4", "repeats a.csv:2"),
        ("", "b.md:3", "repeats a.csv:2"),
        ("Bo stays at Dr. Cy's.", "b.md:3", ""),
        ("", "b.md:1", "heading"),
    ]
    table = read_facts(out)
    assert [fact.text for fact in table.facts][::2] == ["Ada left.", "Bo stays at Dr. Cy's."]
    assert len(table.left_out) == 4


def test_rows_of_a_training_set_are_kept_as_they_are_in_json_lines(tmp_path: Path) -> None:
    row = {"prompt": "Who?\n", "completion": " Ada.  "}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    run(tmp_path / "a.jsonl", "-o", tmp_path / "facts.jsonl")
    (fact,) = read_facts(tmp_path / "facts.jsonl").facts
    assert fact.row == row
    done = CliRunner().invoke(
        cli, ["facts", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "x.csv")]
    )
    assert done.exit_code == 1
    assert "name it facts.jsonl" in done.stderr


def test_json_and_plain_output(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ada left.\n---\n")
    assert run(tmp_path / "a.txt") == "a.txt:1\tAda left.\n"
    said = json.loads(run(tmp_path / "a.txt", "--json"))
    assert said["facts"] == [{"fact": "Ada left.", "source": "a.txt:1"}]
    assert said["left_out"] == [{"source": "a.txt:2", "why": "line without a word"}]


def test_no_library_of_a_format_is_loaded_for_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("fact\nAda left.\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom augmlx.data.facts import read_facts\n"
        f"read_facts(Path({str(tmp_path / 'a.csv')!r}))\n"
        "heavy = {'docx', 'lxml', 'pypdf', 'python_calamine', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
