"""The benchmark of training: its counting by hand, its texts by law, and a run of one step an epoch
on a tiny model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_model

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import bench_train
import train_cases
from train_cases import CASES, Case

TINY = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 4,
    "vocab_size": 100,
}


def test_the_operations_are_those_that_pencil_and_paper_find() -> None:
    attention, mlp = 8 * 8 + 2 * 8 * 4 + 8 * 8, 3 * 8 * 16
    frozen = 3 * (attention + mlp) + 8 * 100
    adapters = 3 * 16 * (16 + 2 * 12 + 16 + 3 * 24)
    pairs = 1 + 2 + 3 + 1  # of rows of 3 and of 1 input
    assert (
        bench_train.operations(TINY, [4, 2]) == 4 * (4 * frozen + 6 * adapters) + 12 * 8 * 3 * pairs
    )


def test_the_products_are_those_of_a_step_there_and_back() -> None:
    shapes = bench_train.products(TINY, 7)
    assert {n for n, _, _ in shapes} == {7}
    assert {(k, m) for _, k, m in shapes} == {(m, k) for _, k, m in shapes}
    assert [7, 8, 100] in map(list, shapes)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_counts_are_whole_batches(case: Case) -> None:
    """mlx_lm.lora would not train on the rest."""
    assert case.count % case.batch_size == 0
    assert case.epochs >= 2  # the first is not timed


@given(st.integers(1, 12), st.integers(40, 100), st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_prose_is_as_long_as_was_asked(count: int, least: int, more: int) -> None:
    case = Case("", count, 1, 2, 1, 1e-3, (least, least + more))
    written = train_cases.texts(case, count, lambda text: len(text.split()))
    lengths = sorted(len(text.split()) + 1 for text in written)  # with the token that ends it
    assert len(lengths) == count
    assert lengths[0] >= least
    assert lengths[-1] == least + more
    assert written == train_cases.texts(case, count, lambda text: len(text.split()))


def bench(tmp_path: Path, *arguments: str) -> tuple[str, dict[str, dict[str, object]]]:
    model = write_model(tmp_path / "model").path
    command = [sys.executable, bench_train.__file__, "--model", model, "--quick", *arguments]
    done = subprocess.run(
        [*command, "--json", tmp_path / "found.json"], check=False, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr  # on so small a model no bar of speed is sure
    found = json.loads((tmp_path / "found.json").read_text())
    assert (done.returncode == 0) == all(bar["ok"] for bar in found["bars"].values())
    return done.stdout, found


def test_both_mlx_columns_do_the_same_work_and_learn_the_same(tmp_path: Path) -> None:
    printed, found = bench(tmp_path, "--cases", "a", "--no-torch")
    figures, bars = found["figures"], found["bars"]
    shared = {"a_times_mlx_lm", "a_mfu", "a_loss_before", "a_loss_fall"}
    assert bars.keys() == {*shared, "a_held_times_plain"}
    assert bars["a_loss_before"]["ok"]  # type: ignore[index]
    assert bars["a_loss_fall"]["ok"]  # type: ignore[index]
    assert figures["a augmlx tokens"] == figures["a mlx_lm.lora tokens"]
    assert figures["a augmlx, held tokens"] == figures["a augmlx tokens"]
    assert figures["a augmlx, held losses"] != figures["a augmlx losses"]
    assert 0 < figures["a augmlx mfu"] < 1  # type: ignore[operator]
    assert "mlx_lm.lora" in printed


@pytest.mark.hf
@pytest.mark.skipif(util.find_spec("peft") is None, reason="needs the [hf] extra")
def test_torch_is_the_third_column(tmp_path: Path) -> None:
    _, found = bench(tmp_path, "--cases", "a")
    assert found["bars"]["a_loss_before"]["ok"]  # type: ignore[index]
    figures = found["figures"]
    assert figures["a torch + PEFT tokens"] == figures["a augmlx tokens"]
    assert figures["a torch, held tokens"] == figures["a augmlx tokens"]
    assert figures["a torch, held losses"] != figures["a torch + PEFT losses"]
