"""augmlx study, with a tiny model of random weights under MLX: it runs, goes on, and says what it
is.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import trusted, write_model

from augmlx.cli import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    trusted(write_model(folder / "tiny-llama", max_position_embeddings=4096))
    return folder


def study(folder: Path, world: str, *more: str) -> Result:
    small = [
        "augment.samples=1",
        "augment.max_tokens=4",
        "train.epochs=1",
        "train.rank=2",
        "eval.max_tokens=2",
    ]
    flags = [part for pair in small for part in ("--set", pair)]
    arguments = [
        world,
        "-o",
        str(folder / world),
        "--size",
        "0.05",
        "--seeds",
        "2",
        "--model",
        str(folder / "tiny-llama"),
    ]
    return CliRunner().invoke(cli, ["study", *arguments, *flags, *more], prog_name="augmlx")


@pytest.mark.parametrize("world", ["reversals", "celebrities", "syllogisms", "semantic"])
def test_every_world_runs_to_a_summary_and_a_page(folder: Path, world: str) -> None:
    done = study(folder, world)
    assert done.exit_code == 0, done.output
    arms = [line.split()[0] for line in done.stdout.splitlines()[2:6]]
    assert arms == ["base", "icl", "augmented", "oracle"]  # of what noise writes nothing is kept
    assert (folder / world / "report.html").read_text().startswith("<!doctype html>")
    again = study(folder, world, "--json")
    assert again.exit_code == 0, again.output
    told = json.loads(again.stdout)
    assert told["world"] == world
    assert told["seeds"] == [0, 1]
    assert again.stderr.count("train: up to date") == again.stderr.count("eval: up to date") == 2
    page = CliRunner().invoke(cli, ["report", str(folder / world)], prog_name="augmlx")
    assert page.exit_code == 0, page.output


def test_a_world_that_does_not_exist_is_a_fault_of_usage(folder: Path) -> None:
    assert study(folder, "unicorns").exit_code == 2
