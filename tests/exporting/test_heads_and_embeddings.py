"""Adapters of PEFT's on a head or an embedding: they answer, are asked and are exported again;
nothing trains them here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from augmlx.cli import cli
from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.progress import Silent
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import mlx_reader, stage, verify, verify_gguf
from augmlx.exporting.gguf_files import lora, model
from augmlx.exporting.importing import import_peft
from augmlx.exporting.peft import export_peft
from augmlx.exporting.stage import Order
from augmlx.exporting.trained_matrices import read_tensors
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.heads import Head
from augmlx.models.loading import load, load_beside
from augmlx.models.store.folder import StoredModel

from .architectures import write_talking_base
from .support import largest_difference, tiny_base
from .test_importing import peft_adapter
from .test_whole_models import MATERIAL

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first

MADE: dict[str, dict[str, Any]] = {
    "head": {"r": 4, "lora_alpha": 8, "target_modules": ["lm_head"]},
    "both": {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj", "lm_head", "embed_tokens"],
        "rank_pattern": {"lm_head": 2},
        "alpha_pattern": {"embed_tokens": 3},
    },
    "dora": {"r": 3, "lora_alpha": 7, "use_dora": True, "target_modules": ["v_proj", "lm_head"]},
}


def imported(tmp_path: Path, made: str) -> tuple[StoredModel, Path, Path]:
    """A base, an adapter of PEFT's, and the same for mlx-lm."""
    base = write_talking_base(tmp_path / "base")
    peft_adapter(base, tmp_path / "peft", **MADE[made])
    import_peft(tmp_path / "peft", tmp_path / "adapter", model=str(base.path))
    return base, tmp_path / "peft", tmp_path / "adapter"


@pytest.mark.hf
@pytest.mark.parametrize("made", MADE)
def test_it_says_in_mlx_what_it_says_in_peft_and_comes_back(tmp_path: Path, made: str) -> None:
    base, peft, adapter = imported(tmp_path, made)
    tuned = mlx_reader.record(base, adapter, MATERIAL)
    found = verify.verify_peft(peft, base.path, tuned, bound=1e-4)
    assert (found.argmax_agreement, found.same_answers) == (1.0, 1)
    assert largest_difference(tuned, mlx_reader.record(base, None, MATERIAL)) > 0.1
    export_peft(adapter, read_spec(adapter), tmp_path / "back", hf_base="org/tiny")
    verify.verify_peft(tmp_path / "back", base.path, tuned, bound=1e-4)
    again = import_peft(tmp_path / "back", tmp_path / "again", model=str(base.path))
    assert again.targets == read_spec(adapter).targets
    ours, theirs = (
        read_tensors(folder / "adapters.safetensors") for folder in (adapter, tmp_path / "again")
    )
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.hf
def test_the_evaluation_has_its_logits_and_ask_its_answers(tmp_path: Path) -> None:
    base, _, adapter = imported(tmp_path, "both")
    whole, plain = load(base, adapter), load(base)
    tokens = mx.array([[5, 6, 7, 8]])
    expected = whole.model(tokens)[0]
    rows, columns = mx.zeros(4, mx.int32), mx.arange(4)
    for loaded in (whole, load_beside(plain, adapter)):
        head = Head(loaded.model)
        assert head.split
        assert mx.allclose(head.logits(tokens, rows, columns), expected, atol=1e-5)
    assert not mx.allclose(plain.model(tokens)[0], expected, atol=0.1)
    options = ["ask", str(adapter), "Who?", "--model", str(base.path), "--max-tokens", "8"]
    asked = CliRunner().invoke(cli, options)
    assert asked.exit_code == 0, asked.output


