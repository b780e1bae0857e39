"""The columns of bench_train.py: the same training by mlx_lm.lora, by augmlx, and by torch + PEFT.

Each runs in a process of its own, so that its peak memory is its own: `train_columns.py COLUMN
FOLDER` reads the work from FOLDER/work.json and prints what came of it as JSON. The MLX columns
import augmlx first, which gives mlx_lm the fast BLAS, too; torch has its own, and is spared it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augmlx.models.loading import LoadedModel

RANK, SCALE = 16, 2.0
PROBED = 32  # examples on which the losses of all columns are compared


@dataclass(frozen=True, slots=True)
class Work:
    """What every column does. `data` holds train.jsonl, with rows of {"id", "text"}."""

    model: str  # its folder
    data: str
    batch_size: int
    epochs: int
    learning_rate: float
    products: list[
        list[int]
    ]  # (n, k, m) of the matrix products of a step, to measure the machine by

    def rows(self) -> list[dict[str, str]]:
        return [
            json.loads(line) for line in (Path(self.data) / "train.jsonl").read_text().splitlines()
        ]


class Watch:
    """The seconds of each step, the machine's rate of products behind it, and the loss on the
    probed examples before the first and after each epoch.

    `step` is called behind every step. What it does itself is outside the clock, and outside the
    peak of memory.
    """

    def __init__(
        self,
        rows: int,
        work: Work,
        loss: Callable[[], float],
        peak: Callable[[], int] = lambda: 0,
        rate: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._steps_an_epoch, self._loss, self._peak, self._rate = (
            rows // work.batch_size,
            loss,
            peak,
            rate,
        )
        self.losses, self.seconds, self.rates, self.peak = [loss()], list[float](), list[float](), 0
        peak()
        self._tick = time.perf_counter()

    def step(self) -> None:
        self.seconds.append(time.perf_counter() - self._tick)
        self.peak = max(self.peak, self._peak())
        self.rates.append(self._rate())
        if len(self.seconds) % self._steps_an_epoch == 0:
            self.losses.append(self._loss())
        self._peak()
        self._tick = time.perf_counter()


def mlx_watch(model: Any, tokens: Sequence[Sequence[int]], work: Work) -> Watch:
    import mlx.core as mx
    import mlx.nn as nn

    def loss() -> float:
        total = 0.0
        for row in probed(
            tokens
        ):  # one by one, so that this is no code of either column and takes little memory
            logits = model(mx.array([row[:-1]]))[0].astype(mx.float32)  # (T, V)
            total += nn.losses.cross_entropy(logits, mx.array(row[1:]), reduction="sum").item()
        return total / sum(len(row) - 1 for row in probed(tokens))

    def peak() -> int:
        """Bytes since the last call."""
        reached = mx.get_peak_memory()
        mx.reset_peak_memory()
        return int(reached)

    return Watch(len(tokens), work, loss, peak, sgemm(work.products))


def probed(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(row) for row in tokens[:: -(-len(tokens) // PROBED)]]


def train_mlx_lm(work: Work, folder: Path) -> dict[str, Any]:
    """mlx_lm.lora's own `train_model`, with the arguments of its command line; a report of every
    step.
    """
    import types

    from augmlx.models import loading
    from augmlx.models.store import folder as store

    import numpy as np  # isort: skip
    from mlx_lm import lora  # isort: skip
    from mlx_lm.tuner.callbacks import TrainingCallback  # isort: skip

    loaded, rows = loading.load(store.find(work.model)), work.rows()
    values = {
        **lora.CONFIG_DEFAULTS,
        "model": work.model,
        "train": True,
        "data": work.data,
        "num_layers": -1,
        "batch_size": work.batch_size,
        "iters": work.epochs * (len(rows) // work.batch_size),
        "learning_rate": work.learning_rate,
        "optimizer_config": {"adam": {"bias_correction": True}},
        "steps_per_report": 1,
        "adapter_path": str(folder / "adapter"),
        "lora_parameters": {
            "rank": RANK,
            "dropout": 0.0,
            "scale": SCALE,
            "keys": list(targets(loaded)),
        },
    }
    arguments = types.SimpleNamespace(**values)
    np.random.seed(arguments.seed)
    train_set, valid_set, _ = lora.load_dataset(arguments, loaded.tokenizer)
    tokens = [train_set.process(row)[0] for row in rows]
    watch = mlx_watch(loaded.model, tokens, work)
    trained = [0]

    class Report(TrainingCallback):
        def on_train_loss_report(self, info: dict[str, Any]) -> None:
            watch.step()
            trained.append(int(info["trained_tokens"]))

    lora.train_model(arguments, loaded.model, train_set, valid_set, Report())
    padding = work.batch_size * len(watch.seconds)  # it counts one pad token for each row
    return outcome(watch, tokens, trained[-1] - padding)


def targets(loaded: LoadedModel) -> tuple[str, ...]:
    from augmlx.core.settings import TrainSettings
    from augmlx.training.targets import adapter_spec

    return adapter_spec(loaded, TrainSettings(rank=RANK)).targets


def train_augmlx(work: Work, folder: Path) -> dict[str, Any]:
    from augmlx.core.progress import Silent
    from augmlx.core.settings import Settings, TrainSettings
    from augmlx.models.store import folder as store
    from augmlx.training import fit

    config = TrainSettings(
        rank=RANK,
        scale=SCALE,
        schedule="constant",
        warmup=0.0,
        learning_rate=work.learning_rate,
        epochs=work.epochs,
        batch_size=work.batch_size,
        max_length=2048,
        compile="always",  # as mlx_lm.lora compiles its step
    )
    ready = fit.prepare(
        store.find(work.model), work.rows(), Settings(model=work.model, train=config)
    )
    tokens = [row.tokens for row in ready.plan.rows]
    watch = mlx_watch(ready.loaded.model, tokens, work)

    class Watching(Silent):
        @contextmanager
        def task(self, *_: Any, **__: Any) -> Iterator[Any]:
            yield self

        def advance(self, *_: Any, **__: Any) -> None:
            watch.step()

    counts = fit.fit(ready, folder, progress=Watching(), label="Training")
    return outcome(watch, tokens, counts["tokens"])


def train_torch(work: Work, _: Path) -> dict[str, Any]:
    """A plain loop: shuffled, each batch padded on the right to its own longest."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(work.model, local_files_only=True)
    base = AutoModelForCausalLM.from_pretrained(
        work.model, dtype=torch.float32, local_files_only=True
    )
    torch.manual_seed(0)
    names = sorted({name.rpartition(".")[2] for name in targets_in(base)})
    about = LoraConfig(
        r=RANK, lora_alpha=int(RANK * SCALE), target_modules=names, task_type="CAUSAL_LM"
    )
    model = get_peft_model(base, about).train()
    optimizer = torch.optim.Adam(
        [p for p in model.parameters() if p.requires_grad], lr=work.learning_rate
    )
    tokens = [[*tokenizer.encode(row["text"]), tokenizer.eos_token_id] for row in work.rows()]

    def mean_loss(rows: Sequence[Sequence[int]]) -> Any:
        width = max(len(row) for row in rows)
        padded = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])  # (B, T)
        real = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        labels = padded.masked_fill(real == 0, -100)
        return model(input_ids=padded, attention_mask=real, labels=labels, use_cache=False).loss

    def loss() -> float:
        total = 0.0
        with torch.inference_mode():
            for row in probed(tokens):
                total += mean_loss([row]).item() * (len(row) - 1)
        return total / sum(len(row) - 1 for row in probed(tokens))

    watch, trained = Watch(len(tokens), work, loss), 0
    for epoch in range(work.epochs):
        order = list(range(len(tokens)))
        Random(epoch).shuffle(order)
        for start in range(0, len(order), work.batch_size):
            batch = [tokens[index] for index in order[start : start + work.batch_size]]
            optimizer.zero_grad()
            mean_loss(batch).backward()
            optimizer.step()
            trained += sum(len(row) - 1 for row in batch)
            watch.step()
    return outcome(watch, tokens, trained)


