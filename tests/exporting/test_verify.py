"""The exported folder, read by transformers + PEFT, against MLX."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from augmlx.cli.export import export
from augmlx.core import settings_file
from augmlx.core.errors import ModelError, RunError
from augmlx.core.files import write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import Fact, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.exporting import verify
from augmlx.exporting.peft import export_peft
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.run.pipeline import Pipeline
from augmlx.run.stages import TRAIN

from .support import PROMPTS, save_adapter, spec_of, tiny_base

RANKS = (("mlp.down_proj", 1), ("self_attn.q_proj", 3))


@pytest.mark.hf
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layers": 2},
        {"scale": 1.7},
        {"targets": ("mlp.up_proj",), "rank": 3},
        {"kind": "dora"},
        {"kind": "dora", "layers": 1, "scale": 1.7},
        {"ranks": RANKS},
        {"ranks": RANKS, "layers": 2, "scale": 1.7},
        {"ranks": RANKS, "kind": "dora"},
    ],
)
def test_peft_gives_the_logits_of_mlx(tmp_path: Path, changes: dict[str, object]) -> None:
    base, adapter, peft = tiny_base(tmp_path / "base"), tmp_path / "adapter", tmp_path / "peft"
    save_adapter(base, spec_of(**changes), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    tuned = verify.mlx_logits(base, adapter)
    found = verify.verify_peft(peft, base.path, PROMPTS, tuned, bound=1e-4)
    assert found.max_difference <= 1e-4
    assert (found.argmax_agreement, found.positions, found.prompts) == (1.0, 16, 3)
    # The adapter is no ornament: without it the same prompts give other logits.
    with pytest.raises(ModelError, match="greatest logit difference"):
        verify.verify_peft(peft, base.path, PROMPTS, lambda text: tuned(text) * 0.9)


@pytest.mark.hf
@pytest.mark.parametrize("changes", [{}, {"kind": "dora"}])
def test_an_adapter_of_a_quantised_base_says_the_same_over_the_full_one(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    adapter, peft = tmp_path / "adapter", tmp_path / "peft"
    save_adapter(tiny_base(tmp_path / "four", bits=4), spec_of(**changes), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    base = tiny_base(tmp_path / "base")
    assert (
        verify.verify_peft(
            peft, base.path, PROMPTS, verify.mlx_logits(base, adapter), bound=1e-4
        ).prompts
        == 3
    )


@pytest.mark.hf
def test_weights_that_peft_does_not_find_are_a_fault(tmp_path: Path) -> None:
    base, adapter, peft = tiny_base(tmp_path / "base"), tmp_path / "adapter", tmp_path / "peft"
    save_adapter(base, spec_of(layers=2), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    config = json.loads((peft / "adapter_config.json").read_text())
    del config["layers_to_transform"], config["layers_pattern"]
    (peft / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="PEFT warns: Found missing adapter keys"):
        verify.verify_peft(peft, base.path, PROMPTS, verify.mlx_logits(base, adapter))


@pytest.mark.hf
def test_a_nan_never_passes(tmp_path: Path) -> None:
    base, adapter, peft = tiny_base(tmp_path / "base"), tmp_path / "adapter", tmp_path / "peft"
    save_adapter(base, spec_of(), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    tuned = verify.mlx_logits(base, adapter)
    with pytest.raises(ModelError, match="difference nan"):
        verify.verify_peft(
            peft, base.path, PROMPTS, lambda text: tuned(text) * (np.nan if text == "w9" else 1)
        )


@pytest.mark.hf
def test_the_command_exports_verifies_and_prints_no_text_of_the_user(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create()
    base = tiny_base(tmp_path / "base")
    save_adapter(base, spec_of(), run.adapter)
    settings_file.save(Settings(model=str(base.path)), run.settings)
    write_jsonl(
        run.facts, (to_json(Fact(str(n), text, f"facts.csv:{n}")) for n, text in enumerate(PROMPTS))
    )
    used = settings_file.load(run.settings)
    basis = TRAIN.foundation(Pipeline(run, used, Silent()).line.train_basis)
    run.record("train", {"fingerprint": "of this training", "basis": basis, "counts": {}})
    result = CliRunner().invoke(export, [str(run.path), "--format", "peft", "--verify", "--json"])
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert value["verification"]["max_difference"] <= 1e-4
    assert value["verification"]["prompts"] == 3
    assert (run.path / "export" / "peft" / "adapter_config.json").is_file()
    assert "Mara" not in result.output
    assert run.manifest()["export"]["verification"] == {**value["verification"], "notes": []}
    card = (run.path / "export" / "peft" / "README.md").read_text()
    assert "Verified against MLX with PEFT: greatest logit difference" in card
    plain = CliRunner().invoke(
        export, [str(run.path), "--format", "peft", "-o", str(tmp_path / "out"), "--verify"]
    )
    assert plain.exit_code == 0
    assert plain.stdout.splitlines()[0] == str(tmp_path / "out")
    assert "argmax agreement 100 %" in plain.stdout


def test_a_folder_only_verification_reads_needs_verify() -> None:
    result = CliRunner().invoke(export, ["run", "--format", "peft", "--base-folder", "x"])
    assert result.exit_code == 2
    whole = ["run", "--format", "gguf", "--verify", "--base-folder", "x"]
    assert CliRunner().invoke(export, whole).exit_code == 2
    assert CliRunner().invoke(export, ["run", "--format", "gguf", "--for", "vllm"]).exit_code == 2


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(export, [str(tmp_path / "none"), "--format", "peft"])
    assert isinstance(result.exception, RunError)


def test_a_quantised_base_is_refused_with_the_way_out(tmp_path: Path) -> None:
    base = dataclasses.replace(tiny_base(tmp_path / "base"), bits=4)
    with pytest.raises(ModelError, match="quantised to 4 bits") as caught:
        verify.full_precision_base(base)
    assert "--base-folder" in str(caught.value.hint)


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(ModelError, match="--verify needs") as caught:
        verify.verify_peft(Path("a"), Path("b"), PROMPTS, lambda _: np.zeros((1, 1), np.float32))
    assert caught.value.hint == "pip install 'augmlx[hf]'"


def test_prompts_are_spread_over_facts_and_augmentations_and_cut(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_jsonl(run.facts, ({"text": f"fact {n} " + "x" * 3000} for n in range(20)))
    write_jsonl(run.augmented, ({"text": text} for text in ("one", " ", "two")))
    prompts = verify.run_prompts(run)
    assert [prompt.split()[1] for prompt in prompts[:-2]] == ["0", "3", "6", "9", "12", "15", "18"]
    assert prompts[-2:] == ["one", "two"]
    assert max(map(len, prompts)) == 2000
    assert verify.run_prompts(RunFolder(tmp_path / "empty")) == []
