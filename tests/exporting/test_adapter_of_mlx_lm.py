"""An adapter folder as mlx_lm.lora leaves it, exported without a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from augmlx.cli import cli
from tests.exporting.support import tiny_base


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of mlx_lm.lora itself on a tiny model."""
    folder = tmp_path_factory.mktemp("mlx_lm")
    base = tiny_base(folder / "base")
    data = folder / "data"
    data.mkdir()
    rows = [{"text": f"Mara Voss is in the Lab w{n} w{n + 1}"} for n in range(4)]
    for name in ("train", "valid"):
        (data / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    options = "--train --iters 2 --batch-size 2 --num-layers 2 --val-batches 1 --learning-rate 0.1"
    paths = ["--model", base.path, "--data", data, "--adapter-path", folder / "adapters"]
    command = [sys.executable, "-m", "mlx_lm", "lora", *options.split(), *paths]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "adapters"


def test_every_matrix_arrives_transposed_under_its_peft_name(adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "peft"
    command = ["export", str(adapter), "--base", "org/tiny", "-o", str(out), "--json"]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"format": "peft", "path": str(out), "verification": None}
    theirs, ours = (
        load_file(adapter / "adapters.safetensors"),
        load_file(out / "adapter_model.safetensors"),
    )
    assert any(np.abs(value).max() > 0 for name, value in theirs.items() if "lora_b" in name)
    letters = {"lora_a": "lora_A", "lora_b": "lora_B"}
    for name, value in theirs.items():
        module, _, letter = name.rpartition(".")
        np.testing.assert_array_equal(
            ours[f"base_model.model.{module}.{letters[letter]}.weight"], value.T
        )
    assert len(ours) == len(theirs)
    config = json.loads((out / "adapter_config.json").read_text())
    lora = json.loads((adapter / "adapter_config.json").read_text())["lora_parameters"]
    assert (config["r"], config["lora_alpha"]) == (lora["rank"], lora["rank"] * lora["scale"])
    assert config["base_model_name_or_path"] == "org/tiny"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ([], "name the folder to write, -o DIR"),
        (["-o", "x", "--verify"], "--verify compares on texts of a run"),
        (["-o", "x", "--format", "fused"], "an adapter folder gives peft"),
    ],
)
def test_what_only_a_run_gives_is_refused(adapter: Path, options: list[str], fault: str) -> None:
    done = CliRunner().invoke(cli, ["export", str(adapter), "--base", "org/tiny", *options])
    assert done.exit_code == 2
    assert fault in " ".join(done.stderr.replace("│", " ").split())


def test_a_base_without_a_name_is_asked_for(adapter: Path, tmp_path: Path) -> None:
    """mlx_lm.lora notes the folder of its model, which is no name that anybody else can use."""
    done = CliRunner().invoke(cli, ["export", str(adapter), "-o", str(tmp_path / "peft")])
    assert done.exit_code == 1
    assert "--base" in done.stderr
