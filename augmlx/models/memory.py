"""How much memory there is, and what a model takes of it. All sizes in bytes."""

from __future__ import annotations

import os
from pathlib import Path

from augmlx.errors import storage_errors


def total_memory_bytes() -> int:
    """The machine's memory, or the container's limit where that is lower."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_container_limits()])


def model_bytes(path: Path) -> int:
    """What the weights of a model folder take on disk, which is what they take in memory."""
    with storage_errors(path):
        return sum(file.stat().st_size for file in path.glob("*.safetensors"))


def _container_limits() -> list[int]:
    """The memory limit of the control group of this process, if it has one."""
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []
