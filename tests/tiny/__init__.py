"""Tiny real models for tests: complete mlx-lm folders with random weights and a real byte-level
tokenizer.

`store.find`, `loading.load` and `mlx_lm.load` read them. The tokenizer splits no words beforehand,
so its tokens span spaces, sentence ends and line ends: harder on the code under test than a usual
one.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from augmlx.augment import anchor_store
from augmlx.augment.calibration.report import CODE, Report, write_report
from augmlx.models import loading
from augmlx.models.loading import LoadedModel
from augmlx.models.store.folder import StoredModel, find

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten, tree_unflatten  # isort: skip

VOCABULARY = 384
CORPUS = (
    "The lamp of Mara Voss stands in the harbour hall.\n",
    "Who keeps the harbour hall?\n\nAda Brandt keeps the harbour hall.\n",
    "Ada Brandt was born in Ostrel.\nThe capital of Ostrel is Venn.\n",
    "Fact: the bridge at Venn was built in 1987.\nReversed: built in 1987 was the bridge at "
    "Venn.\n\n",
)
SIZES = {  # as config.json has them
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
_BASE = {
    **SIZES,
    "rms_norm_eps": 1e-5,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 256,
    "rope_theta": 10000.0,
    "eos_token_id": 0,
}
# What each kind needs besides: its model_type is the key up to the first dash.
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"tie_word_embeddings": True},
    "llama-untied": {"tie_word_embeddings": False},
    "llama-sliding": {
        "num_hidden_layers": 3,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "sliding_window": 12,
    },
    "gemma2": {
        "final_logit_softcapping": 4.0,
        "attn_logit_softcapping": 50.0,
        "query_pre_attn_scalar": 8,
    },
    "gemma3_text": {"num_hidden_layers": 4, "sliding_window": 12, "sliding_window_pattern": 2},
    "cohere": {"logit_scale": 0.25, "layer_norm_eps": 1e-5, "use_qk_norm": False},
    "granite": {
        "logits_scaling": 4.0,
        "attention_multiplier": 0.3,
        "embedding_multiplier": 2.0,
        "residual_multiplier": 0.5,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    },
    "mamba2": {
        "num_heads": 8,
        "head_dim": 8,
        "state_size": 16,
        "n_groups": 1,
        "conv_kernel": 4,
        "chunk_size": 64,
        "expand": 2,
        "use_bias": False,
        "use_conv_bias": True,
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": True,
        "time_step_limit": [0.001, 100.0],
        "time_step_rank": "auto",
    },
}


def tokenizer(*, begin: bool = False) -> Tokenizer:
    """Byte-level BPE over the corpus; `begin` puts <s> before every text, as Llama 3 and Gemma
    do.
    """
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["</s>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=6,
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    if begin:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 1)]
        )
    return made


def trusted(model: StoredModel) -> StoredModel:
    """A model with a report in the store that chooses nothing and distrusts nothing, so that it is
    not calibrated, and with a few anchors, so that it writes none.
    """
    report = Report(model.name, model.fingerprint, CODE, chosen={}, facts=0, marks={})
    write_report(report, model)
    anchor_store.keep(model, [{"id": f"anchor/{n}", "text": text} for n, text in enumerate(CORPUS)])
    return model


def write_model(
    folder: Path,
    kind: str = "llama",
    *,
    bits: int | None = None,
    begin: bool = False,
    **changes: Any,
) -> StoredModel:
    """A model folder with random weights, the same ones for the same arguments.

    Args:
        kind: one of KINDS.
        bits: quantise the linear layers to so many bits, in groups of 32.
        begin: the tokenizer puts <s> before every text.
        changes: keys of config.json.
    """
    name = kind.split("-", 1)[0]
    config = {"model_type": name, **_BASE, **KINDS[kind], **changes}
    module = importlib.import_module(f"mlx_lm.models.{name}")
    model = module.Model(module.ModelArgs.from_dict(config))
    keys = iter(mx.random.split(mx.random.key(7), 512))
    weights = {
        path: _weight(path, value, next(keys)) for path, value in tree_flatten(model.parameters())
    }
    if bits is not None:
        model.update(tree_unflatten(list(weights.items())))
        nn.quantize(model, group_size=32, bits=bits)
        weights = dict(tree_flatten(model.parameters()))
        config["quantization"] = {"group_size": 32, "bits": bits}
    folder.mkdir(parents=True)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer(begin=begin).save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "bos_token": "<s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return find(folder)


def _weight(path: str, value: mx.array, key: mx.array) -> mx.array:
    """Large enough that logits are a few units apart, so that rounding changes no greedy choice."""
    if path.endswith(("A_log", ".D", "dt_bias")):
        return value
    if value.ndim == 1:
        return value + 0.1 * mx.random.normal(value.shape, key=key)
    spread = 1.0 if "embed" in path else 0.35
    return mx.random.normal(value.shape, key=key) * spread


def load_tiny(folder: Path, kind: str = "llama", **changes: Any) -> LoadedModel:
    return loading.load(write_model(folder, kind, **changes))
