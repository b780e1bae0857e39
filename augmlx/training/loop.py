"""The training loop: fixed batches from the seed, one optimizer step each, checkpoints, and a line of metrics a step.

A step depends on the seed, its number and the state before it, and on nothing else; so a resumed training goes on to
the same bits.
"""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten

from augmlx.errors import AugmlxError, RunError, storage_errors
from augmlx.files import make_folder, write_text
from augmlx.models.heads import Head
from augmlx.progress import Progress
from augmlx.records import fingerprint, short_id
from augmlx.settings import TrainSettings
from augmlx.training import checkpoint
from augmlx.training.batches import Row, epoch_batches
from augmlx.training.loss import batch_arrays, mean_loss


@dataclass(frozen=True, slots=True)
class TrainResult:
    """`tokens` that carried loss, `seconds` of this process alone, the mean `loss` (nats) of the last epoch."""

    steps: int
    tokens: int
    seconds: float
    loss: float


def schedule(step: int, total: int, peak: float, warmup: float) -> float:
    """The learning rate of step 1..total: a linear rise over the warm-up share, then a linear fall to a tenth.

    One step is at the peak, whatever the numbers: the last of the rise, or the first of all.
    """
    rising = min(max(1, math.ceil(total * warmup)), max(1, total - 1))
    if step <= rising:
        return peak * step / rising
    return peak * (1 - 0.9 * (step - rising) / (total - rising))


def learning_rate(settings: TrainSettings, hidden_size: int) -> float:
    """The peak learning rate. "auto" is 5e-5 * 10 * (2000 / hidden size) ** 0.781, which Thinking Machines published
    for LoRA on Llama models with alpha 32 ("LoRA Without Regret", and the hyper-parameter pages of Tinker, 2025)."""
    if settings.learning_rate != "auto":
        return settings.learning_rate
    return float(5e-4 * (2000 / hidden_size) ** 0.781)


def train(
    model: nn.Module,
    rows: Sequence[Row],
    folder: Path,
    settings: TrainSettings,
    *,
    peak: float,
    seed: int,
    identity: str,
    progress: Progress,
    label: str,
) -> TrainResult:
    """Train the model's trainable parameters on `rows`; resumes from `folder`/checkpoints if they are its own.

    Args:
        model: with adapters attached; left in evaluation mode.
        folder: gets checkpoints/ and metrics.jsonl.
        peak: the highest learning rate.
        identity: fingerprint of data, settings and base; a checkpoint of another one is not resumed.

    Raises:
        AugmlxError: the loss or its gradients are not finite; with the step and the ids of its examples. Nothing of
            that step is written.
        RunError: a damaged checkpoint, or metrics that lack steps.
        KeyboardInterrupt: after SIGINT or SIGTERM, when the step is finished and a checkpoint written.
    """
    optimizer = optim.Adam(learning_rate=peak, bias_correction=True)
    optimizer.init(model.trainable_parameters())
    identity = fingerprint([identity, settings.learnt, seed, [row.tokens for row in rows]])
    checkpoints = folder / "checkpoints"
    make_folder(checkpoints)
    position = checkpoint.load_latest(checkpoints, model, optimizer, identity) or checkpoint.Position(0, 0)
    metrics = folder / "metrics.jsonl"
    _keep_metrics(metrics, position.step)
    head, started = Head(model), time.monotonic()
    step_of = nn.value_and_grad(model, lambda *arrays: mean_loss(head, *arrays))
    plan = _plan([len(row.tokens) for row in rows], settings, seed)
    model.train()
    with _stop_signals() as stopped, progress.task(label, len(plan), done=position.step) as task:
        for step, (epoch, batch) in enumerate(plan[position.step :], start=position.step + 1):
            tick = time.monotonic()
            chosen = [rows[index] for index in batch]
            mx.random.seed(int(short_id(seed, step), 16))  # for dropout
            optimizer.learning_rate = schedule(step, len(plan), peak, settings.warmup)
            loss, gradients = step_of(*batch_arrays(chosen))
            slope = _sum(gradients)
            optimizer.update(model, gradients)
            mx.eval(model.trainable_parameters(), optimizer.state, loss, slope)
            value = float(np.array(loss))
            # A loss may still be finite where its gradients no longer are; the next weights would not be.
            if not math.isfinite(value) or not math.isfinite(float(np.array(slope))):
                what = f"the loss is {value}" if not math.isfinite(value) else "the gradients are not finite"
                raise AugmlxError(
                    f"step {step}: {what}; its examples: {', '.join(row.id for row in chosen)}",
                    hint="lower train.learning_rate, or look at those examples",
                )
            count = sum(row.targets for row in chosen)
            position = checkpoint.Position(step, position.tokens + count)
            _append(metrics, _line(position, epoch, value, float(optimizer.learning_rate), count, tick))
            task.advance(note=f"loss {value:.3f}, {count / (time.monotonic() - tick):.0f} tokens/s")
            if stopped.is_set() or step % settings.checkpoint_every == 0 or step == len(plan):
                _flush(metrics)
                checkpoint.save(checkpoints, position, model, optimizer, identity)
            if stopped.is_set() and step < len(plan):
                raise KeyboardInterrupt
    model.eval()
    last = [line["loss"] for line in read_metrics(metrics) if line["epoch"] == settings.epochs]
    return TrainResult(position.step, position.tokens, time.monotonic() - started, sum(last) / len(last))


