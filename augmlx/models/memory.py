"""How much memory there is, what a model takes of it, and MLX's limits. Sizes are in bytes,
settings in GB (1e9).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from augmlx.core.errors import BadSettings, storage_errors
from augmlx.core.settings import MemorySettings


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


@contextmanager
def limited(settings: MemorySettings, computes: bool) -> Iterator[Callable[[], int | None]]:
    """MLX's limits as set, and back to what they were at the end, however that comes. Gives a
    function that tells the most memory that MLX has held since the start, None where it held none.

    Args:
        computes: whether mlx is needed for sure. Otherwise it is left alone until something else
            has loaded it, for loading it would cost a stage of a scripted engine or a server more
            than its work.

    Raises:
        BadSettings: a limit that cannot be honoured here. Nothing has been changed.
    """
    with ExitStack() as restoring:
        if computes or _loaded():
            _limit(settings, restoring)
        yield _peak


def _limit(settings: MemorySettings, restoring: ExitStack) -> None:
    import mlx.core as mx

    wired, cache = _wired_limit(settings), _cache_limit(settings)
    if cache is not None:
        restoring.callback(mx.set_cache_limit, mx.set_cache_limit(cache))
    if wired is not None:
        restoring.callback(mx.set_wired_limit, mx.set_wired_limit(wired))
        restoring.callback(
            mx.synchronize
        )  # called first: the limit must not change while something is computed
    mx.reset_peak_memory()


def _wired_limit(settings: MemorySettings) -> int | None:
    """None leaves it alone. As mlx-lm does it: a device that recommends no size cannot wire
    memory.
    """
    import mlx.core as mx

    most = mx.device_info().get("max_recommended_working_set_size")
    if settings.wired == "auto":
        return None if most is None else int(most)
    if most is None:
        if settings.wired:
            fault = (
                f"memory.wired: {settings.wired:g} GB cannot be kept wired by MLX's "
                f"{_device()} backend"
            )
            raise BadSettings(
                fault, hint="leave it at auto, which sets a limit only where there is one"
            )
        return None
    if (size := int(settings.wired * 1e9)) > int(most):
        fault = (
            f"memory.wired: {settings.wired:g} GB is more than the {int(most) / 1e9:.1f} GB "
            f"of this machine's GPU"
        )
        raise BadSettings(
            fault,
            hint="set it lower, or raise the system's limit: sudo sysctl iogpu.wired_limit_mb=MB",
        )
    return size


def _cache_limit(settings: MemorySettings) -> int | None:
    if settings.cache == "auto":
        return None
    if (size := int(settings.cache * 1e9)) > (most := total_memory_bytes()):
        fault = (
            f"memory.cache: {settings.cache:g} GB is more than this machine's memory, "
            f"{most / 1e9:.1f} GB"
        )
        raise BadSettings(fault, hint="set it lower, or leave it at auto")
    return size


def _device() -> str:
    import mlx.core as mx

    return str(mx.default_device().type.name).upper()


def _loaded() -> bool:
    return "mlx.core" in sys.modules


def _peak() -> int | None:
    if not _loaded():
        return None
    import mlx.core as mx

    return mx.get_peak_memory() or None
