from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from tiny import load_tiny, write_model

from augmlx.core.errors import BadSettings, ModelError, StorageError
from augmlx.core.records import AdapterSpec
from augmlx.core.settings import TrainSettings
from augmlx.models import loading
from augmlx.models.formats.adapter_folder import adapter_fingerprint, read_spec
from augmlx.models.store import folder as store
from augmlx.training import adapter
from augmlx.training.targets import adapter_spec

from .support import fitted

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx_lm  # isort: skip
import numpy as np  # isort: skip
from mlx.utils import tree_flatten  # isort: skip

TOKENS = mx.array([[5, 6, 7, 8, 9, 300]])


@pytest.fixture
def loaded(tmp_path: Path) -> loading.LoadedModel:
    return load_tiny(tmp_path / "model", "llama", num_hidden_layers=3)


def lora(model: nn.Module) -> dict[str, mx.array]:
    return dict(tree_flatten(model.trainable_parameters()))


def test_the_plan_names_whole_paths(loaded: loading.LoadedModel) -> None:
    spec = adapter_spec(
        loaded, TrainSettings(targets=("q_proj", "mlp.down_proj"), layers=2, rank=3, scale=1.5)
    )
    assert spec.targets == ("mlp.down_proj", "self_attn.q_proj")
    assert (spec.layers, spec.total_layers, spec.rank, spec.scale) == (2, 3, 3, 1.5)
    assert adapter_spec(loaded, TrainSettings(layers=-1)).layers == 3
    assert adapter_spec(loaded, TrainSettings(anchor=0)).layers == 3
    assert adapter_spec(loaded, TrainSettings()).layers == 1  # a third of them


def test_a_target_that_no_module_is_named_after_is_refused_with_the_names_there_are(
    loaded: loading.LoadedModel,
) -> None:
    with pytest.raises(BadSettings, match="no linear module Wqkv, fc1") as caught:
        adapter_spec(loaded, TrainSettings(targets=("q_proj", "Wqkv", "fc1")))
    assert caught.value.hint == (
        "its linear modules: mlp.down_proj, mlp.gate_proj, mlp.up_proj, "
        "self_attn.k_proj, self_attn.o_proj, self_attn.q_proj, self_attn.v_proj"
    )


def test_more_layers_than_there_are_is_refused(loaded: loading.LoadedModel) -> None:
    with pytest.raises(BadSettings, match=r"train\.layers: 4 asked for, the model has 3"):
        adapter_spec(loaded, TrainSettings(layers=4))


def test_the_same_seed_attaches_the_same_adapter_and_b_is_zero(
    tmp_path: Path, loaded: loading.LoadedModel
) -> None:
    spec = adapter_spec(loaded, TrainSettings(rank=4, layers=-1))
    models = [load_tiny(tmp_path / f"{n}", num_hidden_layers=3).model for n in range(3)]
    before = models[0](TOKENS)
    for n, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        mx.random.seed(100 + n)  # what was drawn before must not matter
        adapter.attach(model, spec, seed)
    first, same, other = map(lora, models)
    assert first.keys() == same.keys()
    assert all(mx.array_equal(first[name], same[name]) for name in first)
    assert not any(
        mx.array_equal(first[name], other[name]) for name in first if name.endswith("lora_a")
    )
    assert not any(first[name].any() for name in first if name.endswith("lora_b"))
    assert mx.array_equal(models[0](TOKENS), before)
    assert len(first) == 2 * 7 * 3


def test_only_the_last_layers_get_an_adapter(loaded: loading.LoadedModel) -> None:
    adapter.attach(
        loaded.model, adapter_spec(loaded, TrainSettings(layers=1, targets=("q_proj",))), seed=0
    )
    assert sorted(lora(loaded.model)) == [
        "model.layers.2.self_attn.q_proj.lora_a",
        "model.layers.2.self_attn.q_proj.lora_b",
    ]


