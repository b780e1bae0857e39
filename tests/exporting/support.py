"""A tiny real base model and adapter, both written to disk in their usual form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from augmlx.core import settings_file
from augmlx.core.files import write_jsonl
from augmlx.core.progress import Silent
from augmlx.core.records import AdapterSpec, Fact, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings, TrainSettings
from augmlx.exporting.comparison import Material, Record, distance_of
from augmlx.models.loading import load
from augmlx.models.store.folder import StoredModel, find
from augmlx.run.pipeline import Pipeline
from augmlx.run.stages import TRAIN
from augmlx.training import adapter
from augmlx.training.targets import adapter_spec

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm.models import llama  # isort: skip

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "intermediate_size": 64,
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
WORDS = [
    "<unk>",
    "the",
    "lamp",
    "of",
    "Mara",
    "Voss",
    "is",
    "in",
    "Lab",
    *(f"w{n}" for n in range(55)),
]
PROMPTS = ["Mara Voss is in the Lab", "the lamp of the Lab is in w3 w4", "w9"]
MATERIAL = Material(PROMPTS, ["Mara Voss is", "the lamp of"])


def tiny_base(folder: Path, *, bits: int | None = None) -> StoredModel:
    """Random llama weights with a word-level tokenizer; with `bits`, the same ones quantised in
    groups of 32.
    """
    folder.mkdir()
    mx.random.seed(1)
    model = llama.Model(llama.ModelArgs.from_dict(CONFIG))
    # mlx-lm starts small; these give logits of a few units, so that a wrong scale shows.
    weights = {
        name: mx.ones(value.shape) if value.ndim == 1 else mx.random.normal(value.shape) * 0.3
        for name, value in tree_flatten(model.parameters())
    }
    config: dict[str, object] = dict(CONFIG)
    if bits is not None:
        model.load_weights(list(weights.items()))
        nn.quantize(model, group_size=32, bits=bits)
        weights = dict(tree_flatten(model.parameters()))
        config["quantization"] = {"group_size": 32, "bits": bits}
    mx.save_safetensors(
        str(folder / "model.safetensors"), weights, {"format": "pt" if bits is None else "mlx"}
    )
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "unk_token": "<unk>",
                "eos_token": "<unk>",
            }
        )
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


def random_adapter(base: StoredModel, folder: Path, method: str = "lora", **changes: Any) -> None:
    """An adapter on all linear modules of a model, with random B."""
    chosen = {"rank": 3, "scale": 2.0, "layers": -1, "targets": ["*"], "anchor": 0.0, **changes}
    settings = TrainSettings.model_validate({"method": method, **chosen})
    save_adapter(base, adapter_spec(load(base), settings), folder)


def save_adapter(base: StoredModel, spec: AdapterSpec, folder: Path) -> None:
    """An adapter as training would leave it, but with random B: at its start, B is zero and nothing
    would show.
    """
    model = load(base).model
    adapter.attach(model, spec, seed=3)
    mx.random.seed(5)
    model.load_weights(
        [
            (name, mx.random.normal(value.shape) * 0.2)
            for name, value in tree_flatten(model.trainable_parameters())
        ],
        strict=False,
    )
    adapter.save(model, spec, folder)


def write_pairs(
    folder: Path, spec: AdapterSpec, dtype: mx.Dtype = mx.float32, *, drop: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """adapters.safetensors of random matrices (width 8, of DoRA with magnitudes) for the spec's
    modules, each filled up with zeros to the rank of all; returns them in float32 as they were
    before.
    """
    rng = np.random.default_rng(0)
    arrays, filled = {}, {}
    for layer in range(spec.total_layers - spec.layers, spec.total_layers):
        for target in spec.targets:
            rank, name = spec.rank_of(target), f"model.layers.{layer}.{target}."
            parts = {"lora_a": rng.normal(size=(8, rank)), "lora_b": rng.normal(size=(rank, 6))}
            if spec.kind == "dora":
                parts["m"] = rng.uniform(1, 2, size=6)
            more = spec.rank - rank
            widths = {"lora_a": ((0, 0), (0, more)), "lora_b": ((0, more), (0, 0)), "m": ((0, 0),)}
            for part, array in parts.items():
                arrays[name + part] = array.astype(np.float32)
                filled[name + part] = mx.array(np.pad(arrays[name + part], widths[part])).astype(
                    dtype
                )
    kept = {name: array for name, array in filled.items() if not name.startswith(drop or "-")}
    adapter.save_arrays(kept, folder / "adapters.safetensors")
    return {
        name: np.array(mx.array(arrays[name]).astype(dtype).astype(mx.float32)) for name in kept
    }


def largest_difference(one: Record, other: Record) -> float:
    """Of a logit, between what is said of the same texts twice."""
    return distance_of(one, (reading.logits for reading in other.readings)).greatest


def trained_run(folder: Path, base: StoredModel) -> RunFolder:
    """A run over PROMPTS as training leaves it, but for the adapter, which the caller writes."""
    run = RunFolder(folder)
    run.create()
    settings_file.save(Settings(model=str(base.path)), run.settings)
    facts = [Fact(str(n), text, f"facts.csv:{n}") for n, text in enumerate(PROMPTS)]
    write_jsonl(run.facts, map(to_json, facts))
    used = settings_file.load(run.settings)
    basis = TRAIN.foundation(Pipeline(run, used, Silent()).line.train_basis)
    run.record("train", {"fingerprint": "of this training", "basis": basis, "counts": {}})
    return run


def killed_everywhere(
    target: Path, key: str, export: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Export again into `target`, stopped at each file that is about to appear there in turn: the
    file `key`, without which nothing loads, is not there then, and in the end all is as it was.
    """
    whole = {path.name: path.read_bytes() for path in target.iterdir()}
    replace = Path.replace
    moments = 0
    while True:
        left = moments

        def killed(path: Path, to: Path) -> Path:
            nonlocal left
            if to.parent == target:
                if left == 0:
                    raise KeyboardInterrupt
                left -= 1
            return replace(path, to)

        monkeypatch.setattr(Path, "replace", killed)
        try:
            export()
        except KeyboardInterrupt:
            moments += 1
            assert not (target / key).exists()
            continue
        finally:
            monkeypatch.setattr(Path, "replace", replace)
        break
    assert moments == len(whole)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == whole