@pytest.mark.hf
def test_whole_models_have_it_worked_in(tmp_path: Path) -> None:
    base, _, adapter = imported(tmp_path, "both")
    run = RunFolder(tmp_path)
    record = mlx_reader.record(base, adapter, MATERIAL)
    template = stage.chat_template(base)
    for form in ("fused", "gguf"):
        stage.write(run, Order(form, tmp_path / form, "org/tiny", "f32"), base, Silent())
    assert verify.verify_fused(tmp_path / "fused", record, template).argmax_agreement == 1.0
    path = tmp_path / "gguf" / model.FILE
    assert verify_gguf.verify_gguf(path, base, record, template).argmax_agreement == 1.0


@pytest.mark.hf
def test_llama_cpp_has_it_of_the_head_alone_and_vllm_not_at_all(tmp_path: Path) -> None:
    base, _, adapter = imported(tmp_path, "head")
    run = RunFolder(tmp_path)
    stage.write(run, Order("gguf-lora", tmp_path / "lora", "org/tiny"), base, Silent())
    record = mlx_reader.record(base, adapter, MATERIAL)
    verify_gguf.verify_gguf_lora(tmp_path / "lora" / lora.FILE, base, record)
    spec = read_spec(adapter)
    with pytest.raises(BadSettings, match=r"modules of no layer \(.*lm_head"):
        export_peft(adapter, spec, tmp_path / "vllm", hf_base="org/tiny", for_vllm=True)
    (tmp_path / "of-both").mkdir()
    base, _, _ = imported(tmp_path / "of-both", "both")
    order = Order("gguf-lora", tmp_path / "refused", "org/tiny")
    with pytest.raises(ModelError, match=r"embed_tokens: .*no proven form in llama\.cpp"):
        stage.write(RunFolder(tmp_path / "of-both"), order, base, Silent())


@pytest.mark.hf
def test_weights_of_another_base_beside_it_are_refused(tmp_path: Path) -> None:
    base, peft, _ = imported(tmp_path, "head")
    path = peft / "adapter_model.safetensors"
    tensors = load_file(path)
    name = "base_model.model.lm_head.base_layer.weight"
    save_file({**tensors, name: tensors[name] * 1.1}, path, {"format": "pt"})
    with pytest.raises(ModelError, match="brings other weights of lm_head"):
        import_peft(peft, tmp_path / "out", model=str(base.path))
    wider = np.concatenate([tensors[name], tensors[name][:2]])
    save_file({**tensors, name: wider}, path, {"format": "pt"})
    with pytest.raises(ModelError, match="brings other weights of lm_head"):
        import_peft(peft, tmp_path / "out", model=str(base.path))
    assert not (tmp_path / "out").exists()


def test_where_head_and_embedding_are_one_it_is_refused(tmp_path: Path) -> None:
    base, peft = tiny_base(tmp_path / "base"), tmp_path / "peft"
    peft.mkdir()
    about = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}
    (peft / "adapter_config.json").write_text(json.dumps(about))
    prefix = "base_model.model.model.embed_tokens.lora_embedding_"
    of_embedding = {f"{prefix}A": np.ones((2, 64)), f"{prefix}B": np.ones((32, 2))}
    of_head = {
        "base_model.model.lm_head.lora_A.weight": np.ones((2, 32)),
        "base_model.model.lm_head.lora_B.weight": np.ones((64, 2)),
    }
    for tensors, told in (
        (of_embedding, "the head of this model as well"),
        (of_head, r"has no module lm_head \(32, 64\)"),
    ):
        floats = {name: array.astype(np.float32) for name, array in tensors.items()}
        save_file(floats, peft / "adapter_model.safetensors", {"format": "pt"})
        with pytest.raises(ModelError, match=told):
            import_peft(peft, tmp_path / "out", model=str(base.path))


@pytest.mark.hf
def test_dora_of_an_embedding_is_refused(tmp_path: Path) -> None:
    base = write_talking_base(tmp_path / "base")
    dora = {"r": 3, "lora_alpha": 7, "use_dora": True, "target_modules": ["embed_tokens"]}
    peft_adapter(base, tmp_path / "peft", **dora)
    with pytest.raises(ModelError, match=r"is DoRA on model\.embed_tokens"):
        import_peft(tmp_path / "peft", tmp_path / "adapter", model=str(base.path))
