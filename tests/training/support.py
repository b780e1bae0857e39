"""A small training on a tiny model, in this process or one of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tiny import CORPUS, write_model

import augmlx
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import Json
from augmlx.core.settings import Settings, TrainSettings
from augmlx.models import loading
from augmlx.models.attention_hook import teach
from augmlx.models.heads import Head
from augmlx.models.store import folder as store
from augmlx.training import adapter, checkpoint, fit, metrics, packing
from augmlx.training.batches import Row, text_row
from augmlx.training.layout import Arrays
from augmlx.training.loss import losses_of
from augmlx.training.targets import adapter_spec

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
from mlx.utils import tree_flatten, tree_unflatten  # isort: skip

DEFAULTS: dict[str, Any] = {
    "rank": 4,
    "epochs": 4,
    "batch_size": 4,
    "learning_rate": 5e-3,
    "checkpoint_every": 5,
    "dropout": 0.1,
    "max_length": 128,
    # What the defaults have besides is tried where it is meant.
    "layers": -1,
    "anchor": 0.0,
    "unknown": 0.0,
    "clip": 0.0,
    "average": 0.0,
}


def examples(count: int = 22) -> list[Json]:
    """Texts of several lengths, one of them an original."""
    lines = "".join(CORPUS).split("\n")
    pieces = [line for line in lines if line]
    return [
        {
            "id": f"f{n}/{'original' if n % 2 else 'reversal/1'}",
            "text": f"{pieces[n % len(pieces)]} {'x' * (n % 7)}",
        }
        for n in range(count)
    ]


def settings(**changes: Any) -> Settings:
    of_adapters = ("rank", "dropout", "average") if changes.get("method") == "full" else ()
    defaults = {name: value for name, value in DEFAULTS.items() if name not in of_adapters}
    return Settings(seed=3, train=TrainSettings(**{**defaults, **changes}))


def fitted(
    model: Path,
    folder: Path,
    rows: Sequence[Json] | None = None,
    *,
    valid: Sequence[Json] = (),
    judge: Callable[[loading.LoadedModel], Mapping[str, float]] | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Json:
    ready = fit.prepare(
        store.find(model), examples() if rows is None else rows, settings(**changes), valid
    )
    counts = fit.fit(ready, folder, progress=progress or Silent(), label="Training", judge=judge)
    checkpoint.clear(folder / "checkpoints")  # as the pipeline does, once the counts are on record
    return counts


def tuned(
    folder: Path,
    kind: str = "llama",
    *,
    bits: int | None = None,
    dropout: float = 0.0,
    **changes: Any,
) -> nn.Module:
    """A tiny model with an adapter on all of its layers that is not at its zero start, in training
    mode.
    """
    loaded = loading.load(write_model(folder, kind, bits=bits, **changes))
    targets = ("in_proj", "out_proj") if kind == "mamba2" else ("q_proj", "v_proj", "down_proj")
    chosen = TrainSettings(rank=4, targets=targets, dropout=dropout, layers=-1)
    adapter.attach(loaded.model, adapter_spec(loaded, chosen), seed=1)
    fresh = trained(loaded.model)
    keys = mx.random.split(mx.random.key(2), len(fresh))
    lora = [
        (name, 0.1 * mx.random.normal(fresh[name].shape, key=key))
        for name, key in zip(fresh, keys, strict=True)
    ]
    loaded.model.update(tree_unflatten(lora))
    loaded.model.train()
    teach(loaded.model)
    return loaded.model


def trained(model: nn.Module) -> dict[str, mx.array]:
    return dict(tree_flatten(model.trainable_parameters()))


def rows_of(lengths: Iterable[int]) -> list[Row]:
    """Rows with so many input tokens, all of which are learnt from."""
    return [
        text_row(f"r{n}", [(7 * n + 5 * k) % 380 + 2 for k in range(size)], 0, 1024)
        for n, size in enumerate(lengths)
    ]


def graded(model: nn.Module, batch: Arrays) -> tuple[float, dict[str, mx.array]]:
    """The loss of a batch and its gradients, as a step of the training has them."""
    head = Head(model)
    value, gradients = nn.value_and_grad(
        model, lambda arrays: losses_of(head, arrays, packing.caches(model, arrays))[0]
    )(batch)
    mx.eval(value, gradients)
    return value.item(), dict(tree_flatten(gradients))


def written_out(
    model: nn.Module, rows: Sequence[Row], width: int = 0, pad: int = 0
) -> tuple[float, dict[str, mx.array]]:
    """The loss written out: cross-entropy at every place of the padded batch, times its mask, over
    the mask's sum.
    """
    width = width or max(len(row.tokens) for row in rows)
    tokens = mx.array([[*row.tokens, *[pad] * (width - len(row.tokens))] for row in rows])
    mask = mx.array([[*row.mask, *[False] * (width - len(row.tokens))] for row in rows])[:, 1:]

    def loss() -> mx.array:
        each = nn.losses.cross_entropy(model(tokens[:, :-1]).astype(mx.float32), tokens[:, 1:])
        return (each * mask).sum() / mask.sum()

    value, gradients = nn.value_and_grad(model, loss)()
    return value.item(), dict(tree_flatten(gradients))


def close(a: dict[str, mx.array], b: dict[str, mx.array]) -> bool:
    """The noise of a sum is that of its largest terms, so what is small is not held to a share of
    itself.
    """

    def alike(one: mx.array, other: mx.array) -> bool:
        return bool(
            mx.allclose(one, other, rtol=1e-3, atol=1e-5 + 1e-4 * mx.abs(other).max().item())
        )

    return a.keys() == b.keys() and all(alike(a[name], b[name]) for name in a)


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
    return [
        (line["step"], line["epoch"], line["loss"])
        for line in metrics.read(folder / "metrics.jsonl")
    ]


def digests(
    folder: Path, names: Iterable[str] = ("adapters.safetensors", "adapter_config.json")
) -> list[str]:
    return [hashlib.sha256((folder / "adapter" / name).read_bytes()).hexdigest() for name in names]


if __name__ == "__main__":
    if os.environ.get("AUGMLX_TEST_NUMPY_SEED"):
        import numpy as np

        np.random.seed(int(os.environ["AUGMLX_TEST_NUMPY_SEED"]))
    try:
        fitted(Path(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3]))
    except KeyboardInterrupt:
        sys.exit(130)
