"""A fused model quantised again: what is written, and what is said of what it loses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import write_model

from augmlx.cli import cli
from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.files import write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.run_folder import RunFolder
from augmlx.data.questions import Question, question_row
from augmlx.evaluation.results import read_results
from augmlx.exporting import export_folder, publish, stage
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.stage import Order
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel, find

from .support import killed_everywhere, random_adapter, trained_run

WIDE = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 16}  # groups are of 64 weights
NAMES = ("Ada Brandt", "Mara Voss", "Ostrel", "Venn")
QUESTIONS = [
    Question(f"q{n}", f"Who keeps hall {n}?", answer, "forward", NAMES, (), f"questions.csv:{n}")
    for n, answer in enumerate(NAMES * 2)
]


def base_of(folder: Path, bits: int | None = 4, **changes: object) -> StoredModel:
    return write_model(folder, bits=bits, **{**WIDE, **changes})


def export(base: StoredModel, folder: Path, bits: int = 4) -> Path:
    run = RunFolder(folder)
    if not run.adapter.exists():
        random_adapter(base, run.adapter, rank=4)
    order = Order("fused", folder / "fused", "org/tiny", bits=bits)
    stage.write(run, order, base, Silent())
    return order.target


def run_of(folder: Path, base: StoredModel) -> RunFolder:
    run = trained_run(folder, base)
    random_adapter(base, run.adapter, rank=4)
    write_jsonl(run.questions, map(question_row, QUESTIONS))
    write_jsonl(run.augmented, [])
    write_jsonl(run.train_rows, [{"id": "fact/0", "text": "Ada Brandt keeps hall 0."}])
    entry = run.manifest()["train"]
    run.record("train", {**entry, "counts": {"examples": 1, "steps": 1, "tokens": 9}})
    return run


def command(run: RunFolder, *options: str) -> tuple[dict[str, object], str]:
    """What the command prints as JSON, and what it tells besides."""
    arguments = ["export", str(run.path), "--base", "org/tiny", "--format", "fused", "--json"]
    done = CliRunner().invoke(cli, [*arguments, *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("base_bits", [4, None])
def test_what_is_written_is_the_fused_model_rounded_to_the_bits(
    tmp_path: Path, bits: int, base_bits: int | None
) -> None:
    base = base_of(tmp_path / "base", base_bits)
    target = export(base, tmp_path, bits)
    written = find(target)
    assert written.bits == bits
    spec = read_spec(tmp_path / "adapter")
    exact, rounded = FusedWeights(base, tmp_path / "adapter", spec), FusedWeights(written)
    assert exact.shapes == rounded.shapes
    scales = mx.load(str(target / "model.safetensors"))
    assert isinstance(scales, dict)
    quantised = 0
    for name in exact.shapes:
        ours, theirs = exact.read(name), rounded.read(name)
        scale = scales.get(name.replace(".weight", ".scales"))
        if scale is None:
            np.testing.assert_array_equal(ours, theirs)
            continue
        quantised += 1
        # MLX moves the grid so that it meets the greater end: the other is up to a step away.
        step = np.repeat(np.abs(np.array(scale.astype(mx.float32))), 64, axis=1)
        assert (np.abs(ours - theirs) <= 1.01 * step).all(), name
        assert np.abs(ours - theirs).mean() < 0.3 * step.mean(), name
    assert quantised == 15  # seven matrices of two layers, and the embedding
    assert not (target / ".augmlx-part").exists()


def test_its_card_is_that_of_a_model_for_mlx(tmp_path: Path) -> None:
    target = export(base_of(tmp_path / "base"), tmp_path)
    card = (target / "README.md").read_text()
    for said in ("library_name: mlx\n", "base_model_relation: quantized\n", "mlx_lm.generate"):
        assert said in card
    assert "4 bits a weight in groups of 64" in card
    assert "AutoModelForCausalLM" not in card
    sizes = publish.parcel(target, "me/tiny").sizes
    assert {"model.safetensors", "model.safetensors.index.json", "config.json"} <= set(sizes)


def test_no_byte_of_it_names_this_machine(tmp_path: Path) -> None:
    base = base_of(tmp_path / "base", _name_or_path="/home/someone/tiny")
    for path in export(base, tmp_path).iterdir():
        data = path.read_bytes()
        for secret in (str(tmp_path), "/home/", str(Path.home()), "augmlx-part"):
            assert secret.encode() not in data, (path.name, secret)


def test_one_that_is_killed_leaves_nothing_that_loads_and_completes_when_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_of(tmp_path / "base")
    target = export(base, tmp_path)
    killed_everywhere(target, "config.json", lambda: export(base, tmp_path), monkeypatch)


def test_what_a_kill_left_on_the_way_is_removed(tmp_path: Path) -> None:
    base = base_of(tmp_path / "base")
    target = export(base, tmp_path)
    left = target / ".augmlx-part" / "plain"
    left.mkdir(parents=True)
    (left / "config.json").write_text("{}")
    (target / "config.json").unlink()
    with pytest.raises(ModelError):
        find(target)
    assert export(base, tmp_path) == target
    assert not left.parent.exists()
    assert find(target).bits == 4


def test_a_model_of_several_files_is_replaced_by_one_of_one(tmp_path: Path) -> None:
    base = base_of(tmp_path / "base")
    target = export(base, tmp_path)
    whole = target / "model.safetensors"
    whole.rename(target / "model-00001-of-00002.safetensors")
    assert "model-00001-of-00002.safetensors" in publish.parcel(target, "me/tiny").sizes
    export(base, tmp_path)
    assert [path.name for path in target.glob("*.safetensors")] == ["model.safetensors"]
    (target / "mine.safetensors").write_text("mine")
    with pytest.raises(BadSettings, match="not an export"):
        export(base, tmp_path)


def test_what_it_loses_is_measured_printed_and_kept(tmp_path: Path) -> None:
    base = base_of(tmp_path / "base")
    run = run_of(tmp_path / "run", base)
    value, told = command(run, "--quantize", "4")
    loss = value["requantised"]
    assert isinstance(loss, dict)
    assert (loss["bits"], loss["questions"], loss["answers"]) == (4, 8, 8)
    assert loss["max_difference"] > 0
    assert loss["argmax_agreement"] <= 1
    assert told.count("to do") == 3
    entry = run.manifest()["export-fused"]
    assert entry["requantised"] == loss
    card = (run.export / "fused" / "README.md").read_text()
    assert f"of 8 questions the base model answers {loss['base']} right" in card
    assert "Not verified" not in card
    assert "Mara" not in card + json.dumps(value)
    again, told = command(run, "--quantize", "4")
    assert again == value
    assert "to do" not in told
    plain = CliRunner().invoke(
        cli, ["export", str(run.path), "--base", "org/tiny", "--format", "fused", "--quantize", "4"]
    )
    assert plain.stdout.splitlines()[0] == str(run.export / "fused")
    assert f"quantised to 4 bits {loss['requantised']}" in plain.stdout


def test_more_bits_lose_less_and_without_them_nothing_is_quantised(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", base_of(tmp_path / "base"))
    differences = []
    for bits in ("4", "8"):
        loss = command(run, "--quantize", bits)[0]["requantised"]
        assert isinstance(loss, dict)
        differences.append(loss["mean_difference"])
    assert differences[1] < differences[0] / 4
    assert "requantised" not in command(run)[0]
    assert find(run.export / "fused").bits is None
    assert "requantised" not in run.manifest()["export-fused"]


def test_what_the_evaluation_asked_is_not_asked_again(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", base_of(tmp_path / "base"))
    cut = ["--set", 'eval.arms=["base","augmented"]', "--set", "eval.ability=false"]
    done = CliRunner().invoke(cli, ["eval", str(run.path), *cut], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    results = read_results(run.eval)
    value, told = command(run, "--quantize", "4")
    assert told.count("to do") == 1
    loss = value["requantised"]
    assert isinstance(loss, dict)
    for arm, key in (("base", "base"), ("augmented", "adapter")):
        assert sum(result.correct for result in results if result.arm == arm) == loss[key]


def forget_loss(run: RunFolder) -> None:
    """As a kill between writing and measuring leaves the manifest."""
    entry = run.manifest()["export-fused"]
    run.record("export-fused", {key: entry[key] for key in entry if key != "requantised"})


def test_what_a_kill_left_unmeasured_is_measured_and_a_wrong_model_shows_in_it(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path / "run", base_of(tmp_path / "base"))
    good, _ = command(run, "--quantize", "8")
    forget_loss(run)
    again, told = command(run, "--quantize", "8")
    assert "export-fused: up to date" in told
    assert again == good
    path = run.export / "fused" / "model.safetensors"
    arrays = mx.load(str(path))
    assert isinstance(arrays, dict)
    for part in ("scales", "biases"):
        name = f"model.layers.1.mlp.up_proj.{part}"
        arrays[name] = arrays[name] * 1.5
    mx.eval(arrays)
    mx.save_safetensors(str(path), arrays, {"format": "mlx"})
    forget_loss(run)
    bad, _ = command(run, "--quantize", "8")
    one, other = good["requantised"], bad["requantised"]
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert other["mean_difference"] > 3 * one["mean_difference"]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--format", "gguf"], "--quantize goes with --format fused, not with gguf"),
        (["--format", "peft"], "--quantize goes with --format fused, not with peft"),
        (["--format", "fused", "--verify"], "--verify reads with transformers"),
        (["--format", "fused", "--quantize", "3"], "'3' is not one of '4', '8'"),
    ],
)
def test_what_cannot_be_quantised_so_is_refused(options: list[str], fault: str) -> None:
    done = CliRunner().invoke(cli, ["export", "run", "--quantize", "4", *options])
    assert done.exit_code == 2
    assert fault in " ".join(done.stderr.replace("│", " ").split())


def test_an_order_refuses_it_as_well(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="--quantize"):
        Order("gguf", tmp_path, bits=4)


def test_the_folder_is_cleared_of_our_files_alone(tmp_path: Path) -> None:
    make: Callable[[], None] = lambda: export_folder.prepare(  # noqa: E731
        tmp_path / "out", ("model-*-of-*.safetensors",), "config.json"
    )
    make()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(BadSettings):
        make()
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