def targets_in(model: Any) -> list[str]:
    import torch

    return [
        n for n, part in model.model.layers[0].named_modules() if isinstance(part, torch.nn.Linear)
    ]


def outcome(watch: Watch, tokens: Sequence[Sequence[int]], trained: int) -> dict[str, Any]:
    """The first epoch warms up and compiles in every column, and is not timed. Raises where steps
    or tokens lack.
    """
    epochs = len(watch.losses) - 1
    an_epoch = sum(len(row) - 1 for row in tokens)
    if trained != epochs * an_epoch:
        raise ValueError(f"trained on {trained} tokens, not {epochs} times {an_epoch}")
    steps = len(watch.seconds) // epochs
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )
    return {
        "tokens_per_second": (epochs - 1) * an_epoch / sum(watch.seconds[steps:]),
        "seconds_per_step": sum(watch.seconds[steps:]) / len(watch.seconds[steps:]),
        "peak_mlx_mb": watch.peak / 1e6,
        "peak_rss_mb": peak,
        "losses": watch.losses,
        "tokens": trained,
        "sgemm_gflops": sum(watch.rates[steps:]) / len(watch.rates[steps:]),
    }


def sgemm(shapes: Sequence[Sequence[int]]) -> Callable[[], float]:
    """What measures the best rate (GFLOP/s), just now, of float32 products (n, k) @ (k, m) of these
    shapes and of a large square one, on MLX's default device.
    """
    import mlx.core as mx

    def rate(n: int, k: int, m: int) -> float:
        left, right = (
            mx.random.normal((n, k)),
            mx.random.normal((m, k)).T,
        )  # as a linear layer has its weights
        mx.eval(left, right, left @ right)
        start = time.perf_counter()
        mx.eval(left @ right)
        return 2 * n * k * m / (time.perf_counter() - start) / 1e9

    return lambda: max(rate(*shape) for shape in [*shapes, (2048, 2048, 2048)])


COLUMNS = {"mlx_lm.lora": train_mlx_lm, "augmlx": train_augmlx, "torch + PEFT": train_torch}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    work = Work(**json.loads((given.folder / "work.json").read_text()))
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):  # mlx_lm prints its own table
        result = COLUMNS[given.column](work, given.folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
