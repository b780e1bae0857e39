"""PEFT's adapters in mlx-lm: the same logits, and what was exported comes back bit for bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from augmlx.cli import cli
from augmlx.core.errors import BadSettings, ModelError
from augmlx.exporting import mlx_reader, verify
from augmlx.exporting.importing import import_peft
from augmlx.exporting.peft import export_peft
from augmlx.exporting.trained_matrices import read_tensors
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel

from .support import MATERIAL, largest_difference, save_adapter, spec_of, tiny_base

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first

RANKS = (("mlp.down_proj", 1), ("self_attn.q_proj", 3))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layers": 2},
        {"kind": "dora"},
        {"ranks": RANKS},
        {"ranks": RANKS, "kind": "dora", "layers": 1},
        {"rank": 10, "scale": 0.3},
    ],
)
def test_what_was_exported_comes_back_bit_for_bit(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    base = tiny_base(tmp_path / "base")
    spec = spec_of(base=base.name, **changes)
    save_adapter(base, spec, tmp_path / "adapter")
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    again = import_peft(tmp_path / "peft", tmp_path / "again", model=str(base.path))
    assert again == spec == read_spec(tmp_path / "again")
    ours = read_tensors(tmp_path / "adapter" / "adapters.safetensors")
    theirs = read_tensors(tmp_path / "again" / "adapters.safetensors")
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def peft_adapter(base: StoredModel, folder: Path, dtype: str = "float32", **config: Any) -> None:
    """An adapter with random B (and magnitudes), made and saved by PEFT itself."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(6)
    plain = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    tuned = get_peft_model(plain, LoraConfig(task_type="CAUSAL_LM", **config))
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.2)
            if "magnitude" in name:
                parameter.mul_(1 + 0.2 * torch.rand_like(parameter))
            if "lora" in name:  # a value that is written in 16 bits must be one that is
                parameter.copy_(parameter.to(getattr(torch, dtype)))
    tuned.to(getattr(torch, dtype)).save_pretrained(folder)


MADE = {
    "plain": {"r": 4, "lora_alpha": 10, "target_modules": ["q_proj", "up_proj"]},
    "ranks": {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj", "v_proj", "down_proj"],
        "rank_pattern": {"q_proj": 2, "model.layers.1.mlp.down_proj": 6},
        "alpha_pattern": {"v_proj": 3, r"layers\.[02]\.mlp\.down_proj": 32},
    },
    "rslora": {
        "r": 4,
        "lora_alpha": 5,
        "use_rslora": True,
        "target_modules": "all-linear",
        "rank_pattern": {"k_proj": 2},
    },
    "dora": {"r": 3, "lora_alpha": 7, "use_dora": True, "target_modules": ["v_proj", "gate_proj"]},
    "some": {
        "r": 2,
        "lora_alpha": 4,
        "target_modules": ["q_proj"],
        "layers_to_transform": [0, 2],
    },
    "some-dora": {
        "r": 2,
        "lora_alpha": 4,
        "use_dora": True,
        "target_modules": ["model.layers.1.self_attn.q_proj", "model.layers.2.mlp.up_proj"],
    },
}


@pytest.mark.hf
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("made", MADE)
def test_pefts_own_adapter_says_in_mlx_what_it_says_there(
    tmp_path: Path, made: str, dtype: str
) -> None:
    base = tiny_base(tmp_path / "base")
    peft_adapter(base, tmp_path / "peft", dtype, **MADE[made])
    import_peft(tmp_path / "peft", tmp_path / "adapter", model=str(base.path))
    tuned = mlx_reader.record(base, tmp_path / "adapter", MATERIAL)
    found = verify.verify_peft(tmp_path / "peft", base.path, tuned, bound=1e-4)
    assert (found.argmax_agreement, found.same_answers) == (1.0, 2)
    assert largest_difference(tuned, mlx_reader.record(base, None, MATERIAL)) > 0.1


def exported(tmp_path: Path) -> tuple[StoredModel, Path, dict[str, Any]]:
    base = tiny_base(tmp_path / "base")
    save_adapter(base, spec_of(), tmp_path / "adapter")
    export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    return base, tmp_path / "peft", config


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"peft_type": "LOHA"}, "type LOHA"),
        ({"modules_to_save": ["lm_head"]}, "nothing for modules_to_save"),
        ({"bias": "lora_only", "lora_bias": True}, "nothing for lora_bias, bias"),
        ({"init_lora_weights": "pissa_niter_4"}, "changes the base model"),
        ({"use_dora": True}, "has lora_a, lora_b, not lora_a, lora_b, m"),
        ({"alpha_pattern": {"(": 2}}, "alpha_pattern"),
    ],
)
def test_what_mlx_lm_cannot_do_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    base, peft, config = exported(tmp_path)
    (peft / "adapter_config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelError) as caught:
        import_peft(peft, tmp_path / "out", model=str(base.path))
    assert told in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_tensors_of_no_layer_and_modules_that_the_model_lacks_are_named(tmp_path: Path) -> None:
    base, peft, _ = exported(tmp_path)
    path = peft / "adapter_model.safetensors"
    tensors = mx.load(str(path))
    assert isinstance(tensors, dict)
    norm = {"base_model.model.model.norm.lora_A.weight": mx.zeros((4, 32))}
    mx.save_safetensors(str(path), {**tensors, **norm})
    with pytest.raises(ModelError, match=r"no linear module of a layer.*model\.norm\.lora_A"):
        import_peft(peft, tmp_path / "out", model=str(base.path))
    other = {name.replace("up_proj", "up"): array for name, array in tensors.items()}
    mx.save_safetensors(str(path), other)
    with pytest.raises(ModelError, match=r"layers\.0\.mlp\.up \(32, 64\)"):
        import_peft(peft, tmp_path / "out", model=str(base.path))


def test_the_command_finds_the_base_by_its_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from augmlx.models.store.folder import write_card

    base, peft, _ = exported(tmp_path)
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "store"))
    called = ["import", str(peft), "-o", str(tmp_path / "out"), "--json"]
    missing = CliRunner().invoke(cli, called)
    assert missing.exit_code == 1
    assert "no model of the store comes from org/tiny" in missing.output
    shutil.copytree(base.path, tmp_path / "store" / "models" / "tiny")
    write_card(tmp_path / "store" / "models" / "tiny", "tiny", {"hf_base": "org/tiny"})
    done = CliRunner().invoke(cli, called)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["model"] == "tiny"
    again = CliRunner().invoke(cli, called)
    assert again.exit_code == 1
    assert "is there already" in again.output
    with pytest.raises(BadSettings):
        import_peft(peft, tmp_path / "out", model="tiny")