def _plan(lengths: Sequence[int], settings: TrainSettings, seed: int) -> list[tuple[int, list[int]]]:
    """Every step of the training: its epoch (from 1) and the indices of its rows."""
    return [
        (epoch, batch)
        for epoch in range(1, settings.epochs + 1)
        for batch in epoch_batches(lengths, settings.batch_size, seed=seed, epoch=epoch)
    ]


def _sum(gradients: dict[str, Any]) -> mx.array:
    """Of all numbers of all gradients: finite only if each of them is."""
    leaves: dict[str, mx.array] = dict(tree_flatten(gradients))
    return mx.stack([mx.sum(gradient) for gradient in leaves.values()]).sum()


def _line(position: checkpoint.Position, epoch: int, loss: float, rate: float, count: int, tick: float) -> str:
    values = {
        "step": position.step,
        "epoch": epoch,
        "loss": loss,
        "learning_rate": rate,
        "tokens": position.tokens,
        "tokens_per_second": round(count / (time.monotonic() - tick), 1),
    }
    return json.dumps(values) + "\n"


def _append(path: Path, line: str) -> None:
    with storage_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(line)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl, up to one that a crash tore off."""
    lines: list[dict[str, float]] = []
    if not path.exists():
        return lines
    with storage_errors(path):
        text = path.read_bytes()
    for line in text.splitlines(keepends=True):
        try:
            value = json.loads(line)
        except ValueError:
            break
        if not isinstance(value, dict) or not line.endswith(b"\n"):
            break
        lines.append(value)
    return lines


def _flush(path: Path) -> None:
    """Put the metrics on the disk before the checkpoint that counts on them."""
    with storage_errors(path), path.open("rb") as file:
        os.fsync(file.fileno())


def _keep_metrics(path: Path, step: int) -> None:
    """Cut the metrics back to the checkpoint, so that no step stands there twice. Raises RunError if one is missing."""
    kept = [line for line in read_metrics(path) if line["step"] <= step]
    if [line["step"] for line in kept] != list(range(1, step + 1)):
        raise RunError(
            f"{path}: does not hold every step up to the checkpoint's, {step}",
            hint=f"delete {path.parent / 'checkpoints'} and run again",
        )
    write_text(path, "".join(json.dumps(line) + "\n" for line in kept))


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a step is finished first. A second signal stops at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # signals reach the main thread only; a library user's thread is stopped by its owner
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
