"""augmlx facts --model: under the MLX engine, run twice, stopped in between, refused in time."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.cli import cli

from .support import completions_in

NAMES = ("Ada", "Bea", "Cleo", "Dana", "Edda", "Fay")
LINES = [f"{name} Voss owns the mill and rents the hall." for name in NAMES]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    base = trusted(
        write_model(tmp_path_factory.mktemp("base") / "tiny", max_position_embeddings=4096)
    )
    return str(base.path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("\n".join([*LINES, "She left.", "Die Mühle ist alt."]))
    return path


def facts(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["facts", *map(str, arguments)])


def test_whatever_a_model_writes_no_sentence_is_lost_and_a_second_run_writes_the_same(
    text: Path, model: str, tmp_path: Path
) -> None:
    out = tmp_path / "facts.csv"
    first = facts(text, "-o", out, "--model", model)
    assert first.exit_code == 0, first.output
    assert "Splitting: 7 to do" in first.stderr
    assert "7 put to" in first.stderr
    written = out.read_bytes()
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["fact"] for row in rows] == [*LINES, "She left.", "Die Mühle ist alt."]
    assert all(row["note"] for row in rows[:7])
    assert [bool(row["left_out"]) for row in rows] == [*[False] * 6, True, False]
    again = facts(text, "-o", out, "--model", model)
    assert out.read_bytes() == written
    assert "to do" not in again.stderr


def test_the_table_is_one_of_facts(text: Path, model: str, tmp_path: Path) -> None:
    out = tmp_path / "facts.csv"
    facts(text, "-o", out, "--model", model)
    said = json.loads(facts(out, "--json").stdout)
    assert [row["fact"] for row in said["facts"]] == [*LINES, "Die Mühle ist alt."]


def test_a_splitting_that_was_killed_ends_with_the_same_bytes(
    text: Path, model: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "augmlx", "facts", str(text), "--model", model, "-o"]
    whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(killed)], stderr=subprocess.DEVNULL)
    journal = tmp_path / "killed.csv.journal"
    while not completions_in(journal) and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not killed.exists()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert killed.read_bytes() == whole.read_bytes()


def test_what_cannot_be_written_is_refused_before_a_model_is_loaded(
    text: Path, tmp_path: Path
) -> None:
    done = facts(text, "-o", tmp_path / "facts.txt", "--model", "none-such")
    assert done.exit_code == 1
    assert "a table of facts is .csv or .jsonl" in done.stderr
    done = facts(text, "-o", tmp_path / "facts.csv", "--model", "none-such")
    assert done.exit_code == 1
    assert "none-such" in done.stderr
    assert not list(tmp_path.glob("facts.*"))


@pytest.mark.parametrize("with_model", [False, True])
def test_a_table_edited_by_hand_is_not_overwritten(
    text: Path, model: str, tmp_path: Path, with_model: bool
) -> None:
    out = tmp_path / "facts.csv"
    given = [text, "-o", out, *(["--model", model] if with_model else [])]
    assert facts(*given).exit_code == 0
    edited = out.read_bytes().replace(b"She left.", b"Ada left.")
    out.write_bytes(edited)
    refused = facts(*given)
    assert refused.exit_code == 1
    assert "facts.csv: is there already" in refused.stderr
    assert "rename it" in refused.stderr
    assert "to do" not in refused.stderr
    assert out.read_bytes() == edited
    out.rename(tmp_path / "mine.csv")
    again = facts(*given)
    assert again.exit_code == 0
    assert "to do" not in again.stderr  # the journal is there still


def test_a_table_that_nobody_edited_is_written_anew(text: Path, model: str, tmp_path: Path) -> None:
    out = tmp_path / "facts.csv"
    assert facts(text, "-o", out).exit_code == 0
    assert facts(text, "-o", out).exit_code == 0
    assert facts(text, "-o", out, "--model", model).exit_code == 0
    text.write_text(f"{text.read_text()}\nThe hall is red.")
    assert facts(text, "-o", out, "--model", model).exit_code == 0
    assert facts(text, "-o", out).exit_code == 0
    assert "The hall is red." in out.read_text("utf-8-sig")


def test_another_file_is_not_overwritten(text: Path, tmp_path: Path) -> None:
    mine = tmp_path / "facts.csv"
    mine.write_text("fact\nThe hall is red.\n")
    done = facts(text, "-o", mine)
    assert done.exit_code == 1
    assert mine.read_text() == "fact\nThe hall is red.\n"
