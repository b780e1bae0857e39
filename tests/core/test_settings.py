"""augmlx.toml: nothing is ignored, a flag wins over the file, and what is written is read back."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.cli import common
from augmlx.core.errors import BadSettings, StorageError
from augmlx.core.settings import (
    AugmentSettings,
    EvalSettings,
    MemorySettings,
    Settings,
    SplitSettings,
    TrainSettings,
)
from augmlx.core.settings_file import load, save, to_toml


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "augmlx.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


BAD = {
    "unknown key": ("[train]\nepoch = 3\n", "train.epoch: unknown setting"),
    "unknown section": ("[trian]\nepochs = 3\n", "trian: unknown setting"),
    "unknown top key": ("modle = 'x'\n", "modle: unknown setting"),
    "a key in the wrong section": ("epochs = 3\n", "epochs: unknown setting"),
    "word for a number": (
        "[train]\nepochs = 'many'\n",
        "train.epochs: input should be a valid integer",
    ),
    "fraction for a whole number": (
        "[train]\nepochs = 1.5\n",
        "train.epochs: input should be a valid integer",
    ),
    "list for a number": ("seed = [1]\n", "seed: input should be a valid integer"),
    "number for a word": ("model = 3\n", "model: input should be a valid string"),
    "word for a list": (
        "[augment]\noperators = 'reversal'\n",
        "augment.operators: write a list, such as",
    ),
    "value for a section": ("train = 3\n", "train: input should be a valid dictionary"),
    "out of range": (
        "[train]\nepochs = 0\n",
        "train.epochs: input should be greater than or equal to 1",
    ),
    "not a number": ("[train]\nscale = nan\n", "train.scale: input should be"),
    "unknown arm": (
        "[eval]\narms = ['base', 'best']\n",
        "eval.arms.1: input should be 'base', 'icl'",
    ),
    "neither number nor auto": ("[split]\ntest = 'some'\n", "split.test: input should be"),
    "a rank of nothing": (
        "[train]\nranks = { down_proj = 0 }\n",
        "train.ranks.down_proj: input should be greater",
    ),
    "a rank without a number": (
        "[train]\nranks = { down_proj = 'all' }\n",
        "train.ranks.down_proj: input should be",
    ),
    "ranks without names": (
        "[train]\nranks = [8]\n",
        "train.ranks: input should be a valid dictionary",
    ),
    "a rank for every target": (
        "[train]\nranks = 8\n",
        "train.ranks: input should be a valid dictionary",
    ),
    "unknown method": (
        "[train]\nmethod = 'qlora'\n",
        "train.method: input should be 'lora', 'dora' or 'full'",
    ),
    "unknown optimizer": (
        "[train]\noptimizer = 'lion'\n",
        "train.optimizer: input should be 'adam', 'adamw'",
    ),
    "unknown schedule": (
        "[train]\nschedule = 'step'\n",
        "train.schedule: input should be 'linear'",
    ),
    "too long cut": (
        "[train]\ntoo_long = 'cut'\n",
        "train.too_long: input should be 'refuse' or 'split'",
    ),
    "no batch a step": (
        "[train]\naccumulate = 0\n",
        "train.accumulate: input should be greater than or equal to 1",
    ),
    "negative clip": (
        "[train]\nclip = -1.0\n",
        "train.clip: input should be greater than or equal to 0",
    ),
    "unknown reporter": (
        "[train]\nreport_to = ['mail']\n",
        "train.report_to.0: input should be 'wandb'",
    ),
    "wired for a word": ("[memory]\nwired = 'all'\n", "memory.wired: input should be"),
    "negative cache": (
        "[memory]\ncache = -1\n",
        "memory.cache: input should be greater than or equal to 0",
    ),
    "adam that decays": (
        "[train]\nweight_decay = 0.1\n",
        "train: adam has no weight decay; write optimizer = adamw",
    ),
    "muon at a rate for adam": (
        "[train]\noptimizer = 'muon'\n",
        "train: the learning rate for muon must be named: the rule of auto is for adam",
    ),
    "sgd at a rate for adam": (
        "[train]\noptimizer = 'sgd'\n",
        "train: the learning rate for sgd must be named: the rule of auto is for adam",
    ),
    "patience without a measure": (
        "[train]\npatience = 3\n",
        "train: patience needs a best other than off, to tell what is better",
    ),
    "full with ranks": (
        "[train]\nmethod = 'full'\nranks = { down_proj = 8 }\n",
        "train: train.ranks is of adapters, and method full has none: leave it at {}",
    ),
    "full with dropout": (
        "[train]\nmethod = 'full'\ndropout = 0.1\n",
        "train: train.dropout is of adapters, and method full has none: leave it at 0.0",
    ),
    "full with a rank": (
        "[train]\nmethod = 'full'\nrank = 8\n",
        "train: train.rank is of adapters, and method full has none: leave it at 16",
    ),
    "full with a scale": (
        "[train]\nmethod = 'full'\nscale = 1.0\n",
        "train: train.scale is of adapters, and method full has none: leave it at 2.0",
    ),
    "torn": ("[train\n", "not valid TOML: "),
    "key twice": ("seed = 1\nseed = 2\n", "not valid TOML: "),
    "not UTF-8": (b"model = 'caf\xe9'\n", "not valid TOML: "),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_its_path_the_key_and_the_reason(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    path = written(tmp_path, content)
    with pytest.raises(BadSettings) as caught:
        load(path)
    assert caught.value.message.startswith(f"{path}: {message}")
    assert caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "adafactor", "weight_decay": 0.1},
        {"optimizer": "muon", "learning_rate": 0.01, "weight_decay": 0.1},
        {"optimizer": "sgd", "learning_rate": 0.01, "weight_decay": 0.1},
        {"best": "loss", "patience": 3},
        {"best": "accuracy", "patience": 3},
        {"best": "loss"},
        {"method": "dora", "ranks": {"down_proj": 32}, "dropout": 0.1},
        {"method": "full"},
    ],
)
def test_what_fits_together_is_taken(changes: dict[str, Any]) -> None:
    train = load(None, {f"train.{key}": value for key, value in changes.items()}).train
    assert {key: getattr(train, key) for key in changes} == changes


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "[train]\nepochs = 0\nrunk = 3\n[split]\ntest = 'some'\n")
    with pytest.raises(BadSettings) as caught:
        load(path)
    assert {line.split(": ")[1] for line in caught.value.message.splitlines()} == {
        "train.epochs",
        "train.runk",
        "split.test",
    }


def test_a_missing_file_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        load(tmp_path / "no.toml")
    assert load(written(tmp_path, "")) == load(None) == Settings()


@pytest.mark.parametrize("key", ["train.epoch", "trian.epochs", "epochs", "a.b.c"])
def test_an_unknown_override_is_refused(key: str) -> None:
    with pytest.raises(BadSettings, match="unknown setting"):
        load(None, {key: 3})


def test_an_override_of_a_section_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="train: input should be"):
        load(written(tmp_path, "train = 3\n"), {"train.epochs": 2})


def test_defaults_then_file_then_overrides(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 5\n[train]\nepochs = 7\nrank = 4\n")
    settings = load(path, {"train.rank": 9, "model": "other", "eval.arms": ("base",)})
    assert (settings.model, settings.seed, settings.eval.arms) == ("other", 5, ("base",))
    assert (settings.train.epochs, settings.train.rank) == (7, 9)
    assert settings.train.batch_size == TrainSettings().batch_size


def test_tables_and_lists_can_be_set_on_the_command_line() -> None:
    pairs = (
        "train.ranks={down_proj=32}",
        'train.targets=["*_proj"]',
        "memory.cache=0",
        "train.too_long=split",
        "train.dropout=.5",
    )
    settings = load(None, common.overrides(None, None, pairs))
    assert settings.train.ranks == {"down_proj": 32}
    assert (settings.train.targets, settings.train.too_long) == (("*_proj",), "split")
    assert settings.train.dropout == 0.5
    assert (settings.memory.cache, settings.memory.wired) == (0, "auto")
    settings = load(
        None, common.overrides(None, None, ('train.ranks={"self_attn.*"=8, down_proj=32}',))
    )
    assert list(settings.train.ranks.items()) == [("self_attn.*", 8), ("down_proj", 32)]
    with pytest.raises(BadSettings, match=r"train\.ranks: input should be a valid dictionary"):
        load(None, common.overrides(None, None, ("train.ranks={down_proj}",)))


def test_what_decides_no_weight_is_not_part_of_what_is_learnt() -> None:
    plain = TrainSettings()
    for change in ({"checkpoint_every": 3}, {"checkpoints": 5}, {"report_to": ("wandb",)}):
        assert TrainSettings.model_validate(change).learnt == plain.learnt
    for change in (
        {"ranks": {"down_proj": 32}},
        {"too_long": "split"},
        {"turns": "last"},
        {"schedule": "cosine"},
    ):
        assert TrainSettings.model_validate(change).learnt != plain.learnt


def test_an_unset_override_is_no_override_and_zero_survives(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 5\n[train]\ndropout = 0.5\n[split]\ntest = 0.25\n")
    assert load(path, {"seed": None, "train.dropout": None}) == load(path)
    settings = load(path, {"seed": 0, "train.dropout": 0.0, "split.test": 0})
    assert (settings.seed, settings.train.dropout, settings.split.test) == (0, 0.0, 0.0)
    assert (load(path).seed, load(path).train.dropout, load(path).split.test) == (5, 0.5, 0.25)


def test_a_file_to_start_from_leaves_open_what_calibration_chooses(tmp_path: Path) -> None:
    path = tmp_path / "augmlx.toml"
    path.write_text(to_toml(Settings(), to_be_measured=True), "utf-8")
    loaded = load(path)
    assert loaded == Settings()
    fields = set(AugmentSettings.model_fields)
    assert fields >= AugmentSettings.CALIBRATED
    assert loaded.augment.model_fields_set == fields - AugmentSettings.CALIBRATED


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().train.epochs = 3


def test_every_setting_is_described_and_its_default_is_valid() -> None:
    assert load(None, Settings().model_dump()) == Settings()
    written_keys = re.findall(r"# .{10,}\n(\w+) = ", to_toml(Settings()))
    sections = [AugmentSettings, SplitSettings, TrainSettings, EvalSettings, MemorySettings]
    assert sorted(written_keys) == sorted(
        ["model", "seed", *(key for s in sections for key in s.model_fields)]
    )


words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
names = st.lists(words, min_size=1, max_size=3, unique=True).map(tuple)
share = st.floats(0, 0.5, exclude_max=True)
positive = st.floats(0, 1e300, exclude_min=True)
varied = st.builds(
    Settings,
    model=words,
    seed=st.integers(0, 2**70),
    augment=st.builds(
        AugmentSettings,
        operators=names,
        samples=st.integers(1, 256),
        temperature=st.floats(0, 4, exclude_min=True),
        top_p=st.floats(0, 1, exclude_min=True),
        vote_share=st.floats(0, 1),
    ),
    split=st.builds(SplitSettings, test=share | st.just("auto"), valid=share),
    train=st.builds(
        TrainSettings,
        ranks=st.dictionaries(words, st.integers(1, 1024), max_size=3),
        scale=positive,
        dropout=share,
        targets=names,
        optimizer=st.sampled_from(["adamw", "adafactor"]),
        weight_decay=st.floats(0, 1),
        learning_rate=positive | st.just("auto"),
        clip=positive | st.just(0.0),
        best=st.sampled_from(["loss", "accuracy"]),
        patience=st.integers(0, 9),
        checkpoint_layers=st.booleans(),
        report_to=st.lists(st.sampled_from(["wandb", "swanlab", "tensorboard"]), unique=True).map(
            tuple
        ),
    ),
    eval=st.builds(
        EvalSettings, arms=st.just(("icl",)), choices=st.integers(2, 26), score=st.just("sum")
    ),
    memory=st.builds(
        MemorySettings, wired=positive | st.just("auto"), cache=positive | st.just(0.0)
    ),
)


@given(varied)
def test_what_is_written_is_read_back_the_same(settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "augmlx.toml"
        save(settings, path)
        assert load(path) == settings
        assert to_toml(load(path)) == path.read_bytes().decode()


FAULTS: dict[str, tuple[bytes | str, dict[str, Any]]] = {
    "infinite": ("[train]\nscale = inf\n", {}),
    "test share above 1": ("[split]\ntest = 1.5\n", {}),
    "negative test share": ("[split]\ntest = -0.1\n", {}),
    "negative learning rate": ("[train]\nlearning_rate = -1.0\n", {}),
    "learning rate zero": ("[train]\nlearning_rate = 0\n", {}),
    "decay above 1": ("[train]\noptimizer = 'adamw'\nweight_decay = 1.5\n", {}),
    "a rank without a target": ("[train]\nranks = { '' = 8 }\n", {}),
    "reporter twice": ("[train]\nreport_to = ['wandb', 'wandb']\n", {}),
    "endless memory": ("[memory]\nwired = inf\n", {}),
    "no layers": ("[train]\nlayers = 0\n", {}),
    "nothing held in training": ("[split]\ntest = 0.6\nvalid = 0.6\n", {}),
    "no operators, arms or targets": ("[eval]\narms = []\n", {}),
    "arm twice": ("[eval]\narms = ['base', 'base']\n", {}),
    "endless number": ("seed = " + "1" * 5000 + "\n", {}),
    "nested without end": ("model = " + "[" * 5000 + "\n", {}),
    "truth for a number": ("[train]\nepochs = true\n", {}),
    "number in quotes": ("[train]\nepochs = '12'\n", {}),
    "lone surrogate from a shell": ("", {"model": "caf\udce9"}),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_meant_is_refused(case: str, tmp_path: Path) -> None:
    content, overrides = FAULTS[case]
    with pytest.raises(BadSettings):
        load(written(tmp_path, content), overrides)


def test_a_bad_flag_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 5\n")
    with pytest.raises(BadSettings) as caught:
        load(path, {"train.epochs": 0})
    assert str(path) not in caught.value.message
    assert "train.epochs" in caught.value.message


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert load(written(tmp_path, b"\xef\xbb\xbfseed = 5\n")).seed == 5


@pytest.mark.parametrize(
    ("key", "meant"), [("epochs", "train.epochs"), ("train.epoch", "train.epochs")]
)
def test_a_setting_without_its_section_is_known_by_its_name(key: str, meant: str) -> None:
    with pytest.raises(BadSettings, match=f"unknown setting; did you mean {meant}"):
        load(None, {key: 3})


def test_a_setting_of_before_that_asked_for_nothing_is_read_over_and_one_that_did_is_told(
    tmp_path: Path,
) -> None:
    assert load(written(tmp_path, '[split]\nreplay = ""\nreplay_share = 0.05\n')) == Settings()
    with pytest.raises(BadSettings, match=r"split\.replay: is no setting any more"):
        load(written(tmp_path, '[split]\nreplay = "self"\n'))


def test_a_run_of_before_a_setting_is_as_it_was_trained(tmp_path: Path) -> None:
    older = to_toml(Settings()).splitlines()
    older = [line for line in older if not line.startswith("average = ")]
    path = tmp_path / "augmlx.toml"
    path.write_text("\n".join(older))
    assert load(path).train.average == Settings().train.average > 0  # a file to begin with
    (tmp_path / "manifest.json").write_text("{}")
    assert load(path).train.average == 0
    assert "average" not in load(path).train.learnt
    assert load(path, {"train.average": 0.3}).train.learnt["average"] == 0.3
    save(Settings(), path)
    assert load(path) == Settings()


def test_anchors_that_have_no_weight_are_refused() -> None:
    with pytest.raises(BadSettings, match="give it a weight"):
        load(None, {"train.anchors": "texts.txt", "train.anchor": 0})
    assert load(None, {"train.anchors": "texts.txt"}).train.anchor > 0
