from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from augmlx.models import memory

SMOLLM2 = {
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "hidden_size": 576,
    "vocab_size": 49152,
}


def test_a_token_of_smollm2() -> None:
    assert memory.kv_bytes_per_token(SMOLLM2, 4) == 2 * 30 * 3 * 64 * 4
    assert memory.kv_bytes_per_token({**SMOLLM2, "head_dim": 128}, 2) == 2 * 30 * 3 * 128 * 2
    assert memory.kv_bytes_per_token({**SMOLLM2, "num_key_value_heads": None}, 4) == 2 * 30 * 9 * 64 * 4


@given(st.integers(1, 8192), st.sampled_from([2, 4]), st.integers(0, 10**11), st.integers(1, 512))
def test_rows_fit_and_stay_within_the_limit(tokens: int, itemsize: int, available: int, limit: int) -> None:
    rows = memory.batch_rows(SMOLLM2, tokens, itemsize, available, limit)
    assert 1 <= rows <= limit
    if rows > 1:
        assert rows * tokens * memory.kv_bytes_per_token(SMOLLM2, itemsize) <= available
    assert rows <= memory.batch_rows(SMOLLM2, tokens, itemsize, 2 * available, limit)


def test_the_machine_has_memory() -> None:
    assert memory.available_bytes() > 0
    assert 2**28 < memory.total_memory_bytes() < 2**50


def test_model_bytes_counts_weights_only(tmp_path: Path) -> None:
    (tmp_path / "model-1.safetensors").write_bytes(b"12345")
    (tmp_path / "model-2.safetensors").write_bytes(b"678")
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    assert memory.model_bytes(tmp_path) == 8
