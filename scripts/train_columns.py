"""The columns of bench_train.py: the same training by mlx_lm.lora, by augmlx, and by torch + PEFT;
and by the last two held at anchors besides, by KL(base || model) on one for each eight examples.

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
from functools import partial
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import jsonlines

if TYPE_CHECKING:
    from augmlx.models.loading import LoadedModel

RANK, SCALE = 16, 2.0
ROWS_TO_ONE = 8  # examples to one anchor, as augmlx has it
PROBED = 32  # examples on which the losses of all columns are compared


@dataclass(frozen=True, slots=True)
class Work:
    """What every column does.

    Args:
        model: its folder.
        data: the folder of train.jsonl and anchors.jsonl, with rows of {"id", "text"}.
        products: (n, k, m) of the matrix products of a step, to measure the machine by.
    """

    model: str
    data: str
    batch_size: int
    epochs: int
    learning_rate: float
    products: list[list[int]]

    def rows(self, file: str = "train.jsonl") -> list[dict[str, str]]:
        """The examples, or the anchors."""
        with jsonlines.open(Path(self.data) / file) as reader:
            return list(reader)


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
        self._steps_an_epoch = rows // work.batch_size
        self._loss = loss
        self._peak = peak
        self._rate = rate
        self.losses = [loss()]
        self.seconds: list[float] = []
        self.rates: list[float] = []
        self.peak = 0
        peak()
        self._tick = time.perf_counter()

    def step(self) -> None:
        """Take down a step that has just ended."""
        seconds = time.perf_counter() - self._tick
        self.seconds.append(seconds)
        self.peak = max(self.peak, self._peak())
        self.rates.append(self._rate())
        ends_epoch = len(self.seconds) % self._steps_an_epoch == 0
        if ends_epoch:
            self.losses.append(self._loss())
        self._peak()
        self._tick = time.perf_counter()


def mlx_watch(model: Any, tokens: Sequence[Sequence[int]], work: Work) -> Watch:
    import mlx.core as mx
    import mlx.nn as nn

    def loss() -> float:
        """Row by row, so that this is no code of either column and takes little memory."""
        rows = probed(tokens)
        total = 0.0
        for row in rows:
            inputs = mx.array([row[:-1]])
            targets = mx.array(row[1:])
            logits = model(inputs)[0].astype(mx.float32)  # (T, V)
            total += nn.losses.cross_entropy(logits, targets, reduction="sum").item()
        return total / targets_of(rows)

    def peak() -> int:
        """Bytes since the last call."""
        reached = mx.get_peak_memory()
        mx.reset_peak_memory()
        return int(reached)

    return Watch(len(tokens), work, loss, peak, sgemm(work.products))


def probed(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """At most PROBED of the examples, evenly spread."""
    every = ceil(len(tokens) / PROBED)
    return [list(row) for row in tokens[::every]]


def targets_of(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens are learnt: all but the first of each row."""
    return sum(len(row) - 1 for row in rows)


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

    loaded = loading.load(store.find(work.model))
    rows = work.rows()
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

    class Report(TrainingCallback):
        trained = 0

        def on_train_loss_report(self, info: dict[str, Any]) -> None:
            watch.step()
            self.trained = int(info["trained_tokens"])

    report = Report()
    lora.train_model(arguments, loaded.model, train_set, valid_set, report)
    padding = work.batch_size * len(watch.seconds)  # it counts one pad token for each row
    return outcome(watch, tokens, report.trained - padding)


def targets(loaded: LoadedModel) -> tuple[str, ...]:
    from augmlx.core.settings import TrainSettings
    from augmlx.training.targets import adapter_spec

    return adapter_spec(loaded, TrainSettings(rank=RANK, layers=-1)).targets


