"""A tiny real base model and adapter, both written to disk in their usual form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from augmlx.models.loading import load
from augmlx.models.store import StoredModel, find
from augmlx.records import AdapterSpec
from augmlx.training import adapter

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm.models import llama  # isort: skip

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rms_norm_eps": 1e-5,
    "vocab_size": 64,
    "rope_theta": 10000.0,
    "max_position_embeddings": 128,
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "dtype": "float32",
}
WORDS = ["<unk>", "the", "lamp", "of", "Mara", "Voss", "is", "in", "Lab", *(f"w{n}" for n in range(55))]
PROMPTS = ["Mara Voss is in the Lab", "the lamp of the Lab is in w3 w4", "w9"]


def tiny_base(folder: Path) -> StoredModel:
    """Random llama weights with a word-level tokenizer."""
    folder.mkdir()
    mx.random.seed(1)
    model = llama.Model(llama.ModelArgs.from_dict(CONFIG))
    # mlx-lm starts small; these give logits of a few units, so that a wrong scale shows.
    weights = {
        name: mx.ones(value.shape) if value.ndim == 1 else mx.random.normal(value.shape) * 0.3
        for name, value in tree_flatten(model.parameters())
    }
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG))
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "eos_token": "<unk>"})
    )
    return find(folder)


def spec_of(**changes: object) -> AdapterSpec:
    values: dict[str, object] = {
        "base": "tiny",
        "hf_base": "org/tiny",
        "rank": 4,
        "scale": 2.0,
        "dropout": 0.0,
        "targets": ("mlp.down_proj", "mlp.up_proj", "self_attn.q_proj", "self_attn.v_proj"),
        "layers": 3,
        "total_layers": 3,
    }
    return AdapterSpec(**{**values, **changes})  # type: ignore[arg-type]


def save_adapter(base: StoredModel, spec: AdapterSpec, folder: Path) -> None:
    """An adapter as training would leave it, but with random B: at its start, B is zero and nothing would show."""
    model = load(base).model
    adapter.attach(model, spec, seed=3)
    mx.random.seed(5)
    model.load_weights(
        [(name, mx.random.normal(value.shape) * 0.2) for name, value in tree_flatten(model.trainable_parameters())],
        strict=False,
    )
    adapter.save(model, spec, folder)


def write_pairs(
    folder: Path, spec: AdapterSpec, dtype: mx.Dtype = mx.float32, *, drop: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """adapters.safetensors of random pairs (width 8) for the spec's modules; returns them in float32."""
    rng = np.random.default_rng(0)
    arrays = {}
    for layer in range(spec.total_layers - spec.layers, spec.total_layers):
        for target in spec.targets:
            arrays[f"model.layers.{layer}.{target}.lora_a"] = rng.normal(size=(8, spec.rank)).astype(np.float32)
            arrays[f"model.layers.{layer}.{target}.lora_b"] = rng.normal(size=(spec.rank, 6)).astype(np.float32)
    kept = {name: mx.array(array).astype(dtype) for name, array in arrays.items() if not name.startswith(drop or "-")}
    adapter.save_arrays(kept, folder / "adapters.safetensors")
    return {name: np.array(array.astype(mx.float32)) for name, array in kept.items()}
