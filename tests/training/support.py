"""A small training on a tiny model, in this process or one of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tiny import CORPUS

import augmlx
from augmlx.models import store
from augmlx.progress import Silent
from augmlx.records import Json
from augmlx.settings import Settings, TrainSettings
from augmlx.training import fit, metrics

DEFAULTS: dict[str, Any] = {
    "rank": 4,
    "epochs": 4,
    "batch_size": 4,
    "learning_rate": 5e-3,
    "checkpoint_every": 5,
    "dropout": 0.1,
    "max_length": 128,
}


def examples(count: int = 22) -> list[Json]:
    """Texts of several lengths, one of them an original."""
    lines = "".join(CORPUS).split("\n")
    pieces = [line for line in lines if line]
    return [
        {"id": f"f{n}/{'original' if n % 2 else 'reversal/1'}", "text": f"{pieces[n % len(pieces)]} {'x' * (n % 7)}"}
        for n in range(count)
    ]


def settings(**changes: Any) -> Settings:
    return Settings(seed=3, train=TrainSettings(**{**DEFAULTS, **changes}))


def fitted(model: Path, folder: Path, rows: Sequence[Json] | None = None, **changes: Any) -> Json:
    ready = fit.prepare(store.find(model), examples() if rows is None else rows, settings(**changes))
    return fit.fit(ready, folder, identity="tiny", progress=Silent(), label="Training")


def start(
    model: Path, folder: Path, *, environment: dict[str, str] | None = None, **changes: Any
) -> subprocess.Popen[bytes]:
    """The same training in a process of its own."""
    command = [sys.executable, __file__, str(model), str(folder), json.dumps(changes)]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(augmlx.__file__).parents[1])])
    return subprocess.Popen(command, env={**os.environ, **(environment or {}), "PYTHONPATH": paths})


def steps_done(folder: Path) -> int:
    return len(metrics.read(folder / "metrics.jsonl"))


def losses(folder: Path) -> list[tuple[float, float, float]]:
    """Everything in the metrics that does not depend on the clock."""
    return [(line["step"], line["epoch"], line["loss"]) for line in metrics.read(folder / "metrics.jsonl")]


def digests(folder: Path, names: Iterable[str] = ("adapters.safetensors", "adapter_config.json")) -> list[str]:
    return [hashlib.sha256((folder / "adapter" / name).read_bytes()).hexdigest() for name in names]


if __name__ == "__main__":
    if os.environ.get("AUGMLX_TEST_NUMPY_SEED"):
        import numpy as np

        np.random.seed(int(os.environ["AUGMLX_TEST_NUMPY_SEED"]))
    try:
        fitted(Path(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3]))
    except KeyboardInterrupt:
        sys.exit(130)
