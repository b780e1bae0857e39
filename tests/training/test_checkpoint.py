from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import load_tiny

from augmlx.core.errors import RunError, StorageError
from augmlx.core.files import remove_stale_parts
from augmlx.core.settings import TrainSettings
from augmlx.models.loading import LoadedModel
from augmlx.training import adapter, checkpoint
from augmlx.training.checkpoint import Position
from augmlx.training.targets import adapter_spec
from augmlx.training.validation import Validation

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx.optimizers as optim  # isort: skip
from mlx.utils import tree_flatten, tree_map  # isort: skip

Training = tuple[nn.Module, optim.Optimizer]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    made = load_tiny(tmp_path_factory.mktemp("model") / "model", num_hidden_layers=3)
    adapter.attach(made.model, adapter_spec(made, TrainSettings(rank=4, layers=2)), seed=1)
    return made


def stepped(loaded: LoadedModel, seed: int, steps: int = 2) -> Training:
    """The model and a fresh optimizer after some steps on random gradients."""
    model, optimizer = loaded.model, optim.Adam(learning_rate=1e-2, bias_correction=True)
    optimizer.init(model.trainable_parameters())
    mx.random.seed(seed)
    for _ in range(steps):
        gradients = tree_map(
            lambda value: mx.random.normal(value.shape), model.trainable_parameters()
        )
        optimizer.update(model, gradients)
    mx.eval(model.trainable_parameters(), optimizer.state)
    return model, optimizer


def state(training: Training) -> dict[str, mx.array]:
    model, optimizer = training
    mx.eval(model.parameters(), optimizer.state)
    return {
        **dict(tree_flatten(model.parameters())),
        **{f"o.{k}": v for k, v in tree_flatten(optimizer.state)},
    }


