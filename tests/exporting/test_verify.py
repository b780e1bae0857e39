"""The exported folder, read by transformers + PEFT, against MLX."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from augmlx.cli.export import export
from augmlx.core.errors import ModelError, RunError
from augmlx.core.files import write_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import mlx_reader, transformers_reader, verify
from augmlx.exporting.comparison import Material, Record
from augmlx.exporting.gguf_files import keys
from augmlx.exporting.peft import export_peft
from augmlx.exporting.trained_matrices import read_tensors
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel

from .architectures import CHAT, write_talking_base
from .support import CONFIG, MATERIAL, save_adapter, spec_of, tiny_base, trained_run

Tensors = dict[str, np.ndarray]
RANKS = (("mlp.down_proj", 1), ("self_attn.q_proj", 3))


def exported(tmp_path: Path, **changes: object) -> tuple[StoredModel, Path, Record]:
    """A base, a PEFT folder, and what MLX says with the adapter."""
    base, adapter, peft = tiny_base(tmp_path / "base"), tmp_path / "adapter", tmp_path / "peft"
    save_adapter(base, spec_of(**changes), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    return base, peft, mlx_reader.record(base, adapter, MATERIAL)


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
    base, peft, tuned = exported(tmp_path, **changes)
    found = verify.verify_peft(peft, base.path, tuned, bound=1e-4)
    assert found.max_difference <= 1e-4
    assert (found.argmax_agreement, found.positions, found.prompts) == (1.0, 16, 3)
    assert (found.same_answers, found.answers) == (2, 2)
    # The adapter is no ornament: without it the same prompts give other logits.
    with pytest.raises(ModelError, match="greatest logit difference"):
        verify.verify_peft(peft, base.path, mlx_reader.record(base, None, MATERIAL))


@pytest.mark.hf
@pytest.mark.parametrize("changes", [{}, {"kind": "dora"}])
def test_an_adapter_of_a_quantised_base_says_the_same_over_the_full_one(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    adapter, peft = tmp_path / "adapter", tmp_path / "peft"
    save_adapter(tiny_base(tmp_path / "four", bits=4), spec_of(**changes), adapter)
    export_peft(adapter, read_spec(adapter), peft)
    base = tiny_base(tmp_path / "base")
    record = mlx_reader.record(base, adapter, MATERIAL)
    assert verify.verify_peft(peft, base.path, record, bound=1e-4).prompts == 3


@pytest.mark.hf
def test_weights_that_peft_does_not_find_are_a_fault(tmp_path: Path) -> None:
    base, peft, record = exported(tmp_path, layers=2)
    config = json.loads((peft / "adapter_config.json").read_text())
    del config["layers_to_transform"], config["layers_pattern"]
    (peft / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="PEFT warns: Found missing adapter keys"):
        verify.verify_peft(peft, base.path, record)


def _transposed(tensors: Tensors) -> None:
    name = next(name for name in tensors if "0.mlp.down_proj.lora_B" in name)
    tensors[name] = tensors[name].T


def _exchanged(tensors: Tensors) -> None:
    """A for B and B for A, transposed: where in and out are alike, it loads."""
    lora_a = next(name for name in tensors if "0.self_attn.q_proj.lora_A" in name)
    lora_b = lora_a.replace("lora_A", "lora_B")
    tensors[lora_a], tensors[lora_b] = tensors[lora_b].T, tensors[lora_a].T


def _permuted(tensors: Tensors) -> None:
    """Rows of q in llama.cpp's order."""
    name = next(name for name in tensors if "0.self_attn.q_proj.lora_B" in name)
    tensors[name] = keys.permute(tensors[name], CONFIG["num_attention_heads"])


def _swapped_layers(tensors: Tensors) -> None:
    first, second = (f"base_model.model.model.layers.{n}.mlp.up_proj.lora_A.weight" for n in (0, 1))
    tensors[first], tensors[second] = tensors[second], tensors[first]


def _dropped_layer(tensors: Tensors) -> None:
    for name in [name for name in tensors if "layers.1." in name]:
        del tensors[name]


