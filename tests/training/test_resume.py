"""Kills, interruptions and second processes: the same bytes in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tiny import write_model

from augmlx.core.errors import RunError
from augmlx.training import checkpoint

from .support import digests, examples, fitted, losses, start, steps_done

LONG = {"epochs": 50}  # 300 steps: far more than a kill can be late


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny").path


@pytest.fixture(scope="module")
def undisturbed(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(model, folder, **LONG).wait() == 0
    assert [step for step, _, _ in losses(folder)] == list(range(1, 301))
    return folder


def await_step(folder: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    while steps_done(folder) < step and process.poll() is None:
        time.sleep(0.002)


def test_two_processes_write_the_same_bytes(model: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Whatever numpy's global generator holds: mlx-lm's batch order comes from there."""
    environment = {**os.environ, "AUGMLX_TEST_NUMPY_SEED": "77"}
    process = start(model, tmp_path, environment=environment, **LONG)
    assert process.wait() == 0
    assert digests(tmp_path) == digests(undisturbed)
    assert losses(tmp_path) == losses(undisturbed)


def test_a_training_killed_at_random_moments_ends_with_the_same_bytes(
    model: Path, undisturbed: Path, tmp_path: Path
) -> None:
    for target in sorted(Random(11).sample(range(1, 100), 4)):
        process = start(model, tmp_path, **LONG)
        await_step(tmp_path, target, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    process = start(model, tmp_path, **LONG)
    assert process.wait() == 0
    assert digests(tmp_path) == digests(undisturbed)
    assert losses(tmp_path) == losses(undisturbed)  # none twice, none missing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "metrics.jsonl"]


def test_an_interrupted_training_finishes_its_step_and_goes_on_from_there(
    model: Path, undisturbed: Path, tmp_path: Path
) -> None:
    done = 0
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(model, tmp_path, **LONG, checkpoint_every=1000)
        await_step(tmp_path, done + 20, process)
        process.send_signal(number)
        assert process.wait() == 130
        assert done + 20 <= steps_done(tmp_path) < 300
        done = steps_done(tmp_path)
        newest = max(path.name for path in (tmp_path / "checkpoints").iterdir())
        assert newest == f"step-{done:08d}"  # no step is lost, though no checkpoint was due
    assert start(model, tmp_path, **LONG, checkpoint_every=1000).wait() == 0
    assert losses(tmp_path) == losses(undisturbed)
    assert digests(tmp_path) == digests(undisturbed)


class Stop(Exception):
    """Stands for a kill, at a moment that can be chosen."""


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    save = checkpoint.save

    def stopping(folder: Path, position: checkpoint.Position, *rest: Any, **named: Any) -> None:
        save(folder, position, *rest, **named)
        if position.step == step:
            raise Stop

    monkeypatch.setattr(checkpoint, "save", stopping)


@pytest.fixture
def stopped(model: Path, tmp_path: Path) -> Callable[..., Path]:
    def stop(step: int, **changes: object) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, step)
            with pytest.raises(Stop):
                fitted(model, tmp_path / "run", **changes)
        return tmp_path / "run"

    return stop


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("step", [5, 20])
def test_a_resumed_training_has_the_losses_of_an_undisturbed_one(
    model: Path, stopped: Callable[..., Path], tmp_path: Path, dropout: float, step: int
) -> None:
    """With dropout too, though its masks are drawn anew: each step seeds them from its own
    number.
    """
    whole = fitted(model, tmp_path / "whole", dropout=dropout)
    folder = stopped(step, dropout=dropout)
    again = fitted(model, folder, dropout=dropout)
    assert again == whole
    assert losses(folder) == losses(tmp_path / "whole")
    assert digests(folder) == digests(tmp_path / "whole")


CASES: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.01, "dropout": 0.1},
    "muon": {"optimizer": "muon", "method": "dora", "dropout": 0.1},
    "adafactor": {"optimizer": "adafactor", "schedule": "cosine"},
    "sgd, accumulated": {"optimizer": "sgd", "accumulate": 2, "batch_size": 2, "clip": 1.0},
    "packed": {"packing": "always", "dropout": 0.1},
    "dora": {"method": "dora", "dropout": 0.1, "packing": "never"},
    "full": {"method": "full", "dropout": 0.0, "learning_rate": 1e-3},
    "full with muon": {
        "method": "full",
        "dropout": 0.0,
        "optimizer": "muon",
        "learning_rate": 1e-3,
    },
    "recomputed": {"checkpoint_layers": True, "dropout": 0.1},
    "compiled": {"compile": "always", "dropout": 0.1},
    "compiled and recomputed": {
        "compile": "always",
        "checkpoint_layers": True,
        "optimizer": "adamw",
        "dropout": 0.1,
    },
}


