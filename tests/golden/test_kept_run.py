"""The kept run: later code finds it finished, and makes the same one from the same inputs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from tiny.line import Recorder

from . import RUN, copy_inputs, go, pipeline

TEXTS = (
    "facts.jsonl",
    "oracle.jsonl",
    "augmented.jsonl",
    "augmented.csv",
    "rejected.jsonl",
    "eval/items.jsonl",
)
ADAPTERS = ("adapter", "baseline/adapter", "rephrased/adapter", "oracle/adapter")
# Kernels of another processor add in another order.
NEAR = 1e-4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_inputs(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    copy_inputs(folder)
    go(pipeline(folder, Recorder()))
    return folder / RUN.name


def journal(run: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(run / "journal.sqlite") as base:
        tables = [
            name
            for (name,) in base.execute(
                "select name from sqlite_master where type = 'table' order by name"
            )
        ]
        return {name: sorted(base.execute(f"select * from {name}"), key=repr) for name in tables}


def near(value: Any) -> Any:
    """A JSON value whose numbers may be a little off."""
    if isinstance(value, dict):
        return {key: near(item) for key, item in value.items()}
    if isinstance(value, list):
        return [near(item) for item in value]
    return pytest.approx(value, abs=NEAR, rel=NEAR) if isinstance(value, float) else value


def test_every_stage_of_the_kept_run_is_up_to_date(folder: Path) -> None:
    shutil.copytree(RUN, folder / RUN.name)
    (folder / RUN.name / ".lock").touch()  # a run's mark, made by the first command
    before = {path: path.read_bytes() for path in (folder / RUN.name).rglob("*.jsonl")}
    progress = Recorder()
    made = pipeline(folder, progress)
    made.augment()
    made.train()
    made.evaluate()
    said = [line for line in progress.said if line]
    stages = ("augment", "split", "anchor", "train", "baseline", "rephrased", "oracle", "eval")
    assert said == [f"{stage}: up to date" for stage in stages]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "name",
    [*TEXTS, *(f"data/{part}.jsonl" for part in ("train", "valid", "test", "anchors", "unknown"))],
)
def test_a_fresh_run_writes_the_same_texts(fresh: Path, name: str) -> None:
    assert (fresh / name).read_bytes() == (RUN / name).read_bytes()


def test_a_fresh_run_asks_and_judges_the_same(fresh: Path) -> None:
    assert journal(fresh) == journal(RUN)


def test_a_fresh_run_has_the_same_fingerprints(fresh: Path) -> None:
    mine, kept = (json.loads((run / "manifest.json").read_text()) for run in (fresh, RUN))
    assert list(mine) == list(kept)
    for stage in ("augment", "split"):  # what follows depends on the adapter's last bits
        assert mine[stage]["fingerprint"] == kept[stage]["fingerprint"]
    for stage in kept:
        assert mine[stage]["basis"] == kept[stage]["basis"]
        assert mine[stage]["counts"] == near(kept[stage]["counts"])


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_fresh_run_trains_the_same_adapters(fresh: Path, name: str) -> None:
    mine, kept = (mx.load(str(run / name / "adapters.safetensors")) for run in (fresh, RUN))
    assert list(mine) == list(kept)
    for path in kept:
        assert mx.allclose(mine[path], kept[path], rtol=NEAR, atol=NEAR), path
    config = "adapter_config.json"
    assert (fresh / name / config).read_text() == (RUN / name / config).read_text()


def test_a_fresh_run_measures_the_same(fresh: Path) -> None:
    mine, kept = (json.loads((run / "eval/summary.json").read_text()) for run in (fresh, RUN))
    assert mine == near(kept)


def test_a_fresh_run_exports_the_same_folder(fresh: Path) -> None:
    for name in ("adapter_config.json", "README.md"):
        path = Path("export/peft") / name
        assert (fresh / path).read_text() == (RUN / path).read_text()
