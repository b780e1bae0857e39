"""Several processes that train together: the losses of one process, one adapter, and no waiting for
what is lost.

They are real processes on this machine, over mlx's ring. Most are started with the environment that
mlx.launch makes and not by it, for it uses up a core and hides exit codes; and they do several
trainings, for their start is slow.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tiny import write_model

from augmlx.cli import cli
from augmlx.core import mlx_launch
from augmlx.core.errors import RunError
from augmlx.core.files import write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import Fact
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load
from augmlx.engines.scripted import ScriptedEngine
from augmlx.run.pipeline import Pipeline
from augmlx.training import metrics, team

from .test_resume import Stop, stop_at

MEMBER = Path(__file__).parent / "member.py"
LIMIT = 150  # seconds after which something hangs
TEXTS = [
    f"{'Old ' * (n % 4)}Mara number {n} keeps the {'far ' * (n % 3)}harbour hall {n}."
    for n in range(17)
]
HELD = [TEXTS[n][::-1] for n in range(5)]
TRAIN = {
    "rank": 2,
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 5e-3,
    "max_length": 128,
    "layers": -1,
    "anchor": 0.0,
    "unknown": 0.0,
    "clip": 0.0,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that is ready to be trained, with some rows to validate on. 17 rows in fours
    leave one by itself.
    """
    folder = tmp_path_factory.mktemp("prepared")
    base = write_model(folder / "base")
    run = RunFolder(folder / "run")
    run.create()
    train = {f"train.{key}": value for key, value in TRAIN.items()}
    settings = load(None, {"model": str(base.path), "augment.operators": [], **train})
    pipeline = Pipeline(run, settings, Silent(), make_engine=lambda _: ScriptedEngine(lambda _: ""))
    pipeline.take_facts([Fact(f"f{n:04}", text, f"facts.csv:{n}") for n, text in enumerate(TEXTS)])
    pipeline.augment()
    write_jsonl(
        run.data / "valid.jsonl",
        [{"id": f"f{n:04}/x/0", "text": text} for n, text in enumerate(HELD)],
    )
    return run.path