@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("layers", [-1, 1])
def test_mlx_lm_loads_the_folder_with_the_logits_of_the_model_in_memory(
    tmp_path: Path, bits: int | None, layers: int
) -> None:
    stored = write_model(tmp_path / "model", bits=bits)
    loaded = loading.load(stored)
    spec = adapter_spec(loaded, TrainSettings(rank=4, layers=layers, dropout=0.2))
    adapter.attach(loaded.model, spec, seed=0)
    loaded.model.load_weights(
        [(name, mx.random.normal(value.shape) * 0.2) for name, value in lora(loaded.model).items()],
        strict=False,
    )
    loaded.model.eval()
    adapter.save(loaded.model, spec, tmp_path / "adapter")
    theirs, _ = mlx_lm.load(str(stored.path), adapter_path=str(tmp_path / "adapter"))
    plain, _ = mlx_lm.load(str(stored.path))
    assert mx.array_equal(theirs(TOKENS), loaded.model(TOKENS))
    assert not mx.allclose(plain(TOKENS), loaded.model(TOKENS), atol=0.1)
    assert read_spec(tmp_path / "adapter") == spec
    assert {array.dtype for array in lora(loaded.model).values()} == {mx.float32}


def test_the_folder_says_nothing_about_this_machine(tmp_path: Path) -> None:
    """mlx-lm writes the data's path and every argument into adapter_config.json."""
    stored = write_model(tmp_path / "model")
    fitted(stored.path, tmp_path / "run", epochs=1)
    folder = tmp_path / "run" / "adapter"
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapters.safetensors",
    ]
    for path in folder.iterdir():
        data = path.read_bytes()
        for private in (str(tmp_path), str(Path.home()), "/tmp", "f1/original", "harbour"):
            assert private.encode() not in data, private
        assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    config = json.loads((folder / "adapter_config.json").read_text())
    assert set(config) == {"fine_tune_type", "num_layers", "lora_parameters", "model", "augmlx"}
    assert config["model"] == "model"


def test_a_folder_without_an_adapter_of_ours_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter here"):
        read_spec(tmp_path)
    for text in ("{", "[]", "{}", '{"lora_parameters": {}, "augmlx": {}}'):
        (tmp_path / "adapter_config.json").write_text(text)
        with pytest.raises(ModelError, match="not an adapter of augmlx"):
            read_spec(tmp_path)
    with pytest.raises(StorageError):
        adapter_fingerprint(tmp_path)


def test_the_fingerprint_follows_weights_and_config(tmp_path: Path) -> None:
    adapter.save_arrays({"b": mx.ones(3), "a": mx.zeros(2)}, tmp_path / "adapters.safetensors")
    config = tmp_path / "adapter_config.json"
    config.write_text("{}")
    first = adapter_fingerprint(tmp_path)
    config.write_text("{} ")
    second = adapter_fingerprint(tmp_path)
    adapter.save_arrays({"a": mx.zeros(2), "b": mx.ones(3) * 2}, tmp_path / "adapters.safetensors")
    assert len({first, second, adapter_fingerprint(tmp_path)}) == 3


def test_the_fingerprint_takes_no_copies_of_the_weights(tmp_path: Path) -> None:
    adapter.save_arrays({"a": mx.zeros(4 << 20)}, tmp_path / "adapters.safetensors")  # 16 MB
    (tmp_path / "adapter_config.json").write_text("{}")
    tracemalloc.start()
    adapter_fingerprint(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_names_are_saved_in_one_order(tmp_path: Path) -> None:
    for name, keys in (("one", "abc"), ("two", "cba")):
        adapter.save_arrays(
            {key: mx.array([ord(key)]) for key in keys}, tmp_path / f"{name}.safetensors"
        )
    assert (tmp_path / "one.safetensors").read_bytes() == (
        tmp_path / "two.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16])
def test_an_adapter_over_sixteen_bits_is_float32_and_keeps_the_models_type(
    tmp_path: Path, dtype: mx.Dtype
) -> None:
    loaded = load_tiny(tmp_path / "model")
    loaded.model.set_dtype(dtype)
    spec: AdapterSpec = adapter_spec(loaded, TrainSettings(rank=4))
    adapter.attach(loaded.model, spec, seed=0)
    assert {array.dtype for array in lora(loaded.model).values()} == {mx.float32}
    assert loaded.model(TOKENS).dtype == dtype
    adapter.save(loaded.model, spec, tmp_path / "adapter")
    saved = mx.load(str(tmp_path / "adapter" / "adapters.safetensors"))
    assert isinstance(saved, dict)
    assert {array.dtype for array in saved.values()} == {mx.float32}
    assert np.isfinite(np.array(loaded.model(TOKENS).astype(mx.float32))).all()
    assert store.find(loaded.stored.path) == loaded.stored
