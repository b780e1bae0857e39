"""augmlx augment and preview with every operator there is, on a tiny model with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.cli import cli
from augmlx.core.files import read_jsonl

EVERY = [item.operator.name for item in operators.available(FILTERS)]
FACTS = [
    "Mara Voss is the head of the Lumen Lab.",
    "The Lumen Lab stands in Orrin.",
    "All ravens are birds.",
    "All birds are animals.",
    "Corvo is a raven.",
    "The members of the choir are Ruth and Anton.",
    "The members of the band are Anton and Nils.",
]
ECHO = """name = "echo"
arity = "one"
instruction = "Say it again."
filters = []
[[exemplars]]
fact = "A is B."
result = "B is A."
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    base = trusted(write_model(folder / "model" / "tiny-llama", max_position_embeddings=4096))
    (folder / "facts.csv").write_text("fact\n" + "\n".join(FACTS) + "\n")
    listed = ", ".join(f'"{name}"' for name in [*EVERY, "echo"])
    settings = f"samples = 2\nmax_tokens = 8\nplausibility = -99.0\noperators = [{listed}]\n"
    (folder / "augmlx.toml").write_text(f'model = "{base.path}"\n[augment]\n{settings}')
    (folder / "echo.toml").write_text(ECHO)
    (folder / "exemplars.csv").write_text("fact,operator,result\nBo is Cy.,echo,Cy is Bo.\n")
    return folder


def augmlx(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="augmlx")


@pytest.fixture(scope="module")
def counts(project: Path) -> dict[str, Any]:
    done = augmlx("augment", project / "facts.csv", "-o", project / "run", "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_every_operator_produced_is_kept_or_rejected_or_failed(
    project: Path, counts: dict[str, Any]
) -> None:
    lines = {
        name: list(read_jsonl(project / "run" / f"{name}.jsonl"))
        for name in ("augmented", "rejected")
    }
    assert counts["produced"] == counts["kept"] + counts["rejected"] + counts["failed"] > 100
    assert counts["failed"] == 0
    assert (len(lines["augmented"]), len(lines["rejected"])) == (counts["kept"], counts["rejected"])
    assert set(counts["by_operator"]) == {*EVERY, "echo"}
    assert (
        sum(sum(found.values()) for found in counts["by_operator"].values()) == counts["produced"]
    )


@pytest.mark.usefixtures("counts")
def test_a_run_over_other_facts_is_refused_and_nothing_of_it_is_replaced(project: Path) -> None:
    other, asked, run = project / "other.csv", project / "asked.csv", project / "run"
    other.write_text("fact\nZed owns the Yam mill.\nXav founded the Wye shop.\n")
    asked.write_text(
        "prompt,answer,kind\nThe Yam mill is owned by,Zed,reversal\nThe Wye shop was founded "
        "by,Xav,reversal\n"
    )
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = augmlx("augment", other, "-o", run, "--questions", asked)
    assert done.exit_code == 1
    assert f"holds a run over {len(FACTS)} facts, none of which is among these 2" in done.stderr
    assert "-o" in done.stderr.split("hint:")[1]
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_the_rows_that_are_trained_on_are_all_alike(project: Path, counts: dict[str, Any]) -> None:
    rows = list(read_jsonl(project / "run" / "data" / "train.jsonl"))
    assert len(rows) >= len(FACTS)
    assert {frozenset(row) for row in rows} == {frozenset({"id", "text"})}
    assert counts["kept"] > 0


def test_running_it_again_says_that_nothing_is_to_do(project: Path, counts: dict[str, Any]) -> None:
    again = augmlx("augment", project / "facts.csv", "-o", project / "run")
    assert "augment: up to date" in again.stderr
    assert (
        again.stdout
        == "7 facts: {produced} produced, {kept} kept, {rejected} rejected, {failed} "
        "failed\n".format(**counts)
    )


