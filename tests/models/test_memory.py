from __future__ import annotations

from pathlib import Path

from augmlx.models import memory


def test_the_machine_has_memory() -> None:
    assert 2**28 < memory.total_memory_bytes() < 2**50


def test_model_bytes_counts_weights_only(tmp_path: Path) -> None:
    (tmp_path / "model-1.safetensors").write_bytes(b"12345")
    (tmp_path / "model-2.safetensors").write_bytes(b"678")
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    assert memory.model_bytes(tmp_path) == 8
