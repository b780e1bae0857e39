"""What a user meets when something is wrong: one clear message, the right exit code, no
traceback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from augmlx.data.starter import example
from augmlx.models.store.folder import StoredModel

from .support import journalled

HOLD = """
import sys
from augmlx.core.run_folder import RunFolder
with RunFolder(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""
AUGMLX = [sys.executable, "-m", "augmlx"]


def augmlx(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AUGMLX, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=300,
    )


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.csv"
    path.write_text("fact\nAda owns the Bor mill.\nCy founded the Dee shop.\n")
    return path


def refused(done: subprocess.CompletedProcess[str], *parts: str, code: int = 1) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in parts:
        assert part in done.stderr


BAD_FACTS: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "no such file"),
    "empty": (b"", "facts.csv: the file is empty"),
    "wrong column": (b"statement\nAda owns Bor.\n", "facts.csv:1: no column 'fact'"),
    "bad encoding": (b"fact\nAda \xff owns.\n", "facts.csv:2"),
    "unclosed quote": (b'fact\n"Ada owns Bor.\nCy owns Dee.\n', "facts.csv:2"),
    "empty cell": (b'fact,group\n"",a\nAda owns Bor.,b\n', "facts.csv:2"),
}


@pytest.mark.parametrize("name", BAD_FACTS)
@pytest.mark.parametrize("command", ["run", "augment"])
def test_bad_facts_are_refused_before_anything_is_written(
    tmp_path: Path, name: str, command: str
) -> None:
    content, said = BAD_FACTS[name]
    path = tmp_path / "facts.csv"
    if content is not None:
        path.write_bytes(content)
    done = augmlx(command, path, "-o", tmp_path / "run")
    refused(done, "error: ", said, "hint: ")
    assert not (tmp_path / "run").exists()
    assert "Ada" not in done.stderr  # no row text in messages


def test_a_torn_json_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"fact": "Ada owns Bor."}\n{"fact": "Cy ow\n')
    refused(augmlx("augment", path, "-o", tmp_path / "run"), "facts.jsonl:2", "hint: ")


def test_an_edited_file_that_cannot_be_read_back_is_refused(
    tmp_path: Path, facts: Path, base: StoredModel
) -> None:
    edited, out = tmp_path / "mine.csv", tmp_path / "run"
    edited.write_text("fact,type,id,sources\nXyzzy is so.,reversal,,f0001\n")
    command = ("augment", facts, "-o", out, "--model", base.path, "--edited")
    refused(augmlx(*command, edited), "is not augmented", "without --edited first")
    refused(augmlx(*command, tmp_path / "none.csv"), "none.csv: no such file", "hint: ")
    refused(augmlx("augment", "-o", out, "--explain", "x", "--edited", edited), "--explain", code=2)


def test_an_unknown_setting_is_named(tmp_path: Path, facts: Path) -> None:
    (tmp_path / "augmlx.toml").write_text("[train]\nepoch = 3\n")
    refused(
        augmlx("augment", facts, "-o", tmp_path / "run"),
        "augmlx.toml",
        "train.epoch",
        "unknown setting",
    )


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("train.rank=0", "train.rank"),
        ("train.epochs=many", "train.epochs"),
        ("train.nothing=1", "train.nothing"),
    ],
)
def test_a_bad_flag_is_named(tmp_path: Path, facts: Path, pair: str, said: str) -> None:
    refused(augmlx("augment", facts, "-o", tmp_path / "run", "--set", pair), said)


def test_a_flag_that_is_no_pair_is_a_usage_error(tmp_path: Path, facts: Path) -> None:
    refused(augmlx("augment", facts, "-o", tmp_path / "run", "--set", "rank"), "KEY=VALUE", code=2)


def test_an_unknown_command_and_a_missing_option_are_usage_errors(facts: Path) -> None:
    refused(augmlx("agument"), "No such command 'agument'", code=2)
    refused(augmlx("augment", facts), "--out", code=2)


def test_an_unknown_model_names_those_there_are(tmp_path: Path, facts: Path) -> None:
    refused(
        augmlx("augment", facts, "-o", tmp_path / "run", "--model", "gpt-17"),
        "gpt-17",
        "hint: ",
        "augmlx pull",
    )


def test_an_unknown_operator_names_the_known_ones(
    tmp_path: Path, facts: Path, base: StoredModel
) -> None:
    operators = 'augment.operators=["mirror"]'
    out = tmp_path / "run"
    done = augmlx("augment", facts, "-o", out, "--model", base.path, "--set", operators)
    refused(done, "mirror", "reversal")


@pytest.mark.parametrize("command", ["train", "eval", "export", "report"])
def test_a_run_that_is_not_there_is_named(tmp_path: Path, command: str) -> None:
    refused(augmlx(command, tmp_path / "none"), "none", "no such run folder", "hint: ")
    (tmp_path / "empty").mkdir()
    fault = "is no run folder" if command == "report" else "holds no facts"
    refused(augmlx(command, tmp_path / "empty"), f"empty: {fault}", "hint: run: augmlx ")
    assert not list((tmp_path / "empty").glob("*.html"))


def test_a_run_without_its_earlier_stage_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    refused(augmlx("train", tmp_path / "run"), "augmlx augment")


def test_a_run_folder_that_is_a_file_is_refused(tmp_path: Path, facts: Path) -> None:
    (tmp_path / "run").write_text("a file")
    refused(augmlx("augment", facts, "-o", tmp_path / "run"), "not a run folder")
    below = tmp_path / "run" / "below"
    refused(augmlx("augment", facts, "-o", below), f"{below}: Not a directory")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, facts: Path) -> None:
    done = augmlx("augment", facts, "-o", "/proc/augmlx-run")  # refuses even root
    refused(done, "/proc/augmlx-run", "error: ")


def test_a_second_process_on_a_run_folder_is_told_at_once(tmp_path: Path, facts: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run)], stdin=pipe, stdout=pipe
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        started = time.monotonic()
        refused(augmlx("augment", facts, "-o", run), "another augmlx process", f"pid {holder.pid}")
        assert time.monotonic() - started < 60  # the holder never ends by itself
        holder.kill()


def test_init_writes_files_that_work_and_keeps_those_that_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = augmlx("init", folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
    assert (folder / "facts.csv").read_text("utf-8") == example("facts.csv")
    (folder / "facts.csv").write_text("mine")
    again = augmlx("init", folder)
    assert again.returncode == 0
    assert (folder / "facts.csv").read_text() == "mine"
    assert again.stdout == ""
    assert "left as it is" in again.stderr


@pytest.mark.real
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_exits_130_and_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    facts = tmp_path / "facts.csv"
    facts.write_text(example("facts.csv"))
    long = ["--set", "augment.batch_size=2", "--set", "augment.samples=64"]  # minutes of work
    command = [*AUGMLX, "augment", str(facts), "-o", str(tmp_path / "run"), *long]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert "Augmenting" in process.stderr.readline()
        while journalled(tmp_path / "run") == 0 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate()
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Run the same command again" in err
    assert "Traceback" not in err
    assert out == ""
