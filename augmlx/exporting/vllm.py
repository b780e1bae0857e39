"""What vLLM asks of a LoRA adapter in PEFT's form, checked without vLLM: it loads an adapter only
where all of this holds, and in part gives other answers without a word where it does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from augmlx.core.errors import BadSettings
from augmlx.core.records import Json

_IN_A_LAYER = re.compile(r"\.\d+\.")
_REQUIRED = ("r", "lora_alpha", "target_modules")
_DEFAULT_RANK = 16  # --max-lora-rank where nobody says otherwise
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # that --max-lora-rank can be


def require(config: Json, tensors: Iterable[str]) -> list[str]:
    """What to know about serving it. Raises BadSettings that names all that vLLM would not load, or
    would load and compute otherwise.

    Args:
        config: adapter_config.json.
        tensors: the names in its weights file.
    """
    faults = list(_faults(config, tensors))
    if faults:
        raise BadSettings(
            f"vLLM cannot serve it: {'; '.join(faults)}",
            hint="export --format fused: vLLM serves that as a model of its own",
        )
    rank = int(config["r"])
    if rank <= _DEFAULT_RANK:
        return []
    needed = next(allowed for allowed in _RANKS if allowed >= rank)
    return [f"vLLM: its rank is {rank}, so start with --max-lora-rank {needed}"]


def _faults(config: Json, tensors: Iterable[str]) -> Iterator[str]:
    missing = [key for key in _REQUIRED if not config.get(key)]
    if missing:
        yield f"{', '.join(missing)} missing"
        return
    if config.get("use_dora"):
        yield "it is DoRA, and vLLM has LoRA alone"
    if config.get("modules_to_save"):
        yield "it brings whole modules (modules_to_save)"
    if config.get("bias", "none") != "none":
        yield "it brings biases"
    if config["r"] > _RANKS[-1]:
        yield f"its rank is {config['r']}, and {_RANKS[-1]} is the largest"
    if not isinstance(config["lora_alpha"], int):
        yield "lora_alpha is no integer"
    # One scale for all: it does not read the patterns, but takes each module's rank as it is.
    ranks: Json = config.get("rank_pattern") or {}
    alphas: Json = config.get("alpha_pattern") or {}
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    scale = alpha / rank
    for module in sorted({*ranks, *alphas}):
        own = float(alphas.get(module, alpha)) / int(ranks.get(module, rank))
        if not math.isclose(own, scale):
            yield f"{module} has a scale of its own"
            break
    outer = [name for name in tensors if not _IN_A_LAYER.search(name)]
    if outer:
        yield f"it is on modules of no layer ({outer[0]}), which vLLM serves of some models alone"
    strange = [name for name in tensors if not name.endswith(("lora_A.weight", "lora_B.weight"))]
    if strange and not config.get("use_dora"):
        yield f"its file holds {strange[0]}"
