"""Fused folders and GGUF files, read back by transformers, and every fault that can be planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.progress import Silent
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import export_folder, mlx_reader, stage, verify, verify_gguf
from augmlx.exporting.comparison import Material, Verification
from augmlx.exporting.forms import Form, WeightType
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import keys, lora, model, modelfile
from augmlx.exporting.stage import Order
from augmlx.exporting.trained_matrices import read_tensors
from augmlx.models.formats import gguf as importer
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.formats.safetensors import read_header
from augmlx.models.store.folder import StoredModel, find

from .architectures import CHAT, write_base, write_talking_base
from .support import killed_everywhere, random_adapter, tiny_base

MATERIAL = Material(
    ["The lamp of Mara Voss", "Who keeps the harbour hall? 1987"], ["Who keeps the harbour hall?"]
)
MAPPED = ["llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"]


def export(
    base: StoredModel,
    run: Path,
    form: Form,
    weight_type: WeightType | None = None,
    method: str = "lora",
) -> Path:
    folder = RunFolder(run)
    if not folder.adapter.exists():
        random_adapter(base, folder.adapter, method)
    order = Order(form, run / form, "org/tiny", weight_type)
    assert stage.write(folder, order, base, Silent()) == {"format": form}
    return order.target


def compare(base: StoredModel, run: Path, form: Form, kind: WeightType = "f32") -> Verification:
    adapter, target = run / "adapter", run / form
    template = stage.chat_template(base)
    if form == "gguf-lora":
        record = mlx_reader.record(base, adapter, MATERIAL)
        return verify_gguf.verify_gguf_lora(target / lora.FILE, base, record)
    matrices_only = form == "gguf"
    record = mlx_reader.fused_record(
        base, adapter, MATERIAL, weight_type=kind, matrices_only=matrices_only
    )
    if form == "fused":
        return verify.verify_fused(target, record, template)
    return verify_gguf.verify_gguf(target / model.FILE, base, record, template)


@pytest.mark.hf
@pytest.mark.parametrize("method", ["lora", "dora"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "phi3", "gemma2", "mixtral"])
def test_a_fused_folder_says_what_model_and_adapter_say(
    tmp_path: Path, kind: str, method: str
) -> None:
    base = write_base(tmp_path / "base", kind)
    targets = ["self_attn.*"] if kind == "mixtral" else ["*"]
    random_adapter(base, tmp_path / "adapter", method, targets=targets)
    target = export(base, tmp_path, "fused", "f32")
    assert compare(base, tmp_path, "fused").argmax_agreement == 1.0
    changed = FusedWeights(base, tmp_path / "adapter", read_spec(tmp_path / "adapter")).trained
    ours, theirs = (read_tensors(folder / "model.safetensors") for folder in (base.path, target))
    for name in theirs:
        assert np.array_equal(ours[name], theirs[name]) == (name not in changed), name


@pytest.mark.hf
@pytest.mark.parametrize("weight_type", ["f16", "bf16"])
def test_rounding_is_the_same_on_both_sides(tmp_path: Path, weight_type: WeightType) -> None:
    base = write_talking_base(tmp_path / "base")
    target = export(base, tmp_path, "fused", weight_type)
    code = {"f16": "F16", "bf16": "BF16"}[weight_type]
    header = read_header(target / "model.safetensors")
    assert {tensor.dtype for tensor in header.values()} == {code}
    compare(base, tmp_path, "fused", weight_type)
    with pytest.raises(ModelError, match="transformers and MLX disagree"):
        compare(base, tmp_path, "fused", "f32")


@pytest.mark.hf
def test_a_quantised_base_is_written_dequantised(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base", bits=4)
    random_adapter(base, tmp_path / "adapter", rank=4)
    target = export(base, tmp_path, "fused", "f32")
    assert "quantization" not in json.loads((target / "config.json").read_text())
    assert compare(base, tmp_path, "fused").max_difference <= 1e-3


@pytest.mark.hf
@pytest.mark.parametrize("weight_type", ["f32", "f16", "bf16", "q8_0"])
@pytest.mark.parametrize("kind", MAPPED)
def test_transformers_reads_of_a_gguf_file_what_mlx_says(
    tmp_path: Path, kind: str, weight_type: WeightType
) -> None:
    if weight_type != "f32" and kind != "llama":
        pytest.skip("the types are the same for all")
    base = write_talking_base(tmp_path / "base", kind)
    export(base, tmp_path, "gguf", weight_type)
    found = compare(base, tmp_path, "gguf", weight_type)
    assert found.argmax_agreement == 1.0


@pytest.mark.parametrize("kind", MAPPED)
def test_a_gguf_file_of_the_model_itself_comes_back_as_it_was(tmp_path: Path, kind: str) -> None:
    base = write_talking_base(tmp_path / "base", kind)
    path = tmp_path / "model.gguf"
    model.write_model(FusedWeights(base), path, "tiny", "f32", CHAT)
    importer.convert(path, tmp_path / "back", dtype="float32", progress=Silent())
    ours, theirs = (
        read_tensors(folder / "model.safetensors") for folder in (base.path, tmp_path / "back")
    )
    assert ours.keys() == theirs.keys()
    for name in ours:
        # Gemma's norms have 1 added on the way in and taken away on the way out.
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=2e-7)
    about = json.loads((tmp_path / "back" / "tokenizer_config.json").read_text())
    assert about["chat_template"] == CHAT
    assert about["eos_token"] == "<|im_end|>"


@pytest.mark.hf
@pytest.mark.parametrize("kind", MAPPED)
def test_a_gguf_adapter_added_as_llama_cpp_adds_it_says_what_mlx_says(
    tmp_path: Path, kind: str
) -> None:
    base = write_talking_base(tmp_path / "base", kind)
    random_adapter(base, tmp_path / "adapter", scale=1.7, ranks={"*down_proj": 2})
    export(base, tmp_path, "gguf-lora")
    assert compare(base, tmp_path, "gguf-lora").argmax_agreement == 1.0


def test_what_has_no_proven_form_is_refused_by_name(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "olmo2")
    for form in ("gguf", "gguf-lora"):
        with pytest.raises(ModelError, match="'olmo2' has no proven map to GGUF"):
            export(base, tmp_path, form)
        assert not (tmp_path / form).exists()
    talking = write_talking_base(tmp_path / "talking")
    with pytest.raises(ModelError, match="DoRA has no form in llama"):
        export(talking, tmp_path / "dora", "gguf-lora", method="dora")
    strange = write_base(tmp_path / "strange", "llama")  # a tokenizer that splits nothing
    with pytest.raises(ModelError, match="splits texts in a way"):
        export(strange, tmp_path / "split", "gguf")
    with pytest.raises(BadSettings, match="--type q8_0"):
        Order("fused", tmp_path, weight_type="q8_0")


# Planted faults


def rewrite(
    path: Path, change: Callable[[str, np.ndarray], np.ndarray | None], **keys: Any
) -> None:
    """The GGUF file again, with its tensors changed (None: dropped) and its keys."""
    reader = gguf.GGUFReader(path)
    arrays = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    architecture = reader.fields["general.architecture"].contents()
    fields = list(reader.fields.values())
    contents = {field.name: (field.contents(), field.types) for field in fields}
    del reader
    writer = gguf.GGUFWriter(path, architecture)
    for name, (value, types) in contents.items():
        if not name.startswith(("GGUF.", "general.architecture")):
            inner = types[-1] if len(types) > 1 else None
            writer.add_key_value(name, keys.get(name, value), types[0], sub_type=inner)
    for name, array in arrays.items():
        changed = change(name, array)
        if changed is not None:
            writer.add_tensor(name, np.ascontiguousarray(changed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


GGUF_FAULTS: dict[str, tuple[Callable[[str, np.ndarray], np.ndarray | None], dict[str, Any]]] = {
    "scale": (lambda name, a: a * 1.5 if name == "blk.1.ffn_up.weight" else a, {}),
    "transposed": (lambda name, a: a.T if name == "blk.0.attn_q.weight" else a, {}),
    "dropped": (lambda name, a: None if name.startswith("blk.1.ffn") else a, {}),
    "permutation": (
        lambda name, a: keys.permute(a, 4) if name == "blk.0.attn_q.weight" else a,
        {},
    ),
    "template": (lambda _, a: a, {"tokenizer.chat_template": CHAT + " "}),
}


@pytest.mark.hf
@pytest.mark.parametrize("fault", GGUF_FAULTS)
def test_a_fault_in_a_gguf_file_is_caught(tmp_path: Path, fault: str) -> None:
    base = write_talking_base(tmp_path / "base")
    target = export(base, tmp_path, "gguf", "f32")
    change, values = GGUF_FAULTS[fault]
    rewrite(target / model.FILE, change, **values)
    with pytest.raises(ModelError):
        compare(base, tmp_path, "gguf")


LORA_FAULTS: dict[str, tuple[Callable[[str, np.ndarray], np.ndarray | None], dict[str, Any]]] = {
    "scale": (lambda _, a: a, {"adapter.lora.alpha": 48.0}),
    "transposed": (
        lambda name, a: a.T.reshape(a.shape) if name == "blk.0.attn_output.weight.lora_b" else a,
        {},
    ),
    "dropped": (lambda name, a: None if name.startswith("blk.1.") else a, {}),
    "permutation": (
        lambda name, a: keys.permute(a, 4) if name == "blk.0.attn_q.weight.lora_b" else a,
        {},
    ),
}


@pytest.mark.hf
@pytest.mark.parametrize("fault", LORA_FAULTS)
def test_a_fault_in_a_gguf_adapter_is_caught(tmp_path: Path, fault: str) -> None:
    base = write_talking_base(tmp_path / "base")
    target = export(base, tmp_path, "gguf-lora")
    change, values = LORA_FAULTS[fault]
    rewrite(target / lora.FILE, change, **values)
    with pytest.raises(ModelError):
        compare(base, tmp_path, "gguf-lora")


def _tensors(folder: Path, change: Callable[[str, np.ndarray], np.ndarray | None]) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    changed = {name: change(name, array) for name, array in load_file(path).items()}
    kept = {name: np.ascontiguousarray(a) for name, a in changed.items() if a is not None}
    save_file(kept, path, {"format": "pt"})


FUSED_FAULTS: dict[str, Callable[[str, np.ndarray], np.ndarray | None]] = {
    "scale": lambda name, a: a * 1.5 if name.endswith("1.mlp.up_proj.weight") else a,
    "transposed": lambda name, a: a.T if name.endswith("0.self_attn.q_proj.weight") else a,
    "dropped": lambda name, a: None if ".layers.1." in name else a,
    "permutation": lambda name, a: (
        keys.permute(a, 4) if name.endswith("0.self_attn.q_proj.weight") else a
    ),
}


@pytest.mark.hf
@pytest.mark.parametrize("fault", [*FUSED_FAULTS, "template"])
def test_a_fault_in_a_fused_folder_is_caught(tmp_path: Path, fault: str) -> None:
    base = write_talking_base(tmp_path / "base")
    target = export(base, tmp_path, "fused", "f32")
    compare(base, tmp_path, "fused")
    if fault == "template":
        (target / "chat_template.jinja").write_text("{{ messages[0].content }}")
    else:
        _tensors(target, FUSED_FAULTS[fault])
    with pytest.raises(ModelError):
        compare(base, tmp_path, "fused")


# The folder


@pytest.mark.parametrize("form", ["fused", "gguf", "gguf-lora", "peft"])
def test_no_exported_byte_names_this_machine_or_a_row(tmp_path: Path, form: Form) -> None:
    base = write_talking_base(tmp_path / "base")
    config = json.loads((base.path / "config.json").read_text())
    said = {**config, "_name_or_path": "/home/someone/tiny"}
    (base.path / "config.json").write_text(json.dumps(said))
    target = export(find(base.path), tmp_path, form)
    names = {path.name for path in target.iterdir()}
    assert export_folder.CARD in names
    for path in target.iterdir():
        data = path.read_bytes()
        for secret in (str(tmp_path), "/home/", str(Path.home()), "Mara Voss stands", "facts.csv"):
            assert secret.encode() not in data, (path.name, secret)


@pytest.mark.parametrize("form", ["fused", "gguf", "gguf-lora", "peft"])
def test_an_export_killed_at_any_moment_leaves_nothing_that_loads_and_completes_when_run_again(
    tmp_path: Path, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at each file that is about to appear, over an earlier export of another adapter."""
    base = write_talking_base(tmp_path / "base")
    target = export(base, tmp_path, form)
    key = stage.outputs(Order(form, target))[-1].name
    killed_everywhere(target, key, lambda: export(base, tmp_path, form), monkeypatch)


# The Modelfile


def rendering(template: str) -> modelfile.Render:
    from jinja2 import Environment

    compiled = Environment().from_string(template)
    return lambda messages: compiled.render(messages=messages, add_generation_prompt=True)


TEMPLATES = {
    "chatml": CHAT,
    "llama3": (
        "{% for m in messages %}<|h|>{{ m.role }}<|e|>\n\n{{ m.content }}<|eot|>{% endfor %}"
        "<|h|>assistant<|e|>\n\n"
    ),
    "mistral": (
        "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }}[/INST]"
        "{% elif m.role == 'assistant' %} {{ m.content }}</s>{% endif %}{% endfor %}"
    ),
    "zephyr": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}</s>\n{% endfor %}<|assistant|>\n"
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_chat_template_is_said_in_go_and_says_the_same(name: str) -> None:
    made = modelfile.go_template(rendering(TEMPLATES[name]), "", ["<|im_end|>", "</s>", "<|eot|>"])
    assert made is not None
    assert made.text().count("{{ .Content }}") == 2


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ loop.index }}: {{ m.content }}\n{% endfor %}",
        "{{ messages | length }} {% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
        "{{ raise_it() }}",
    ],
)
def test_what_go_cannot_say_is_not_said(template: str) -> None:
    assert modelfile.go_template(rendering(template), "", []) is None


def test_the_modelfile_is_ready(tmp_path: Path) -> None:
    base = write_talking_base(tmp_path / "base")
    text = (export(base, tmp_path, "gguf") / "Modelfile").read_text()
    assert text.startswith("FROM ./model.gguf\nTEMPLATE ")
    assert 'PARAMETER stop "<|im_end|>"' in text
    adapter = (export(base, tmp_path, "gguf-lora") / "Modelfile").read_text()
    assert "FROM ./base.gguf\nADAPTER ./adapter.gguf\n" in adapter