def equal(a: dict[str, mx.array], b: dict[str, mx.array]) -> bool:
    return a.keys() == b.keys() and all(
        a[n].dtype == b[n].dtype and bool(mx.array_equal(a[n], b[n])) for n in a
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(1, 4))
def test_saving_and_loading_is_the_identity_with_the_optimizers_state(
    loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    folder = tmp_path_factory.mktemp("checkpoints")
    training = stepped(loaded, seed, steps)
    saved = dict(state(training))
    checkpoint.save(folder, Position(steps, 55), *training, fingerprint="mine", kept=2)
    other = stepped(loaded, seed + 1000)
    assert not equal(state(other), saved)
    assert checkpoint.load_latest(folder, *other, "mine") == Position(steps, 55)
    assert equal(state(other), saved)
    # And the next step is the same, too: nothing of the optimizer's state is made anew.
    gradients = tree_map(mx.ones_like, loaded.model.trainable_parameters())
    other[1].update(other[0], gradients)
    after = dict(state(other))
    checkpoint.load_latest(folder, *stepped(loaded, 5), "mine")
    again = (loaded.model, optim.Adam(learning_rate=1e-2, bias_correction=True))
    again[1].init(loaded.model.trainable_parameters())
    checkpoint.load_latest(folder, *again, "mine")
    again[1].update(again[0], gradients)
    assert equal(state(again), after)


POSITIONS = st.builds(
    Position,
    st.integers(1, 10**6),
    st.integers(0, 2**40),
    best=st.none()
    | st.builds(
        Validation,
        st.integers(1, 10**6),
        st.floats(0, 99),
        st.none()
        | st.dictionaries(st.sampled_from(["forward", "reversal"]), st.floats(0, 1), min_size=1),
    ),
    waited=st.integers(0, 99),
    ended=st.booleans(),
)


@settings(max_examples=15, deadline=None)
@given(POSITIONS)
def test_a_position_is_read_as_it_was_written(
    loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory, position: Position
) -> None:
    folder, training = tmp_path_factory.mktemp("checkpoints"), stepped(loaded, 1, 1)
    checkpoint.save(folder, position, *training, fingerprint="mine", kept=2)
    assert checkpoint.load_latest(folder, *training, "mine") == position


def test_what_holds_the_optimizers_state_sees_it_loaded(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    """A compiled step does: with a tree put in the place of the old one it would go on with
    that.
    """
    checkpoint.save(tmp_path, Position(5, 5), *stepped(loaded, 1, 3), fingerprint="mine", kept=2)
    model, optimizer = stepped(loaded, 2)
    held = optimizer.state
    checkpoint.load_latest(tmp_path, model, optimizer, "mine")
    assert optimizer.state is held
    assert held["step"].item() == 3


@pytest.mark.parametrize("kept", [1, 3])
def test_as_many_of_the_newest_are_kept_as_are_asked_for(
    loaded: LoadedModel, tmp_path: Path, kept: int
) -> None:
    training = stepped(loaded, 1)
    for step in (1, 2, 30, 4, 5):  # by number, not by age
        checkpoint.save(tmp_path, Position(step, step), *training, fingerprint="mine", kept=kept)
    assert names(tmp_path) == [f"step-{step:08d}" for step in (4, 5, 30)[-kept:]]


def test_the_best_weights_are_read_as_they_were_and_rotated_never(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    training = stepped(loaded, 1)
    checkpoint.save_best(tmp_path / "checkpoints", training[0])
    saved = dict(state(training))
    for step in (1, 2, 3):
        other = stepped(loaded, 5 + step)
        checkpoint.save(
            tmp_path / "checkpoints", Position(step, step), *other, fingerprint="mine", kept=1
        )
    assert checkpoint.load_latest(tmp_path / "checkpoints", *other, "mine") == Position(3, 3)
    checkpoint.load_best(tmp_path / "checkpoints", loaded.model)
    for name, array in tree_flatten(loaded.model.parameters()):
        assert mx.array_equal(array, saved[name])
    assert names(tmp_path / "checkpoints") == ["best.safetensors", "step-00000003"]


def test_clearing_leaves_nothing_the_newest_longest(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoints"
    training = stepped(loaded, 1)
    for step in (1, 2, 3):
        checkpoint.save(folder, Position(step, step), *training, fingerprint="mine", kept=5)
    checkpoint.save_best(folder, training[0])
    rename, gone = Path.rename, []
    monkeypatch.setattr(
        Path, "rename", lambda path, target: gone.append(path.name) or rename(path, target)
    )
    checkpoint.clear(folder)
    assert gone == ["step-00000001", "step-00000002", "step-00000003"]
    assert not folder.exists()
    checkpoint.clear(folder)  # nothing there is no fault


def test_the_newest_two_are_kept(loaded: LoadedModel, tmp_path: Path) -> None:
    training = stepped(loaded, 1)
    assert checkpoint.load_latest(tmp_path, *training, "mine") is None
    for step in (5, 10, 15, 100):
        checkpoint.save(tmp_path, Position(step, step), *training, fingerprint="mine", kept=2)
    assert names(tmp_path) == ["step-00000015", "step-00000100"]
    checkpoint.save(
        tmp_path, Position(100, 7), *training, fingerprint="mine", kept=2
    )  # the same step once more
    assert checkpoint.load_latest(tmp_path, *training, "mine") == Position(100, 7)


def test_what_a_killed_process_was_writing_is_removed(loaded: LoadedModel, tmp_path: Path) -> None:
    training = stepped(loaded, 1)
    checkpoint.save(tmp_path, Position(5, 5), *training, fingerprint="mine", kept=2)
    shutil.copytree(tmp_path / "step-00000005", tmp_path / ".building-12345-step-00000010")
    remove_stale_parts(
        tmp_path
    )  # the pipeline clears single files first, and must not stumble over a folder
    assert checkpoint.load_latest(tmp_path, *training, "mine") == Position(5, 5)
    assert names(tmp_path) == ["step-00000005"]


def test_another_trainings_checkpoints_are_deleted_and_not_resumed(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    training = stepped(loaded, 1)
    checkpoint.save(tmp_path, Position(5, 5), *training, fingerprint="mine", kept=2)
    checkpoint.save(tmp_path, Position(9, 9), *training, fingerprint="another", kept=2)
    before = dict(state(training))
    assert checkpoint.load_latest(tmp_path, *training, "mine") == Position(5, 5)
    assert names(tmp_path) == ["step-00000005"]
    assert checkpoint.load_latest(tmp_path, *training, "third") is None
    assert names(tmp_path) == []
    assert equal(state(training), before)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def swap(path: Path) -> None:
    """A good file of something else."""
    adapter.save_arrays({"step": mx.array(3)}, path.with_suffix(".safetensors"))
    path.with_suffix(".safetensors").replace(path)


def cut_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize(
    "damage", [truncate, cut_header, swap, Path.unlink, lambda path: path.write_text("[]")]
)
def test_a_damaged_checkpoint_is_a_clear_error(
    loaded: LoadedModel, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    training = stepped(loaded, 1)
    checkpoint.save(tmp_path, Position(5, 5), *training, fingerprint="mine", kept=2)
    damage(tmp_path / "step-00000005" / name)
    with pytest.raises(RunError, match=r"step-00000005.*damaged checkpoint") as caught:
        checkpoint.load_latest(tmp_path, *training, "mine")
    assert str(tmp_path / "step-00000005") in str(caught.value.hint)


STATE = {"step": 5, "tokens": 5, "waited": 0, "ended": False, "best": None, "fingerprint": "mine"}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"step": 5}',
        *(
            json.dumps({key: value for key, value in STATE.items() if key != missing})
            for missing in STATE
        ),
        *(json.dumps({**STATE, key: "5"}) for key in ("step", "tokens", "waited", "ended", "best")),
        json.dumps({**STATE, "ended": 1}),
        json.dumps({**STATE, "step": True}),
        json.dumps({**STATE, "fingerprint": 3}),
        json.dumps({**STATE, "best": {"step": 1, "accuracy": None}}),
        json.dumps({**STATE, "best": {"step": 1, "loss": "low", "accuracy": None}}),
    ],
)
def test_a_state_without_its_values_is_damaged(
    loaded: LoadedModel, tmp_path: Path, text: str
) -> None:
    training = stepped(loaded, 1)
    checkpoint.save(tmp_path, Position(5, 5), *training, fingerprint="mine", kept=2)
    path = tmp_path / "step-00000005" / "state.json"
    assert json.loads(path.read_text()) == STATE
    path.write_text(text)
    with pytest.raises(RunError, match="damaged checkpoint"):
        checkpoint.load_latest(tmp_path, *training, "mine")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writes beyond `size` bytes of a file fail, as they do on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [10, 4000])
def test_a_full_disk_is_a_clear_error_and_the_last_checkpoint_survives(
    loaded: LoadedModel, tmp_path: Path, size: int
) -> None:
    training = stepped(loaded, 1)
    checkpoint.save(tmp_path, Position(5, 5), *training, fingerprint="mine", kept=2)
    saved = dict(state(training))
    later = stepped(loaded, 2)
    with pytest.raises(StorageError, match="cannot be written") as caught, largest_file(size):
        checkpoint.save(tmp_path, Position(10, 10), *later, fingerprint="mine", kept=2)
    assert "resumes" in str(caught.value.hint)
    assert names(tmp_path) == ["step-00000005"]  # and its room is free again
    assert checkpoint.load_latest(tmp_path, *later, "mine") == Position(5, 5)
    assert equal(state(later), saved)
