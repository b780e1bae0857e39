"""How much memory there is, and how many rows of a KV cache fit in it. All sizes in bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augmlx.errors import storage_errors

_RESERVE = 0.25  # of what is free: activations, logits and the rest of the machine


def total_memory_bytes() -> int:
    """The machine's memory, or the container's limit where that is lower."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_container_limits()])


def available_bytes() -> int:
    """Memory that MLX may fill now: Metal's recommended working set less what MLX holds, or what Linux has free."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return min([int(line.split()[1]) * 1024, *_container_limits()])
    import mlx.core as mx

    limit = mx.device_info().get("max_recommended_working_set_size")
    ceiling = int(limit) if limit is not None else total_memory_bytes() // 2
    return max(0, ceiling - mx.get_active_memory())


def model_bytes(path: Path) -> int:
    """What the weights of a model folder take on disk, which is what they take in memory."""
    with storage_errors(path):
        return sum(file.stat().st_size for file in path.glob("*.safetensors"))


def kv_bytes_per_token(config: Mapping[str, Any], itemsize: int) -> int:
    """Keys and values of one token in all layers, every layer with full attention.

    Args:
        config: the model's config.json.
        itemsize: bytes of one number: 4 in float32, 2 in bfloat16.
    """
    heads = int(config["num_attention_heads"])
    kv_heads = int(config.get("num_key_value_heads") or heads)
    head_dim = int(config.get("head_dim") or config["hidden_size"] // heads)
    return 2 * int(config["num_hidden_layers"]) * kv_heads * head_dim * itemsize


def batch_rows(config: Mapping[str, Any], tokens_per_row: int, itemsize: int, available_bytes: int, limit: int) -> int:
    """How many rows of `tokens_per_row` tokens may be decoded together: at least 1, at most `limit`.

    A quarter of the memory is left alone, and each row also needs room for one token's logits in float32.
    """
    row = tokens_per_row * kv_bytes_per_token(config, itemsize) + 4 * int(config.get("vocab_size", 0))
    return max(1, min(limit, int(available_bytes * (1 - _RESERVE)) // max(1, row)))


def _container_limits() -> list[int]:
    """The memory limit of the control group of this process, if it has one."""
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []
