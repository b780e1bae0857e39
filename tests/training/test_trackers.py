"""The real TensorBoard; wandb and swanlab as small packages of the same names that write down what
they are told.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from augmlx.core.errors import BadSettings
from augmlx.core.settings import TrainSettings
from augmlx.training import trackers

RECORDER = """
import json, os
from pathlib import Path

def _write(*call):
    seen = {k: v for k, v in os.environ.items() if k.startswith(("WANDB_", "SWANLAB_"))}
    with (Path(__file__).parent / "calls.jsonl").open("a") as file:
        file.write(json.dumps([*call, seen]) + "\\n")

def init(**given):
    print("hello from a tracker")
    _write("init", given)

def log(values, step=None):
    print("logged")
    _write("log", values, step)

def finish():
    print("goodbye")
    _write("finish")
"""
METRICS = {
    "step": 7,
    "loss": 0.5,
    "tokens": 90,
    "valid_loss": 0.75,
    "valid_accuracy": {"forward": 0.9, "reversal": 0.5},
}
Install = Callable[..., Callable[[str], list[Any]]]


def forget(*names: str) -> None:
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts packages where Python finds them; gives what reads the calls of one, each with the
    environment it saw.
    """
    place = tmp_path / "site"
    monkeypatch.syspath_prepend(place)
    for name in [name for name in os.environ if name.startswith(("WANDB_", "SWANLAB_"))]:
        monkeypatch.delenv(name)

    def put(**packages: str) -> Callable[[str], list[Any]]:
        for name, code in packages.items():
            (place / name).mkdir(parents=True)
            (place / name / "__init__.py").write_text(code)
        return lambda name: [
            json.loads(line) for line in (place / name / "calls.jsonl").read_text().splitlines()
        ]

    # mlx-lm looks for them once, when it is imported.
    forget("mlx_lm.tuner.callbacks", "wandb", "swanlab")
    yield put
    forget("mlx_lm.tuner.callbacks", "wandb", "swanlab")


def reporting_to(*names: str, **settings: Any) -> trackers.Reporting:
    return trackers.Reporting.of(TrainSettings.model_validate({"report_to": names, **settings}))


def test_metrics_arrive_under_the_names_of_mlx_lm(install: Install, tmp_path: Path) -> None:
    calls = install(wandb=RECORDER, swanlab=RECORDER)
    opened = trackers.open_trackers(reporting_to("wandb", "swanlab"), tmp_path / "run")
    opened.step(METRICS)
    opened.close()
    opened.close()
    for name in ("wandb", "swanlab"):
        (begun, _, _), (logged, values, step, _), (ended, _) = calls(name)
        assert (begun, logged, ended, step) == ("init", "log", "finish", 7)
        assert values == {
            "iteration": 7,
            "train_loss": 0.5,
            "trained_tokens": 90,
            "val_loss": 0.75,
            "valid_accuracy/forward": 0.9,
            "valid_accuracy/reversal": 0.5,
        }


def test_nothing_is_told_of_the_run_but_settings_and_numbers(
    install: Install, tmp_path: Path
) -> None:
    calls = install(wandb=RECORDER)
    folder = tmp_path / "secret-customer"
    trackers.open_trackers(reporting_to("wandb", rank=5), folder).close()
    given = calls("wandb")[0][1]
    assert given["config"] == {
        k: v for k, v in TrainSettings(rank=5).model_dump(mode="json").items() if k != "report_to"
    }
    place = Path(given.pop("dir"))
    assert place.parent == folder / "trackers"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert given["project"] == "augmlx"
    assert str(tmp_path) not in json.dumps(given)
    assert "secret" not in json.dumps(given)


def test_they_stay_offline_and_collect_nothing_besides(install: Install, tmp_path: Path) -> None:
    calls = install(wandb=RECORDER, swanlab=RECORDER)
    before = dict(os.environ)
    trackers.open_trackers(reporting_to("wandb", "swanlab"), tmp_path).close()
    for name, modes in (
        ("wandb", ("WANDB_MODE", "WANDB_X_DISABLE_META")),
        ("swanlab", ("SWANLAB_MODE",)),
    ):
        for call in calls(name):
            assert call[-1][modes[0]] == "offline"
            assert set(modes) <= set(call[-1])
    assert calls("swanlab")[0][-1]["SWANLAB_PROBE_RUNTIME"] == "false"
    assert dict(os.environ) == before


def test_a_mode_of_the_users_own_goes_first(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = install(wandb=RECORDER)
    monkeypatch.setenv("WANDB_MODE", "online")
    trackers.open_trackers(reporting_to("wandb"), tmp_path).close()
    assert calls("wandb")[0][-1]["WANDB_MODE"] == "online"
    assert os.environ["WANDB_MODE"] == "online"


def test_stdout_stays_free_for_data(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(swanlab=RECORDER)
    opened = trackers.open_trackers(reporting_to("swanlab"), tmp_path)
    opened.step(METRICS)
    opened.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert "hello from a tracker" in err


def test_a_tracker_that_is_not_there_is_refused_before_any_work(
    install: Install, tmp_path: Path
) -> None:
    install(wandb=RECORDER)
    with pytest.raises(BadSettings, match="swanlab is not installed") as caught:
        trackers.open_trackers(reporting_to("wandb", "swanlab"), tmp_path / "run")
    assert caught.value.hint
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "site" / "wandb" / "calls.jsonl").exists()


def test_a_folder_that_wandb_left_behind_is_no_package(install: Install, tmp_path: Path) -> None:
    (tmp_path / "site" / "wandb").mkdir(parents=True)
    with pytest.raises(BadSettings, match="wandb is not installed"):
        trackers.require_installed(["wandb"])


def test_where_the_second_fails_the_first_is_ended(install: Install, tmp_path: Path) -> None:
    calls = install(wandb=RECORDER, swanlab="raise ImportError('half of it is missing')")
    before = dict(os.environ)
    with pytest.raises(BadSettings, match="swanlab is installed, but cannot be loaded"):
        trackers.open_trackers(reporting_to("wandb", "swanlab"), tmp_path)
    assert [call[0] for call in calls("wandb")] == ["init", "finish"]
    assert dict(os.environ) == before


def test_tensorboard_reads_the_metrics_of_a_training_and_of_its_resumption(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    for step in (7, 8):
        opened = trackers.open_trackers(reporting_to("tensorboard"), tmp_path)
        opened.step({**METRICS, "step": step})
        opened.close()
    (place,) = (tmp_path / "trackers").iterdir()
    assert not [path for path in place.iterdir() if socket.gethostname() in path.name]
    found = EventAccumulator(str(place)).Reload()
    tensors = {tag: found.Tensors(tag) for tag in found.Tags()["tensors"]}
    assert {tag: make_ndarray(events[-1].tensor_proto) for tag, events in tensors.items()} == {
        "train_loss": 0.5,
        "trained_tokens": 90,
        "val_loss": 0.75,
        "valid_accuracy/forward": pytest.approx(0.9),
        "valid_accuracy/reversal": 0.5,
    }
    assert [event.step for event in tensors["train_loss"]] == [7, 8]


def test_without_trackers_nothing_is_made(tmp_path: Path) -> None:
    opened = trackers.open_trackers(reporting_to(), tmp_path)
    opened.step(METRICS)
    opened.close()
    assert not list(tmp_path.iterdir())
