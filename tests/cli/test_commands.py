"""The commands end to end on a tiny model with random weights: what they print, and where."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.cli import cli
from augmlx.models.store.folder import StoredModel

FACTS = "fact\n" + "".join(
    f"{name} owns the {name} mill.\n" for name in ("Ada", "Bea", "Cleo", "Dana", "Edda", "Fay")
)
# As a command does it, but with every door to the network shut.
OFFLINE = """
import socket, sys
def refuse(*_a, **_k):
    raise AssertionError("a connection was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from augmlx.cli import main
main()
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    """Its window holds the shipped prompts, so that something is generated."""
    return trusted(
        write_model(tmp_path_factory.mktemp("base") / "tiny-llama", max_position_embeddings=4096)
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, base: StoredModel) -> Path:
    """A folder with facts and an augmlx.toml, and a run in it that `augmlx run` made with the
    network shut.
    """
    folder = tmp_path_factory.mktemp("project")
    (folder / "facts.csv").write_text(FACTS)
    (folder / "augmlx.toml").write_text(
        f'model = "{base.path}"\n[augment]\nsamples = 2\nmax_tokens = 16\n[train]\nepochs = '
        f"2\nrank = 2\n"
    )
    command = [sys.executable, "-c", OFFLINE, "run", "facts.csv", "-o", "run"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder


def augmlx(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="augmlx")


def parsed(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    value: dict[str, object] = json.loads(result.stdout)
    return value


def test_run_prints_the_table_of_arms_on_stdout_and_all_else_on_stderr(project: Path) -> None:
    table = (project / "stdout").read_text().splitlines()
    assert table[0].split()[:2] == ["arm", "forward"]
    assert [line.split()[0] for line in table[2:5]] == ["base", "icl", "augmented"]
    assert not table[5]
    assert "augmented against icl" in table[6]
    told = (project / "stderr").read_text()
    for part in (
        "Augmenting: 48 to do",
        "Training: ",
        "Evaluating icl",
        "finetuned is not compared: nothing was kept",  # of what a model of noise writes
        "No questions were given",
        "wrote run/adapter",
    ):
        assert part in told
    assert "export: skipped" in told  # a model of one's own has no Hugging Face original
    assert "\x1b" not in told  # no colours where nobody watches


def test_the_settings_beside_the_facts_are_used_and_kept_in_the_run(project: Path) -> None:
    text = (project / "run" / "augmlx.toml").read_text()
    assert "samples = 2\n" in text
    assert "rank = 2\n" in text


def test_each_stage_by_itself_finds_its_work_done(project: Path) -> None:
    run = project / "run"
    assert augmlx("train", run).stdout == f"{run / 'adapter'}\n"
    assert augmlx("eval", run).stdout == (project / "stdout").read_text()
    assert augmlx("report", run).stdout == f"{run / 'report.html'}\n"
    again = augmlx("augment", project / "facts.csv", "-o", run)
    assert again.stdout.startswith("6 facts: 48 produced, ")
    assert "augment: up to date" in again.stderr


def test_json_is_one_object_on_stdout(project: Path) -> None:
    run = project / "run"
    counts = parsed(augmlx("augment", project / "facts.csv", "-o", run, "--json"))
    assert counts["produced"] == 48
    assert counts["failed"] == 0
    assert counts["produced"] == sum(
        int(str(counts[key])) for key in ("kept", "rejected", "failed")
    )
    assert parsed(augmlx("train", run, "--json"))["originals"] == 6
    arms = parsed(augmlx("eval", run, "--json"))["arms"]
    assert list(arms) == ["base", "icl", "augmented"]  # type: ignore[call-overload]
    assert parsed(augmlx("report", run, "--json")) == {"report": str(run / "report.html")}
    whole = parsed(augmlx("run", project / "facts.csv", "-o", run, "--json"))
    assert whole["peft"] is None
    assert whole["report"] == str(run / "report.html")


def test_the_peak_memory_of_each_computing_stage_is_kept(project: Path) -> None:
    manifest = json.loads((project / "run" / "manifest.json").read_text())
    measured = {stage for stage, entry in manifest.items() if entry.get("peak_memory", 0) > 0}
    assert measured == {"augment", "train", "eval"}
    assert " GB at most" in (project / "run" / "report.html").read_text()


def test_a_limit_that_cannot_be_honoured_is_refused_before_the_model_is_loaded(
    project: Path,
) -> None:
    manifest = project / "run" / "manifest.json"
    before = manifest.read_bytes()
    command = [sys.executable, "-m", "augmlx", "eval", str(project / "run"), "-s", "memory.wired=5"]
    done = subprocess.run(
        [*command, "-s", "eval.choices=3"], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "memory.wired: 5 GB cannot be kept wired" in done.stderr
    assert manifest.read_bytes() == before


def test_export_names_what_it_cannot_know(project: Path) -> None:
    refused = augmlx("export", project / "run")
    assert refused.exit_code == 1
    assert "--base" in refused.stderr
    done = augmlx("export", project / "run", "--base", "someone/tiny")
    assert done.stdout == f"{project / 'run' / 'export' / 'peft'}\n"


def test_preview_shows_every_sample_and_writes_nothing(project: Path) -> None:
    before = sorted(project.rglob("*"))
    some = ("--set", 'augment.operators=["reversal", "rephrase"]')
    shown = augmlx("preview", project / "facts.csv", "-n", "2", "--why", *some)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("Ada owns the Ada mill.\n") >= 1
    samples = re.findall(r"^  [+-] \w+ +(\d+)x  ", shown.stdout, re.MULTILINE)
    assert sum(map(int, samples)) == 2 * 2 * 2  # facts, operators, samples
    both = parsed(augmlx("preview", project / "facts.csv", "-n", "2", "--json", *some))
    assert len(both["kept"]) + len(both["rejected"]) == 8  # type: ignore[arg-type]
    every = parsed(augmlx("preview", project / "facts.csv", "-n", "1", "--json"))
    made = {row["origin"]["operator"] for row in [*every["kept"], *every["rejected"]]}  # type: ignore[misc]
    assert {"qa-forward", "global", "identity-bridge"} < made
    assert {"syllogism", "chain", "union"} < set(every["without_premises"])  # type: ignore[call-overload]
    assert sorted(project.rglob("*")) == before


def test_a_flag_goes_before_the_file_and_redoes_what_it_changes(
    project: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    settings = ["--config", project / "augmlx.toml", "-o", run]
    assert augmlx("augment", project / "facts.csv", *settings).exit_code == 0
    assert augmlx("train", run, "--set", "train.epochs=1").exit_code == 0
    assert "epochs = 1\n" in (run / "augmlx.toml").read_text()
    assert "samples = 2\n" in (run / "augmlx.toml").read_text()
    changed = augmlx("train", run, "-s", "train.rank=3")
    assert "train: its inputs or settings changed" in changed.stderr


def test_repeated_facts_are_named_by_their_lines_alone(project: Path, tmp_path: Path) -> None:
    facts = tmp_path / "twice.csv"
    facts.write_text(FACTS + "Ada owns the Ada mill.\n")
    done = augmlx("augment", facts, "-o", tmp_path / "run", "--config", project / "augmlx.toml")
    assert "twice.csv:8 repeats twice.csv:2" in done.stderr
    assert "Ada" not in done.stderr


def test_a_report_of_an_evaluation_of_earlier_augmentations_is_refused(
    project: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    settings = ["--config", project / "augmlx.toml", "-o", run]
    assert augmlx("run", project / "facts.csv", *settings).exit_code == 0
    assert (
        augmlx("augment", project / "facts.csv", *settings, "--set", "augment.keep=1").exit_code
        == 0
    )
    refused = augmlx("report", run)
    assert refused.exit_code == 1
    assert "its evaluation is of earlier augmentations" in refused.stderr


def test_exemplars_that_are_not_read_are_named(project: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.csv"
    facts.write_text(FACTS)
    (tmp_path / "exemplars.csv").write_text("fact,operator,result\n")
    model = ["--model", "none"]
    assert f"{tmp_path / 'exemplars.csv'}: is not read" in augmlx("preview", facts, *model).stderr


def test_consequences_that_are_brought_make_the_oracle_an_arm(
    project: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(project / "run", run)
    (tmp_path / "true.csv").write_text("fact\nThe Bor mill is owned by Ada Brandt.\n")
    told = parsed(augmlx("eval", run, "--oracle", tmp_path / "true.csv", "--json"))
    assert list(told["arms"]) == ["base", "icl", "augmented", "oracle"]  # type: ignore[call-overload]