@pytest.mark.parametrize("case", list(CASES))
def test_every_kind_of_training_is_resumed_to_the_same_bytes(
    model: Path, tmp_path: Path, case: str
) -> None:
    rows, changes = examples(10), {"epochs": 2, "checkpoint_every": 2, **CASES[case]}
    whole = fitted(model, tmp_path / "whole", rows, **changes)
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, 4)
        with pytest.raises(Stop):
            fitted(model, tmp_path / "run", rows, **changes)
    seen: list[int] = []
    real = checkpoint.load_latest

    def loaded(*arguments: Any) -> checkpoint.Position | None:
        found = real(*arguments)
        seen.append(found.step if found else 0)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "load_latest", loaded)
        assert fitted(model, tmp_path / "run", rows, **changes) == whole
    assert seen == [4]  # it did go on from there
    assert whole["steps"] == 6
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")


@pytest.mark.parametrize("kept", [1, 3])
def test_as_many_checkpoints_are_kept_as_are_set(stopped: Callable[..., Path], kept: int) -> None:
    folder = stopped(10, checkpoint_every=2, checkpoints=kept)
    found = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert found == [f"step-{step:08d}" for step in (6, 8, 10)[-kept:]]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and nothing that would clean up behind it gets to the
    disk.
    """


def kill_at(patch: pytest.MonkeyPatch, call: int) -> None:
    """From the given call on (counted from 0), nothing is made, renamed or deleted any more."""
    calls = iter(range(10**6))

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def refuse(*arguments: object, **options: object) -> object:
            if next(calls) >= call:
                raise Killed
            return real(*arguments, **options)

        return refuse

    for name in ("mkdir", "rename", "replace", "unlink", "rmdir"):
        patch.setattr(os, name, deadly(getattr(os, name)))


def test_a_kill_at_any_step_of_the_file_system_is_resumed_to_the_same_bytes(
    model: Path, tmp_path: Path
) -> None:
    """Rotating a checkpoint away and the final clean-up delete folders file by file."""
    rows, changes = examples(4), {"epochs": 4, "checkpoint_every": 1}
    whole = fitted(model, tmp_path / "whole", rows, **changes)
    for call in range(1000):
        folder = tmp_path / str(call)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, call)
            try:
                fitted(model, folder, rows, **changes)
                break
            except Killed:
                pass
        assert fitted(model, folder, rows, **changes) == whole, call
        assert digests(folder) == digests(tmp_path / "whole")
        assert losses(folder) == losses(tmp_path / "whole")
        assert {path.name for path in folder.iterdir()} >= {"adapter", "metrics.jsonl"}
        assert not (folder / "checkpoints").exists()
    assert call > 40  # as many steps were tried


def test_how_often_a_checkpoint_is_written_may_change(
    model: Path, stopped: Callable[..., Path]
) -> None:
    folder = stopped(10)
    before = (folder / "metrics.jsonl").read_bytes().splitlines()
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, 12)
        with pytest.raises(Stop):
            fitted(model, folder, checkpoint_every=2)
    after = (folder / "metrics.jsonl").read_bytes().splitlines()
    assert after[:10] == before  # the clock's figures too: no step was done again
    assert len(after) == 12


def test_steps_after_the_checkpoint_and_a_torn_line_are_written_again(
    model: Path, stopped: Callable[..., Path], tmp_path: Path
) -> None:
    fitted(model, tmp_path / "whole")
    folder = stopped(10)
    metrics = folder / "metrics.jsonl"
    with metrics.open("a") as file:
        file.write('{"step": 11, "epoch": 2, "loss": 9.0}\n{"step": 12, "epo')
    assert steps_done(folder) == 11
    fitted(model, folder)
    assert losses(folder) == losses(tmp_path / "whole")
    assert all(json.loads(line) for line in metrics.read_text().splitlines())


def test_a_damaged_part_of_the_metrics_ends_what_is_read(stopped: Callable[..., Path]) -> None:
    folder = stopped(10)
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(b"\0\0\0\xff\n[1]\n")
    assert steps_done(folder) == 10


def test_metrics_that_lack_steps_are_an_error_and_no_gap(
    model: Path, stopped: Callable[..., Path]
) -> None:
    folder = stopped(10)
    metrics = folder / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:7]))
    with pytest.raises(
        RunError, match=r"metrics\.jsonl: does not hold every step up to the checkpoint's, 10"
    ):
        fitted(model, folder)


@pytest.mark.parametrize(
    "change", [{"rank": 5}, {"learning_rate": 1e-3}, {"batch_size": 3}, {"dropout": 0.2}]
)
def test_checkpoints_of_another_training_are_not_resumed(
    model: Path, stopped: Callable[..., Path], tmp_path: Path, change: dict[str, float]
) -> None:
    fitted(model, tmp_path / "whole", **change)
    folder = stopped(10)
    fitted(model, folder, **change)
    assert losses(folder) == losses(tmp_path / "whole")
    assert digests(folder) == digests(tmp_path / "whole")


def test_a_finished_training_leaves_no_checkpoints_and_may_be_repeated(
    model: Path, tmp_path: Path
) -> None:
    first = fitted(model, tmp_path / "run")
    kept = digests(tmp_path / "run"), losses(tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert fitted(model, tmp_path / "run") == first
    assert (digests(tmp_path / "run"), losses(tmp_path / "run")) == kept
