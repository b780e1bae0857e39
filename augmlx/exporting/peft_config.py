"""PEFT's adapter_config.json: what it says of an adapter of ours, and what another's says of its
adapter.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

from augmlx.core.errors import ModelError, storage_errors
from augmlx.core.records import AdapterSpec, Json
from augmlx.exporting.architectures import Architecture
from augmlx.exporting.trained_matrices import Place

CONFIG = "adapter_config.json"
# Keys of adapter_config.json that say nothing of what the weights compute, or are read here.
_KNOWN = frozenset(
    """alpha_pattern auto_mapping base_model_name_or_path bias eva_config exclude_modules
    fan_in_fan_out inference_mode init_lora_weights layers_pattern layers_to_transform lora_alpha
    lora_dropout megatron_core peft_type peft_version qalora_group_size r rank_pattern revision
    runtime_config target_modules task_type use_dora use_rslora""".split()
)
# Ways to start that change the base as well: without it, the matrices mean something else.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


def peft_config(
    spec: AdapterSpec,
    base: str,
    alpha_of_rank: Mapping[int, int],
    places: list[Place],
    known: Architecture,
) -> Json:
    """adapter_config.json as an object: only what PEFT, vLLM, Ollama and llama.cpp need; nothing
    of this machine.

    Args:
        base: the Hugging Face name of the base model.
        alpha_of_rank: lora_alpha for each rank that a module has.
        places: the modules that carry an adapter.
        known: how transformers calls them.
    """
    largest = max(alpha_of_rank)
    layers = sorted({place.layer for place in places})
    config: Json = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": largest,
        "lora_alpha": alpha_of_rank[largest],
        "lora_dropout": spec.dropout,
        "bias": "none",
        "use_dora": spec.kind == "dora",
    }
    if known.convolutions:
        config["fan_in_fan_out"] = True
    config |= _patterns(spec, alpha_of_rank, places, known.hf_layers)
    if known.towers or not _every_layer_has_the_same(places):
        # Hybrid models, those with eyes, heads and embeddings. PEFT warns of a module that it
        # adapts and finds no weights for, so each is named in full.
        return {**config, "target_modules": [place.path(known.hf_layers) for place in places]}
    config["target_modules"] = _module_names(places)
    pattern = known.hf_layers.rpartition(".")[2]
    if layers != list(range(spec.total_layers)):
        config |= {"layers_to_transform": layers, "layers_pattern": pattern}
    return config


def _patterns(
    spec: AdapterSpec, alpha_of_rank: Mapping[int, int], places: list[Place], layers: str
) -> Json:
    """The modules of a smaller rank than the largest, by their whole names: PEFT takes these keys
    for the ends of modules' names, of which one may end another.
    """
    ranks = {place.path(layers): spec.rank_of(place.module) for place in places}
    smaller = {path: rank for path, rank in ranks.items() if rank < max(alpha_of_rank)}
    if not smaller:
        return {}
    alphas = {path: alpha_of_rank[rank] for path, rank in smaller.items()}
    return {"rank_pattern": smaller, "alpha_pattern": alphas}


def _every_layer_has_the_same(places: list[Place]) -> bool:
    if any(place.is_outside for place in places):
        return False
    layers = {place.layer for place in places}
    modules = {place.module for place in places}
    return len(places) == len(layers) * len(modules)


def _module_names(places: list[Place]) -> list[str]:
    """A name alone means every module of that name; where there are modules inside of modules, such
    as shared experts, others may have it too, so paths are given.
    """
    modules = {place.module for place in places}
    if any(module.count(".") != 1 for module in modules):
        return sorted(modules)
    return sorted({module.rpartition(".")[2] for module in modules})


def read_config(folder: Path) -> Json:
    """What the adapter_config.json of a folder says. Raises ModelError where there is none."""
    path = folder / CONFIG
    if not path.is_file():
        raise ModelError(
            f"{folder}: no {CONFIG}", hint="name the folder of a PEFT adapter, downloaded before"
        )
    try:
        with storage_errors(path):
            config = json.loads(path.read_text("utf-8"))
        if not isinstance(config, dict):
            raise ValueError("not a JSON object")
    except ValueError as error:
        raise ModelError(f"{path}: not valid JSON: {error}", hint="copy it again") from error
    return config


def refuse_unknown(path: Path, config: Json) -> None:
    """Raises ModelError where the adapter is more than LoRA or DoRA matrices: what it has besides
    would be lost in silence.
    """
    if config.get("peft_type") != "LORA":
        raise ModelError(
            f"{path}: a PEFT adapter of type {config.get('peft_type')}; mlx-lm has LoRA and DoRA"
        )
    unknown = sorted(key for key, value in config.items() if value and key not in _KNOWN)
    if config.get("bias") not in (None, "none"):
        unknown.append("bias")
    if unknown:
        raise ModelError(f"{path}: mlx-lm has nothing for {', '.join(unknown)}")
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.startswith(_CHANGES_BASE):
        raise ModelError(
            f"{path}: init_lora_weights '{start}' changes the base model besides",
            hint="save it in PEFT with path_initial_model_for_weight_conversion first",
        )


def scale_of(config: Json, module: str, rank: int, path: Path) -> float:
    """What PEFT multiplies B A of a module by: alpha / rank, or alpha / sqrt(rank) where it is
    rsLoRA.

    Raises:
        ModelError: `path`, where the config was read, has a pattern that is none.
    """
    alpha = float(config.get("lora_alpha", 8))
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        try:
            matches = re.match(rf"(.*\.)?({pattern})$", module)  # as PEFT does
        except re.error as error:
            raise ModelError(f"{path}: alpha_pattern: {error}") from error
        if matches:
            alpha = float(value)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
