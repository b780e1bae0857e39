"""What the scripts share that put the same questions to several programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augmlx.core.files import read_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.models.blas import load_fast_blas

_MARK = "ANSWERS "  # before the line that a child's answers stand on


def questions_of(run: Path) -> Path:
    """The file of a run's questions: those of its evaluation."""
    return RunFolder(run).eval / "items.jsonl"


def chosen(path: Path, count: int) -> list[str]:
    """Questions of a file, each once, spread over it. Exits where it has too few."""
    texts = list(dict.fromkeys(row["prompt"] for row in read_jsonl(path)))
    asked = [text for text in texts if text.rstrip().endswith("?")]
    if len(asked) < count:  # what a sentence goes on with is a question, too
        asked += [f"Complete: {text}" for text in texts if text not in asked]
    if len(asked) < count:
        sys.exit(f"{path}: {len(asked)} questions, and {count} are put; name a file: --questions")
    distance = len(asked) // count
    return asked[::distance][:count]


def same(ours: Sequence[object], theirs: Sequence[object]) -> int:
    """How many answers are the same."""
    return sum(mine == other for mine, other in zip(ours, theirs, strict=True))


def ask_child(python: str, code: str, order: Any, who: str) -> Any:
    """What a program in a process of its own says.

    Args:
        code: its source, which reads `order` as JSON and prints ANSWERS and JSON in a line.
        who: the program, for the message where it fails, on which the script ends.
    """
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code],
        input=json.dumps(order),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return json.loads(line.removeprefix(_MARK))
    sys.exit(f"{who} did not answer:\n{done.stderr[-2000:]}")


def environment() -> dict[str, str]:
    """Of a child: MLX without augmlx is some fifty times slower on Linux, but for this."""
    blas = load_fast_blas()
    return {**os.environ, "HF_HUB_OFFLINE": "1", **({"LD_PRELOAD": blas} if blas else {})}
