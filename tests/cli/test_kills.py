"""Kills of whole commands under the MLX engine: the same bytes in the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import trusted, write_model

from .support import journalled

NAMES = ("Ada", "Bea", "Cleo", "Dana", "Edda")
BATCH, TOTAL = 2, 5 * 2 * 4  # facts, operators, samples


@pytest.fixture
def project(tmp_path: Path) -> Path:
    base = trusted(write_model(tmp_path / "base", max_position_embeddings=4096))
    (tmp_path / "facts.csv").write_text(
        "fact\n" + "".join(f"{name} owns the {name} mill.\n" for name in NAMES)
    )
    (tmp_path / "augmlx.toml").write_text(
        f'model = "{base.path}"\n[augment]\noperators = ["reversal", "rephrase"]\n'
        f"samples = 4\nmax_tokens = 24\nbatch_size = {BATCH}\n"
    )
    return tmp_path


def start(project: Path, run: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "augmlx", "augment", "facts.csv", "-o", run]
    return subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(project: Path, run: str) -> tuple[str, bytes, bytes]:
    """What the command says on stdout, and the two files it writes."""
    process = start(project, run)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out, *(
        (project / run / name).read_bytes() for name in ("augmented.jsonl", "rejected.jsonl")
    )


def test_an_augmentation_killed_after_some_batches_ends_with_the_same_bytes(project: Path) -> None:
    undisturbed = finish(project, "undisturbed")
    assert undisturbed[0].startswith(f"5 facts: {TOTAL} produced, ")
    assert undisturbed[0].endswith(", 0 failed\n")
    assert b'"sample"' in undisturbed[1] + undisturbed[2]
    for batches in (1, 4, 9):
        process = start(project, "killed")
        while journalled(project / "killed") < batches * BATCH and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        done = journalled(project / "killed")
        assert batches * BATCH <= done < TOTAL
    assert finish(project, "killed") == undisturbed
