"""vLLM's rules, held against what is exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from augmlx.core.errors import BadSettings
from augmlx.exporting import vllm
from augmlx.exporting.peft import export_peft
from augmlx.models.formats.safetensors import read_header

from .support import spec_of, write_pairs

GOOD: dict[str, Any] = {"r": 16, "lora_alpha": 32, "target_modules": ["q_proj"], "bias": "none"}
TENSORS = ["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"]


def test_a_plain_export_is_served(tmp_path: Path) -> None:
    write_pairs(tmp_path / "adapter", spec_of())
    export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft", for_vllm=True)
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert {"r", "lora_alpha", "target_modules"} <= config.keys()
    assert "modules_to_save" not in config
    names = read_header(tmp_path / "peft" / "adapter_model.safetensors")
    assert vllm.require(config, names) == []


def test_a_larger_rank_needs_an_option_that_is_named() -> None:
    assert vllm.require({**GOOD, "r": 17, "lora_alpha": 34}, TENSORS) == [
        "vLLM: its rank is 17, so start with --max-lora-rank 32"
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"use_dora": True}, "it is DoRA, and vLLM has LoRA alone"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"r": 1024}, "512 is the largest"),
        ({"target_modules": None}, "target_modules missing"),
        ({"lora_alpha": 2.5}, "no integer"),
        ({"rank_pattern": {"v_proj": 4}}, "v_proj has a scale of its own"),
    ],
)
def test_what_vllm_does_not_load_is_refused_in_clear_words(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadSettings, match=told) as caught:
        vllm.require({**GOOD, **change}, TENSORS)
    assert "--format fused" in str(caught.value.hint)


def test_ranks_of_modules_with_one_scale_are_served() -> None:
    patterns = {"rank_pattern": {"v_proj": 4}, "alpha_pattern": {"v_proj": 8}}
    assert vllm.require({**GOOD, **patterns}, TENSORS) == []


def test_dora_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    spec = spec_of(kind="dora")
    write_pairs(tmp_path / "adapter", spec)
    with pytest.raises(BadSettings, match="it is DoRA"):
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft", for_vllm=True)
    assert not (tmp_path / "peft").exists()
