"""The benchmark of scoring: its questions and figures by law, and a run of a few questions on a
tiny model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import load_tiny, write_model

from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Score

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import bench_scoring


@given(st.integers(1, 40), st.integers(10, 120))
def test_questions_are_the_same_each_time_behind_a_context_of_the_length_asked_for(
    count: int, tokens: int
) -> None:
    def length(text: str) -> int:
        return len(text.split())

    context, items = bench_scoring.questions(count, tokens, length)
    assert tokens - 8 <= length(context) <= tokens  # the longest fact is of 8 words
    assert len(items) == count
    assert all(item.prompt.startswith(context) for item in items)
    assert all(len(set(item.choices)) == 4 for item in items)
    assert bench_scoring.questions(count, tokens, length) == (context, items)


def test_the_fewest_tokens_are_those_that_pencil_and_paper_find(tmp_path: Path) -> None:
    engine = MlxEngine(load_tiny(tmp_path / "model"))
    item = bench_scoring.Asked("~a~b", ("~c~d", "~c~e~f"))  # no two of these bytes are one token
    assert engine.count("~a~b~c~e~f") == 10
    assert bench_scoring.fewest_tokens(engine, "~a", [item]) == (2, 2 + 3 + 0 + 2)


def test_a_score_of_other_tokens_is_no_agreement() -> None:
    plain = {3: Score(-2.0, 2), 5: Score(-1.0, 1)}
    ours = {3: Score(-2.25, 2), 4: Score(-9.0, 3), 5: Score(-1.0, 1)}
    assert bench_scoring.largest_difference(ours, plain) == 0.25
    assert bench_scoring.largest_difference({**ours, 5: Score(-1.0, 2)}, plain) == inf


@pytest.mark.parametrize("kind", ["llama", "mamba2"])
def test_all_ways_give_the_same_scores(tmp_path: Path, kind: str) -> None:
    model = write_model(tmp_path / "model", kind, max_position_embeddings=1024).path
    size = ["--items", "9", "--context", "60", "--sample", "6"]
    command = [
        sys.executable,
        bench_scoring.__file__,
        "--model",
        model,
        *size,
        "--json",
        tmp_path / "found.json",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # on so small a model no bar of speed is sure
    found = json.loads((tmp_path / "found.json").read_text())
    figures, bars = found["figures"], found["bars"]
    assert (done.returncode == 0) == all(bar["ok"] for bar in bars.values())
    assert bars.keys() == {"times_one_by_one", "context_prefills", "largest_difference"}
    assert bars["largest_difference"]["ok"]
    assert figures["choices"] == 36
    assert bars["context_prefills"]["ok"] == (kind == "llama")  # mamba2's caches cannot be forked
    assert figures["prefilled"] >= figures["context_tokens"] + figures["added_tokens"]