@pytest.fixture
def run(prepared: Path, tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        return Path(shutil.copytree(prepared, tmp_path / name))

    return copy


def train(folder: Path | str, *said: str) -> list[str]:
    return [
        "train",
        str(folder),
        *(part for setting in said for part in ("--set", f"train.{setting}")),
    ]


def alone(folder: Path, *said: str) -> Path:
    done = CliRunner().invoke(cli, train(folder, *said), prog_name="augmlx")
    assert done.exit_code == 0, done.output
    return folder


def lines(folder: Path) -> list[metrics.Line]:
    return metrics.read(folder / "metrics.jsonl")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def same_training(one: Path, other: Path) -> None:
    """Two runs have the same steps, and nearly the same losses and weights."""
    found = lines(one), lines(other)
    assert [line["step"] for line in found[1]] == list(range(1, len(found[0]) + 1))
    for a, b in zip(*found, strict=True):
        assert a.keys() == b.keys()
        assert (a["epoch"], a["tokens"]) == (b["epoch"], b["tokens"])
        for key in {"loss", "valid_loss"} & a.keys():
            assert abs(a[key] - b[key]) < 1e-4, (a, b)
    weights = [mx.load(str(folder / "adapter" / "adapters.safetensors")) for folder in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    for name in weights[0]:
        np.testing.assert_allclose(
            np.array(weights[0][name]), np.array(weights[1][name]), atol=1e-4, err_msg=name
        )
    assert files(one) == files(other)
    assert not [name for name in files(other) if ".part-" in name or "building" in name]


# Starting them


def ports() -> int:
    """The first of two ports that nobody listens on; below those that systems give to outgoing
    connections.
    """
    for first in SystemRandom().sample(range(20000, 32000, 2), 100):
        try:
            for port in (first, first + 1):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


@contextmanager
def launch(*command: str) -> Iterator[subprocess.Popen[str]]:
    """mlx.launch -n 2, in a process group of its own, with which all that it started ends."""
    launcher = Path(sys.executable).parent / "mlx.launch"
    whole = [
        str(launcher),
        "-n",
        "2",
        "--backend",
        "ring",
        "--starting-port",
        str(ports()),
        "--",
        sys.executable,
    ]
    # Its loop polls: at the end of its input it would spin.
    process = subprocess.Popen(
        [*whole, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Pair:
    """Two processes that do the same commands, started as mlx.launch starts them, and again when
    they have ended.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def do(self, command: Sequence[str]) -> list[dict[str, Any]]:
        """What came of it in each of them."""
        self.begin(command)
        return [self.result(rank) for rank in range(2)]

    def begin(self, command: Sequence[str]) -> None:
        if not self.processes:
            self._start()
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()

    def result(self, rank: int) -> dict[str, Any]:
        stdout = self.processes[rank].stdout
        assert stdout is not None
        assert select.select([stdout], [], [], LIMIT)[0], "it hangs"
        line = stdout.readline()
        assert line, self.said(rank)
        found: dict[str, Any] = json.loads(line)
        return found

    def said(self, rank: int) -> str:
        return (self._folder / f"stderr-{rank}").read_text()

    def _start(self) -> None:
        first = ports()
        hosts = self._folder / "hosts.json"
        hosts.write_text(json.dumps([[f"127.0.0.1:{first + rank}"] for rank in range(2)]))
        for rank in range(2):
            with (self._folder / f"stderr-{rank}").open("w") as stderr:
                process = subprocess.Popen(
                    [sys.executable, str(MEMBER)],
                    env={**os.environ, "MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)},
                    text=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                )
            self.processes.append(process)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes = []


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("together"))
    yield made
    made.end()


def await_steps(folder: Path, count: int, *processes: subprocess.Popen[str]) -> None:
    begun = time.monotonic()
    while len(lines(folder)) < count:
        assert all(process.poll() is None for process in processes)
        assert time.monotonic() - begun < LIMIT, "it hangs"
        time.sleep(0.01)


# What they make


@pytest.mark.parametrize(
    "said",
    [
        (),
        ("packing=always", "compile=always"),
        ("accumulate=2", "batch_size=8", "clip=0.5", "optimizer=adamw"),
        ("anchor=1", "layers=1", "clip=1"),
        ("batch_size=1", "epochs=1", "checkpoint_layers=true"),  # the second one has nothing to do
        ("best=loss", "validate_every=2"),
    ],
)
def test_two_processes_do_what_one_does(
    run: Callable[[str], Path], together: Pair, said: Sequence[str]
) -> None:
    wanted, folder = alone(run("alone"), *said), run("together")
    done = together.do(train(folder, *said))
    assert [result["code"] for result in done] == [0, 0], done
    assert (done[1]["out"], done[1]["err"]) == ("", "")
    same_training(wanted, folder)


def test_they_stop_early_together_and_a_finished_run_is_no_work(
    run: Callable[[str], Path], together: Pair
) -> None:
    said = ("best=loss", "patience=2", "validate_every=2", "learning_rate=0.02", "epochs=6")
    wanted, folder = alone(run("alone"), *said), run("together")
    assert [result["code"] for result in together.do(train(folder, *said))] == [0, 0]
    same_training(wanted, folder)
    assert len(lines(folder)) == 12
    counts = [RunFolder(path).manifest()["train"]["counts"] for path in (wanted, folder)]
    assert [(count["best"]["step"], count["stopped"]) for count in counts] == [(8, True)] * 2
    done = together.do([*train(folder, *said), "--json"])
    assert [result["code"] for result in done] == [0, 0]
    assert done[0]["err"] == "train: up to date\n"
    assert json.loads(done[0]["out"])["steps"] == 12
    assert (done[1]["out"], done[1]["err"]) == ("", "")
    assert max(result["seconds"] for result in done) < 10


def test_what_one_process_began_two_can_finish_each_with_a_run_folder_of_its_own(
    run: Callable[[str], Path], together: Pair, tmp_path: Path
) -> None:
    said = ("best=loss", "validate_every=2", "checkpoint_every=2")
    wanted, folder, other = alone(run("alone"), *said), run("own-0"), run("own-1")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, 6)
        with pytest.raises(Stop):
            CliRunner().invoke(
                cli, train(folder, *said), prog_name="augmlx", catch_exceptions=False
            )
    before = files(other)
    done = together.do(train(tmp_path / "own-{rank}", *said))
    assert [result["code"] for result in done] == [0, 0], done
    assert ", 6 done before" in done[0]["err"]
    same_training(wanted, folder)
    assert files(other) == before


def test_what_is_refused_ends_both_and_leaves_none_waiting(
    run: Callable[[str], Path], together: Pair, tmp_path: Path
) -> None:
    folder, other = run("own-0"), run("own-1")
    before = files(folder) | {".lock"}, files(other)
    command = train(tmp_path / "own-{rank}")
    for setting, codes in {"targets=['nowhere']": [1, 0], "epochs=0": [1, 1]}.items():
        done = together.do(train(tmp_path / "own-{rank}", setting))
        assert [result["code"] for result in done] == codes
        assert setting.split("=")[0] in done[0]["err"]
    with RunFolder(folder).lock():
        done = together.do(command)
    assert [result["code"] for result in done] == [1, 0]
    assert "another augmlx process" in done[0]["err"]
    # It decides no weight, but when the processes speak to one another.
    for name, was, now in (
        ("augmlx.toml", "validate_every = 0", "validate_every = 2"),
        ("data/train.jsonl", "hall 3.", "hall 4."),
    ):
        changed, whole = other / name, (other / name).read_text()
        assert was in whole
        changed.write_text(whole.replace(was, now))
        done = together.do(command)
        changed.write_text(whole)
        assert [result["code"] for result in done] == [1, 1]
        for result in done:
            assert result["err"].startswith(
                "error: the machines hold different data, settings or models\nhint: "
            )
    assert lines(folder) == []
    assert (files(folder), files(other)) == before
    assert together.do(train(folder, "epochs=1"))[0]["code"] == 0  # and they still are together


def test_told_to_stop_they_leave_a_checkpoint_and_a_launch_goes_on_from_there(
    run: Callable[[str], Path], together: Pair
) -> None:
    """All stop behind the same step, whichever of them is told. What goes on is mlx.launch
    itself.
    """
    folder = run("run")
    command, done = train(folder, "epochs=30", "checkpoint_every=1000"), 0
    for number, told in {signal.SIGHUP: [1], signal.SIGINT: [0, 1]}.items():
        together.begin(command)
        await_steps(folder, done + 5, *together.processes)
        for rank in told:
            together.processes[rank].send_signal(number)
        results = [together.result(rank) for rank in range(2)]
        assert [result["code"] for result in results] == [130, 130], results
        assert done + 5 <= len(lines(folder)) < 150
        done = len(lines(folder))
        assert max(path.name for path in (folder / "checkpoints").iterdir()) == f"step-{done:08d}"
    with launch("-m", "augmlx", *command) as process:
        out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (0, f"{folder}/adapter\n"), err
    assert f", {done} done before" in err
    assert err.count("Training: 150/150") == 1
    assert [line["step"] for line in lines(folder)] == list(range(1, 151))
    assert not (folder / "checkpoints").exists()


LONG = (
    "epochs=400",
    "checkpoint_every=1000",
    "learning_rate=1e-4",
)  # 2000 steps: more than a test sees


def test_where_one_is_killed_the_other_ends_with_an_error(
    run: Callable[[str], Path], together: Pair
) -> None:
    folder = run("run")
    together.begin(train(folder, *LONG))
    await_steps(folder, 5, *together.processes)
    together.processes[1].kill()
    result = together.result(0)
    together.end()
    assert result["code"] == 1
    assert (
        "error: the connection to another process of this training is lost\nhint: " in result["err"]
    )
    assert [line["step"] for line in lines(folder)] == list(range(1, len(lines(folder)) + 1))


def test_where_one_is_gone_without_a_word_a_signal_ends_the_other(
    run: Callable[[str], Path], together: Pair
) -> None:
    """As a machine is whose cable is out: no connection is closed, and Python's handlers wait for
    the exchange.
    """
    folder = run("run")
    together.begin(train(folder, *LONG))
    await_steps(folder, 5, *together.processes)
    together.processes[1].send_signal(signal.SIGSTOP)
    time.sleep(1)
    seen = len(lines(folder))
    together.processes[0].terminate()
    assert together.processes[0].wait(30) == 130
    assert len(lines(folder)) == seen
    assert "do not answer" in together.said(0)
    together.end()


# What tells that there are others


def hostfile(folder: Path, text: str) -> str:
    path = folder / "hosts"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({}, None),
        ({"MLX_RANK": "1"}, None),
        ({"MLX_HOSTFILE": "FILE"}, None),
        ({"MLX_RANK": "0", "MLX_HOSTFILE": "EMPTY"}, None),  # mlx.launch -n 1
        ({"MLX_RANK": "1", "MLX_HOSTFILE": "FILE"}, "ring"),
        (
            {"MLX_RANK": "0", "MLX_IBV_DEVICES": "FILE", "MLX_JACCL_COORDINATOR": "10.0.0.1:32323"},
            "jaccl",
        ),
        (
            {"MLX_RANK": "0", "NCCL_HOST_IP": "10.0.0.1", "NCCL_PORT": "1", "MLX_WORLD_SIZE": "2"},
            "nccl",
        ),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, "mpi"),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"}, None),
    ],
)
def test_the_environment_tells_how_the_others_are_reached(
    environment: Mapping[str, str],
    backend: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = {"FILE": hostfile(tmp_path, '[["10.0.0.1:1"]]'), "EMPTY": str(tmp_path / "empty")}
    (tmp_path / "empty").write_text("\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, made.get(value, value))
    assert mlx_launch.backend() == backend


def test_only_training_is_done_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_RANK", "1")
    monkeypatch.setenv("MLX_HOSTFILE", hostfile(tmp_path, "[]"))
    for name in cli.commands:
        done = CliRunner().invoke(cli, [name, "--help"])
        assert done.exit_code == (
            0 if name in ("train", "doctor", "models", "operators", "pull") else 1
        ), name
        assert ("hint: start it without mlx.launch" in done.stderr) == (done.exit_code == 1)


def test_what_cannot_be_connected_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLX_RANK", "5")
    monkeypatch.setenv("MLX_HOSTFILE", hostfile(tmp_path, '[["127.0.0.1:1"], ["127.0.0.1:2"]]'))
    with pytest.raises(
        RunError, match=r"no connection to the other processes: .*Rank cannot be larger"
    ):
        team.assembled()


# What is exchanged


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([mx.float32, mx.bfloat16])), max_size=20)
)
def test_pieces_hold_every_array_once_in_order_and_are_of_one_type(
    shapes: Sequence[tuple[int, mx.Dtype]],
) -> None:
    arrays = [mx.zeros(size, dtype=kind) for size, kind in shapes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(team, "_PIECE", 100)
        pieces = list(team._pieces(arrays))
    assert [id(array) for piece in pieces for array in piece] == [id(array) for array in arrays]
    for piece in pieces:
        assert len({array.dtype for array in piece}) == 1
        assert len(piece) == 1 or sum(array.nbytes for array in piece) <= 100
