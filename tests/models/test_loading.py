from __future__ import annotations

import json
from pathlib import Path

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten

from augmlx.core.errors import ModelError
from augmlx.models import loading
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel
from augmlx.models.store.pull import pull

from .support import TEMPLATE, tiny_gguf


@pytest.fixture
def tiny(tmp_path: Path, empty_store: Path) -> StoredModel:
    return pull(str(tiny_gguf(tmp_path)))


def test_a_model_loads_in_evaluation_mode_and_working_type(tiny: StoredModel) -> None:
    loaded = loading.load(tiny)
    assert not loaded.model.training
    assert loaded.stored == tiny
    assert loaded.config["model_type"] == "llama"
    wanted = {"float32": mx.float32, "bfloat16": mx.bfloat16}[loading.working_dtype()]
    assert {array.dtype for _, array in tree_flatten(loaded.model.parameters())} == {wanted}
    messages = [{"role": "user", "content": "hello"}]
    assert (
        loaded.tokenizer.apply_chat_template(messages, tokenize=False)
        == "<|im_start|>user\nhello<|im_end|>\n"
    )
    assert loaded.tokenizer.chat_template == TEMPLATE
    assert loaded.tokenizer.eos_token_ids == {2}


def test_the_tokenizer_is_the_files_own(tiny: StoredModel) -> None:
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(tiny.path / "tokenizer.json"))
    loaded = loading.load(tiny).tokenizer
    for text in ("hello 12  12", "<|im_start|>hello", "é🦊"):
        assert loaded.encode(text) == own.encode(text).ids


def test_sixteen_bits_are_widened_on_a_cpu(tiny: StoredModel) -> None:
    if loading.device() != "cpu":
        pytest.skip("on a GPU 16-bit weights stay as they are")
    weights = mx.load(str(tiny.path / "model.safetensors"))
    assert isinstance(weights, dict)
    half = {name: array.astype(mx.bfloat16) for name, array in weights.items()}
    mx.save_safetensors(str(tiny.path / "model.safetensors"), half)
    loaded = loading.load(store.find(tiny.path))
    assert {array.dtype for _, array in tree_flatten(loaded.model.parameters())} == {mx.float32}


def test_what_mlx_lm_does_not_know_is_a_clear_error(tiny: StoredModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"with adapter {tmp_path / 'nothing'}: cannot be loaded"):
        loading.load(tiny, tmp_path / "nothing")
    config = json.loads((tiny.path / "config.json").read_text())
    (tiny.path / "config.json").write_text(json.dumps({**config, "model_type": "nobody"}))
    with pytest.raises(ModelError, match="nobody"):
        loading.load(tiny)


def test_a_config_that_transformers_refuses_is_a_clear_error(tiny: StoredModel) -> None:
    config = json.loads((tiny.path / "config.json").read_text())
    (tiny.path / "config.json").write_text(json.dumps({**config, "vocab_size": 300.5}))
    with pytest.raises(ModelError, match="cannot be loaded"):
        loading.load(tiny)