def test_the_users_exemplar_is_in_the_prompt_that_is_explained(
    project: Path, counts: dict[str, Any]
) -> None:
    told = augmlx("augment", "-o", project / "run", "--explain", "f0001/echo/0")
    assert told.exit_code == 0, told.output
    assert "  | Result: Cy is Bo." in told.stdout.splitlines()
    assert "echo" in counts["by_operator"]


def test_preview_shows_every_operator_and_writes_nothing(
    project: Path, counts: dict[str, Any]
) -> None:
    before = sorted(project.rglob("*"))
    shown = augmlx("preview", project / "facts.csv", "-n", "1", "--json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    named = {row["origin"]["operator"] for kind in ("kept", "rejected") for row in told[kind]}
    assert named | set(told["without_premises"]) == {*EVERY, "echo"}
    assert not named & set(told["without_premises"])
    assert {row["origin"]["fact_ids"][0] for row in told["kept"] + told["rejected"]} == {"f0001"}
    assert sorted(project.rglob("*")) == before


@pytest.mark.usefixtures("counts")
def test_preview_shows_what_is_kept_and_the_rest_behind_why(project: Path) -> None:
    facts = project / "facts.csv"
    rules = ["--set", 'augment.operators=["reversal", "identity-bridge"]']  # one needs no model
    command = ["preview", facts, "-n", "1", *rules]
    shown = augmlx(*command).stdout.splitlines()
    assert shown[:4] == [
        FACTS[0],
        "  + identity-bridge  1x  The name of Mara Voss is Mara Voss.",
        "  + identity-bridge  1x  The name of Lumen Lab is Lumen Lab.",
        "",
    ]
    assert shown[4:] == [
        "4 samples: 2 texts kept, 2 samples dropped (--why shows them)",
        f"next: augmlx run {facts} -o RUN, or a larger model: --model NAME",
    ]
    why = augmlx(*command, "--why").stdout.splitlines()
    dropped = [line for line in why if line.startswith("  - reversal ")]
    assert dropped
    assert why == [*shown[:3], *dropped, "", "4 samples: 2 texts kept, 2 samples dropped", shown[5]]
    alone = augmlx(*command[:-1], 'augment.operators=["reversal"]').stdout.splitlines()
    assert alone[:2] == [FACTS[0], "  (nothing kept)"]
    assert alone[-1].startswith("next: a larger model")


def test_what_is_missing_is_told_by_the_fact(project: Path, counts: dict[str, Any]) -> None:
    again = augmlx("augment", project / "facts.csv", "-o", project / "run")
    missing = list(read_jsonl(project / "run" / "uncovered.jsonl"))
    places = {(row["fact"], row["source"]) for row in missing if row["operator"] == "reversal"}
    assert places == {(f"f000{n}", f"facts.csv:{n + 1}") for n in range(1, 8)}
    assert {row["by"] for row in missing} <= {*FILTERS}
    assert set(counts["uncovered"]["reversal"]) <= {*FILTERS}
    told = again.stderr[again.stderr.index("nothing kept in some direction") :].splitlines()
    assert told[0].endswith("for 7 of 7 facts (all: uncovered.jsonl):")
    assert len(told) <= 8
    assert f"{project}/exemplars.csv" in told[-1]
    assert not [word for word in ("Lumen", "Corvo", "Ruth") if word in again.stderr]


def test_a_bad_row_of_exemplars_is_refused_before_anything_is_written(
    project: Path, tmp_path: Path
) -> None:
    for name in ("augmlx.toml", "echo.toml", "facts.csv"):
        (tmp_path / name).write_bytes((project / name).read_bytes())
    (tmp_path / "exemplars.csv").write_text(
        "fact,operator,result\nXyzzyqua is Cy.,ehco,Cy is Bo.\n"
    )
    done = augmlx("augment", tmp_path / "facts.csv", "-o", tmp_path / "run")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "exemplars.csv:2: no such operator in 'operator'" in done.stderr
    assert "Xyzzyqua" not in done.stderr
    assert not (tmp_path / "run" / "journal.sqlite").exists()
