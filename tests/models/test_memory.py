from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Literal

import mlx.core as mx
import pytest

from augmlx.core.errors import BadSettings
from augmlx.core.settings import MemorySettings
from augmlx.models import memory


def test_the_machine_has_memory() -> None:
    assert 2**28 < memory.total_memory_bytes() < 2**50


def test_model_bytes_counts_weights_only(tmp_path: Path) -> None:
    (tmp_path / "model-1.safetensors").write_bytes(b"12345")
    (tmp_path / "model-2.safetensors").write_bytes(b"678")
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    assert memory.model_bytes(tmp_path) == 8


GPU = {"max_recommended_working_set_size": 8 * 10**9}


def cache_limit() -> int:
    """MLX tells a limit only when it is set."""
    before = mx.set_cache_limit(0)
    mx.set_cache_limit(before)
    return before


def entered(settings: MemorySettings) -> None:
    with memory.limited(settings, computes=True):
        pass


@pytest.mark.parametrize("raising", [False, True])
def test_the_cache_limit_holds_for_the_block_alone(raising: bool) -> None:
    before = cache_limit()
    with (
        contextlib.suppress(KeyboardInterrupt),
        memory.limited(MemorySettings(cache=0.25), computes=True),
    ):
        assert cache_limit() == 250_000_000
        if raising:
            raise KeyboardInterrupt
    assert cache_limit() == before


def test_auto_leaves_the_cache_limit_alone() -> None:
    before = cache_limit()
    with memory.limited(MemorySettings(), computes=True):
        assert cache_limit() == before


def test_the_peak_is_of_the_block_alone() -> None:
    mx.eval(mx.zeros((1024, 1024)))
    alive = mx.get_active_memory()  # of tests before
    with memory.limited(MemorySettings(), computes=True) as peak:
        assert peak() is None
        mx.eval(mx.zeros((256, 1024)) + 1)
        assert 2**20 <= (peak() or 0) - alive < 2**22


def test_a_wired_limit_is_refused_where_there_is_none() -> None:
    before = cache_limit()
    with pytest.raises(BadSettings, match=r"memory\.wired: 2 GB") as caught:
        entered(MemorySettings(wired=2.0, cache=0.5))
    assert caught.value.hint
    assert cache_limit() == before
    entered(MemorySettings(wired=0.0))  # which is so anyway


def test_a_cache_larger_than_the_machine_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"memory\.cache: 1e\+15 GB is more than"):
        entered(MemorySettings(cache=1e15))


@pytest.mark.parametrize(
    ("wired", "expected"), [("auto", 8 * 10**9), (2.5, 2_500_000_000), (0.0, 0)]
)
def test_on_a_gpu_the_wired_limit_is_set_and_restored(
    monkeypatch: pytest.MonkeyPatch, wired: float | Literal["auto"], expected: int
) -> None:
    """MLX's CPU backend takes no limit, so what it would be told is written down here."""
    told = [1234]

    def set_limit(size: int) -> int:
        told.append(size)
        return told[-2]

    monkeypatch.setattr(mx, "device_info", lambda: GPU)
    monkeypatch.setattr(mx, "set_wired_limit", set_limit)
    with (
        contextlib.suppress(KeyboardInterrupt),
        memory.limited(MemorySettings(wired=wired), computes=True),
    ):
        assert told == [1234, expected]
        raise KeyboardInterrupt
    assert told == [1234, expected, 1234]
    with pytest.raises(BadSettings, match=r"9 GB is more than the 8\.0 GB"):
        entered(MemorySettings(wired=9.0))


def test_mlx_is_not_loaded_for_the_meter() -> None:
    code = (
        "import sys\n"
        "from augmlx.models import memory\n"
        "from augmlx.core.settings import MemorySettings\n"
        "with memory.limited(MemorySettings(wired=2.0), computes=False) as peak:\n"
        "    assert peak() is None\n"
        "assert 'mlx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