def train_augmlx(work: Work, folder: Path, *, held: bool = False) -> dict[str, Any]:
    from augmlx.core.progress import Silent
    from augmlx.core.settings import Settings, TrainSettings
    from augmlx.models.store import folder as store
    from augmlx.training import fit

    config = TrainSettings(
        layers=-1,
        clip=0.0,
        anchor=1.0 if held else 0.0,
        unknown=0.0,
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
        store.find(work.model),
        work.rows(),
        Settings(model=work.model, train=config),
        anchors=work.rows("anchors.jsonl") if held else (),
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


def train_torch(work: Work, _: Path, *, held: bool = False) -> dict[str, Any]:
    """A plain loop: shuffled, each batch padded on the right to its own longest. `held`: at anchors
    too, whose base distributions are computed in each step, as a second pass without the adapter.
    """
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(work.model, local_files_only=True)

    def encoded(rows: Sequence[dict[str, str]]) -> list[list[int]]:
        return [[*tokenizer.encode(row["text"]), tokenizer.eos_token_id] for row in rows]

    tokens = encoded(work.rows())
    anchors = cycle(encoded(work.rows("anchors.jsonl")) if held else [])
    model = peft_model(work.model)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learnt, lr=work.learning_rate)

    def loss() -> float:
        """Row by row."""
        rows = probed(tokens)
        total = 0.0
        with torch.inference_mode():
            for row in rows:
                mean = mean_loss(model, [row]).item()
                total += mean * (len(row) - 1)
        return total / targets_of(rows)

    watch = Watch(len(tokens), work, loss)
    trained = 0
    for epoch in range(work.epochs):
        order = list(range(len(tokens)))
        Random(epoch).shuffle(order)
        for start in range(0, len(order), work.batch_size):
            batch = [tokens[index] for index in order[start : start + work.batch_size]]
            optimizer.zero_grad()
            mean_loss(model, batch).backward()
            if some := list(islice(anchors, work.batch_size // ROWS_TO_ONE)):
                mean_divergence(model, some).backward()
            optimizer.step()
            trained += targets_of(batch)
            watch.step()
    return outcome(watch, tokens, trained)


def peft_model(folder: str) -> Any:
    """The model with an adapter on every linear module of its layers, ready to be trained."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    torch.manual_seed(0)
    names = {name.rpartition(".")[2] for name in linear_modules(base)}
    about = LoraConfig(
        r=RANK,
        lora_alpha=int(RANK * SCALE),
        target_modules=sorted(names),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(base, about).train()


def linear_modules(model: Any) -> list[str]:
    """The names of those of a layer."""
    import torch

    modules = model.model.layers[0].named_modules()
    return [name for name, module in modules if isinstance(module, torch.nn.Linear)]


def mean_divergence(model: Any, rows: Sequence[Sequence[int]]) -> Any:
    """KL(base || model) of a batch of rows, a mean over each's tokens."""
    import torch
    from torch.nn.functional import kl_div

    total = torch.zeros(())
    for row in rows:
        inputs = torch.tensor([row[:-1]])
        with torch.no_grad(), model.disable_adapter():
            base = model(input_ids=inputs, use_cache=False).logits[0].log_softmax(-1)
        own = model(input_ids=inputs, use_cache=False).logits[0].log_softmax(-1)
        total = total + kl_div(own, base, log_target=True, reduction="batchmean")
    return total / len(rows)


def mean_loss(model: Any, rows: Sequence[Sequence[int]]) -> Any:
    """Of a batch, over its real tokens."""
    import torch

    width = max(len(row) for row in rows)
    padded_rows = []
    masks = []
    for row in rows:
        padding = [0] * (width - len(row))
        padded_rows.append([*row, *padding])
        masks.append([1] * len(row) + padding)
    inputs = torch.tensor(padded_rows)  # (B, T)
    mask = torch.tensor(masks)  # (B, T)
    labels = inputs.masked_fill(mask == 0, -100)
    return model(input_ids=inputs, attention_mask=mask, labels=labels, use_cache=False).loss


def outcome(watch: Watch, tokens: Sequence[Sequence[int]], trained: int) -> dict[str, Any]:
    """What a column came to. The first epoch warms up and compiles in every column, and is not
    timed.

    Raises:
        ValueError: steps or tokens lack.
    """
    epochs = len(watch.losses) - 1
    an_epoch = targets_of(tokens)
    if trained != epochs * an_epoch:
        raise ValueError(f"trained on {trained} tokens, not {epochs} times {an_epoch}")
    warm_up = len(watch.seconds) // epochs
    seconds = watch.seconds[warm_up:]
    rates = watch.rates[warm_up:]
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rss_an_mb = 1e6 if sys.platform == "darwin" else 1e3
    return {
        "tokens_per_second": (epochs - 1) * an_epoch / sum(seconds),
        "seconds_per_step": sum(seconds) / len(seconds),
        "peak_mlx_mb": watch.peak / 1e6,
        "peak_rss_mb": peak_rss / rss_an_mb,
        "losses": watch.losses,
        "tokens": trained,
        "sgemm_gflops": sum(rates) / len(rates),
    }


def sgemm(shapes: Sequence[Sequence[int]]) -> Callable[[], float]:
    """What measures the best rate (GFLOP/s), just now, of float32 products (n, k) @ (k, m) of these
    shapes and of a large square one, on MLX's default device.
    """
    import mlx.core as mx

    def rate(n: int, k: int, m: int) -> float:
        left = mx.random.normal((n, k))
        right = mx.random.normal((m, k)).T  # as a linear layer has its weights
        mx.eval(left, right, left @ right)
        start = time.perf_counter()
        mx.eval(left @ right)
        seconds = time.perf_counter() - start
        return 2 * n * k * m / seconds / 1e9

    all_shapes = [*shapes, (2048, 2048, 2048)]
    return lambda: max(rate(*shape) for shape in all_shapes)


COLUMNS = {
    "mlx_lm.lora": train_mlx_lm,
    "augmlx": train_augmlx,
    "torch + PEFT": train_torch,
    "augmlx, held": partial(train_augmlx, held=True),
    "torch, held": partial(train_torch, held=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    work = Work(**json.loads((given.folder / "work.json").read_text()))
    train = COLUMNS[given.column]
    # mlx_lm prints its own table.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        result = train(work, given.folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
