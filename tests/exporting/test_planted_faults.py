"""Faults that are planted in what was exported, in each form: `augmlx export --verify` catches
each, and records nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from augmlx.cli.export import export
from augmlx.core.errors import ModelError
from augmlx.core.run_folder import EXPORT_STAGES, RunFolder
from augmlx.exporting.gguf_files import keys

from .architectures import CHAT, write_talking_base
from .support import random_adapter, trained_run
from .test_whole_models import FUSED_FAULTS, GGUF_FAULTS, LORA_FAULTS, rewrite

Plant = Callable[[Path], None]
Change = Callable[[str, np.ndarray], np.ndarray | None]

PEFT_FAULTS: dict[str, Change] = {
    "transposed": lambda name, a: a.T if "0.mlp.down_proj.lora_B" in name else a,
    "dropped": lambda name, a: None if ".layers.1." in name else a,
    "permutation": lambda name, a: keys.permute(a, 4) if "0.self_attn.q_proj.lora_B" in name else a,
}


def in_safetensors(file: str, change: Change) -> Plant:
    def plant(folder: Path) -> None:
        changed = {name: change(name, a) for name, a in load_file(folder / file).items()}
        kept = {name: np.ascontiguousarray(a) for name, a in changed.items() if a is not None}
        save_file(kept, folder / file, {"format": "pt"})

    return plant


def in_gguf(file: str, change: Change, values: dict[str, object]) -> Plant:
    return lambda folder: rewrite(folder / file, change, **values)


def in_text(file: str, one: str, other: str) -> Plant:
    def plant(folder: Path) -> None:
        text = (folder / file).read_text()
        assert one in text
        (folder / file).write_text(text.replace(one, other))

    return plant


def twentyfold_alpha(folder: Path) -> None:
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "lora_alpha": 20 * config["lora_alpha"]}))


def faults() -> dict[str, Plant]:
    asked_otherwise = in_text("Modelfile", "Be good.", "Be bad.")
    planted: dict[str, Plant] = {"peft: scale": twentyfold_alpha}
    for name, change in PEFT_FAULTS.items():
        planted[f"peft: {name}"] = in_safetensors("adapter_model.safetensors", change)
    for name, change in FUSED_FAULTS.items():
        planted[f"fused: {name}"] = in_safetensors("model.safetensors", change)
    planted["fused: template"] = in_text("chat_template.jinja", "Be good.", "Be bad.")
    for name, (change, values) in GGUF_FAULTS.items():
        planted[f"gguf: {name}"] = in_gguf("model.gguf", change, values)
    planted["gguf: template of the Modelfile"] = asked_otherwise
    for name, (change, values) in LORA_FAULTS.items():
        planted[f"gguf-lora: {name}"] = in_gguf("adapter.gguf", change, values)
    planted["gguf-lora: template"] = asked_otherwise
    return planted


PLANTED = faults()


def talking_run(folder: Path) -> RunFolder:
    base = write_talking_base(folder / "base")
    run = trained_run(folder / "run", base)
    random_adapter(base, run.adapter)
    return run


@pytest.mark.hf
@pytest.mark.parametrize("form", ["peft", "fused", "gguf", "gguf-lora"])
def test_each_planted_fault_is_caught_by_the_command(tmp_path: Path, form: str) -> None:
    run, target = talking_run(tmp_path), tmp_path / "out"
    kind = ["--type", "f32"] if form in ("fused", "gguf") else []
    ordered = [str(run.path), "--format", form, "--base", "org/tiny", *kind, "-o", str(target)]
    whole = CliRunner().invoke(export, [*ordered, "--verify"])
    assert whole.exit_code == 0, whole.output
    files = {path.name: path.read_bytes() for path in target.iterdir()}
    passed = run.manifest()[EXPORT_STAGES[form]]
    planted = {name: plant for name, plant in PLANTED.items() if name.startswith(f"{form}: ")}
    assert len(planted) >= 4
    for name, plant in planted.items():
        plant(target)
        result = CliRunner().invoke(export, [*ordered, "--verify"])
        assert isinstance(result.exception, ModelError), (name, result.output)
        assert run.manifest()[EXPORT_STAGES[form]] == passed, name
        for file, data in files.items():
            (target / file).write_bytes(data)
    assert CliRunner().invoke(export, [*ordered, "--verify"]).exit_code == 0


@pytest.mark.hf
def test_peft_over_a_base_that_is_asked_otherwise_is_caught_by_the_command(tmp_path: Path) -> None:
    run = talking_run(tmp_path)
    other = write_talking_base(tmp_path / "other")
    ordered = [str(run.path), "--base", "org/tiny", "--verify", "--base-folder", str(other.path)]
    assert CliRunner().invoke(export, ordered).exit_code == 0
    about = json.loads((other.path / "tokenizer_config.json").read_text())
    about["chat_template"] = CHAT.replace("Be good.", "Be bad.")
    (other.path / "tokenizer_config.json").write_text(json.dumps(about))
    caught = CliRunner().invoke(export, ordered)
    assert isinstance(caught.exception, ModelError)
    assert "puts a question otherwise" in str(caught.exception)
