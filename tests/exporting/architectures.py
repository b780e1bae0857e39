"""Tiny random models, made by transformers, of the architectures that exporting is proven for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny import CORPUS, SIZES, VOCABULARY, tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from augmlx.models.formats import gguf_tokenizer
from augmlx.models.store.folder import StoredModel, find

_BASE: dict[str, Any] = {
    **SIZES,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 0,
}
_GPT = {"n_layer": 2, "n_embd": 32, "n_head": 4, "n_positions": 128, "n_ctx": 128}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
_VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}

# What each needs besides, by its model_type.
KINDS: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {},
    "ministral3": {},
    "qwen2": {},
    "qwen3": {},
    "gemma2": {"query_pre_attn_scalar": 8},
    "gemma3_text": {
        "hidden_size": 64,  # mlx-lm rounds the root of it to bfloat16
        "query_pre_attn_scalar": 8,
        "sliding_window": 64,
        "sliding_window_pattern": 2,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "gemma3": {},
    "phi": {"num_key_value_heads": 4, "partial_rotary_factor": 0.5},
    "phi3": {},
    "olmo2": {},
    "olmo3": {"layer_types": ["sliding_attention", "full_attention"]},
    "granite": {"embedding_multiplier": 2.0, "residual_multiplier": 0.5},
    "smollm3": {"no_rope_layers": [1, 0]},
    "cohere": {},
    "cohere2": {
        "sliding_window": 64,
        "sliding_window_pattern": 2,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "starcoder2": {"hidden_act": "gelu"},  # as mlx-lm computes it, whatever the config says
    "stablelm": {"partial_rotary_factor": 0.5},
    "gpt2": _GPT,
    "gpt_neox": {
        "rotary_pct": 0.25,
        "intermediate_size": 128,
        "hidden_act": "gelu_pytorch_tanh",  # as mlx-lm computes it, whatever the config says
    },
    "gptj": {**_GPT, "rotary_dim": 8},
    "glm4": {"partial_rotary_factor": 0.5},
    "helium": {},
    "exaone4": {
        "sliding_window": 64,
        "sliding_window_pattern": "LG",
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "nemotron": {"partial_rotary_factor": 0.5},
    "ernie4_5": {"use_bias": False},
    "hunyuan_v1_dense": {},
    "seed_oss": {},
    "internlm3": {},
    "mixtral": {"num_local_experts": 4},
    "qwen2_moe": {**_EXPERTS, "shared_expert_intermediate_size": 32},
    "qwen3_moe": _EXPERTS,
    "olmoe": _EXPERTS,
    "granitemoe": {"num_local_experts": 4, "num_experts_per_tok": 2},
}


def write_base(folder: Path, kind: str) -> StoredModel:
    """A model folder as transformers saves it, with its rotary settings where files of the Hub have
    them.
    """
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(4)
    model = AutoModelForCausalLM.from_config(_config(kind), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:  # norms and biases: not all 1 and 0, so that each shows
                parameter += 0.1 * torch.randn_like(parameter)
            else:
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    if kind == "gpt2":
        _without_prefix(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(_as_on_the_hub(config)))
    tokenizer().save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "bos_token": "<s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return find(folder)


CHAT = (
    "{%- for m in messages %}{%- if loop.first and m.role != 'system' %}<|im_start|>system\n"
    "Be good.<|im_end|>\n{%- endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{%- endfor %}{%- if add_generation_prompt %}<|im_start|>assistant\n{%- endif %}"
)
SPOKEN = ("<|im_end|>", "<|im_start|>")


def write_talking_base(folder: Path, kind: str = "llama") -> StoredModel:
    """The same with a byte-level tokenizer that splits texts as SmolLM's does, and a chat
    template.
    """
    write_base(folder, kind)
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = gguf_tokenizer.split_of("digits").pre_tokenizer
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["</s>", "<s>", *SPOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    made.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "<|im_end|>",
        "chat_template": CHAT,
        "name_or_path": "/home/someone/models/tiny",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return find(folder)


def _config(kind: str) -> Any:
    from transformers import CONFIG_MAPPING

    if kind == "gemma3":
        text = {**_BASE, **KINDS["gemma3_text"]}
        return CONFIG_MAPPING[kind](text_config=text, vision_config=_VISION, mm_tokens_per_image=4)
    return CONFIG_MAPPING[kind](**{**_BASE, **KINDS[kind]})


def _without_prefix(path: Path) -> None:
    """GPT-2's weights are called on the Hub as its body has them, and mlx-lm knows only those."""
    import mlx.core as mx

    weights = mx.load(str(path))
    assert isinstance(weights, dict)
    plain = {name.removeprefix("transformer."): array for name, array in weights.items()}
    mx.save_safetensors(str(path), plain, {"format": "pt"})


def _as_on_the_hub(config: dict[str, Any]) -> dict[str, Any]:
    """transformers 5 writes the rotary settings as one object; the models of the Hub, which mlx-lm
    reads, have most of them by themselves.
    """
    if "text_config" in config:
        text = _as_on_the_hub(config["text_config"])
        return {**config, "text_config": text, "vocab_size": VOCABULARY}
    rotary = config.get("rope_parameters") or {}
    if "full_attention" in rotary:
        local = rotary["sliding_attention"]
        config |= {"rope_local_base_freq": local["rope_theta"]}
        rotary = rotary["full_attention"]
    flat = {key: rotary[key] for key in ("rope_theta", "partial_rotary_factor") if key in rotary}
    if "rotary_pct" in KINDS.get(config["model_type"], {}):
        flat |= {"rotary_pct": KINDS["gpt_neox"]["rotary_pct"], "rotary_emb_base": 10000}
    if "num_local_experts" in config:
        flat |= {"num_experts": config["num_local_experts"]}
    return {**config, **flat, "rope_scaling": None}