@pytest.mark.hf
@pytest.mark.parametrize(
    "fault", [_transposed, _exchanged, _permuted, _swapped_layers, _dropped_layer]
)
def test_a_fault_in_the_weights_of_peft_is_caught(
    tmp_path: Path, fault: Callable[[Tensors], None]
) -> None:
    base, peft, record = exported(tmp_path)
    verify.verify_peft(peft, base.path, record)
    tensors = read_tensors(peft / "adapter_model.safetensors")
    fault(tensors)
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(whole, peft / "adapter_model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError):
        verify.verify_peft(peft, base.path, record)


@pytest.mark.hf
def test_a_wrong_scale_of_peft_is_caught(tmp_path: Path) -> None:
    base, peft, record = exported(tmp_path)
    config = json.loads((peft / "adapter_config.json").read_text())
    for wrong in ({"lora_alpha": 20 * config["lora_alpha"]}, {"use_rslora": True}):
        (peft / "adapter_config.json").write_text(json.dumps({**config, **wrong}))
        with pytest.raises(ModelError, match="PEFT and MLX disagree"):
            verify.verify_peft(peft, base.path, record)


@pytest.mark.hf
def test_another_tokenizer_is_caught(tmp_path: Path) -> None:
    base, peft, record = exported(tmp_path)
    path = base.path / "tokenizer.json"
    described = json.loads(path.read_text())
    words = described["model"]["vocab"]
    words["Lab"], words["lamp"] = words["lamp"], words["Lab"]
    path.write_text(json.dumps(described))
    with pytest.raises(ModelError, match="cuts texts otherwise"):
        verify.verify_peft(peft, base.path, record)


def test_a_base_that_is_asked_otherwise_is_caught(tmp_path: Path) -> None:
    trained_on, other = (write_talking_base(tmp_path / name) for name in ("trained", "other"))
    verify.require_same_chat(other, trained_on)
    about = json.loads((other.path / "tokenizer_config.json").read_text())
    about["chat_template"] = CHAT.replace("Be good.", "Be bad.")
    (other.path / "tokenizer_config.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match="puts a question otherwise") as caught:
        verify.require_same_chat(other, trained_on)
    assert "--base-folder" in str(caught.value.hint)


@pytest.mark.hf
def test_a_nan_never_passes(tmp_path: Path) -> None:
    base, peft, record = exported(tmp_path)
    first, *others = record.readings
    broken = dataclasses.replace(first, logits=first.logits * np.nan)
    with pytest.raises(ModelError, match="difference nan"):
        verify.verify_peft(peft, base.path, Record((broken, *others)))


@pytest.mark.hf
def test_the_command_exports_verifies_and_prints_no_text_of_the_user(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    run = trained_run(tmp_path / "run", base)
    save_adapter(base, spec_of(), run.adapter)
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


@pytest.mark.hf
def test_what_the_quantised_base_itself_says_is_told_besides(tmp_path: Path) -> None:
    four = tiny_base(tmp_path / "four", bits=4)
    run = trained_run(tmp_path / "run", four)
    save_adapter(four, spec_of(), run.adapter)
    base = tiny_base(tmp_path / "base")
    options = ["--verify", "--base-folder", str(base.path), "--json"]
    result = CliRunner().invoke(export, [str(run.path), *options])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["verification"]
    assert found["max_difference"] <= 1e-4
    assert re.fullmatch(
        r"over four itself: greatest logit difference .*, argmax agreement .* %", found["notes"][0]
    )
    refused = CliRunner().invoke(export, [str(run.path), "--verify"])
    assert isinstance(refused.exception, ModelError)


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
        transformers_reader.load_peft(Path("a"), Path("b"))
    assert caught.value.hint == "pip install 'augmlx[hf]'"


def test_prompts_are_spread_over_facts_and_augmentations_and_cut(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_jsonl(run.facts, ({"text": f"fact {n} " + "x" * 3000} for n in range(20)))
    write_jsonl(run.augmented, ({"text": text} for text in ("one", " ", "two")))
    write_jsonl(run.questions, ({"prompt": f"Who is {n}?"} for n in range(9)))
    texts, questions = dataclasses.astuple(verify.material_of(run))
    assert [text.split()[1] for text in texts[:-2]] == ["0", "3", "6", "9", "12", "15", "18"]
    assert texts[-2:] == ["one", "two"]
    assert max(map(len, texts)) == 500
    assert questions == [f"Who is {n}?" for n in (0, 2, 4, 6, 8)]
    assert verify.material_of(RunFolder(tmp_path / "empty")) == Material([], [])
