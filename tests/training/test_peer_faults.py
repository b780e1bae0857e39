"""The faults of mlx_lm.tuner.train, each shown in mlx-lm and absent here.

Where mlx-lm's half of a test fails, it has been mended there: then drop that half, and look whether
our own way around it is still needed.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tiny import CORPUS, write_model

from augmlx.core.errors import BadInput
from augmlx.core.progress import Silent
from augmlx.core.records import Json
from augmlx.models import loading
from augmlx.models.store import folder as store
from augmlx.training import adapter, fit, metrics
from augmlx.training.targets import adapter_spec

from .support import digests, examples, fitted, losses, settings

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx.optimizers as optim  # isort: skip
import numpy as np  # isort: skip
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm import lora  # isort: skip
from mlx_lm.tuner import TrainingArgs, train  # isort: skip
from mlx_lm.tuner.datasets import CacheDataset, TextDataset  # isort: skip
from mlx_lm.tuner.trainer import default_loss, grad_checkpoint, iterate_batches  # isort: skip

PLAIN = {
    "dropout": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "packing": "never",
    "compile": "never",
}
SHORT, LONG = (
    CORPUS[0].strip(),
    " ".join(line for text in CORPUS for line in text.split("\n") if line),
)
Weights = dict[str, mx.array]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny").path


def rows_of(*texts: str) -> list[Json]:
    return [{"id": f"t{n}", "text": text} for n, text in enumerate(texts)]


def tokens_of(model: Path, rows: Sequence[Json]) -> list[list[int]]:
    tokenizer = loading.load(store.find(model)).tokenizer
    return [[*tokenizer.encode(row["text"]), tokenizer.eos_token_id] for row in rows]


class Watched(Silent):
    """Calls `after` with the number of each step when it is done."""

    def __init__(self, after: Callable[[int], object]) -> None:
        self._after, self._step = after, 0

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Any]:
        self._step = done
        yield self

    def advance(self, *_: Any, **__: Any) -> None:
        self._step += 1
        self._after(self._step)


def fitted_watching(
    model: Path,
    folder: Path,
    rows: Sequence[Json],
    after: Callable[[nn.Module, int], object],
    **changes: Any,
) -> Json:
    ready = fit.prepare(store.find(model), rows, settings(**changes))
    progress = Watched(lambda step: after(ready.loaded.model, step))
    return fit.fit(ready, folder, progress=progress, label="Training")


def weights_of(model: nn.Module) -> Weights:
    """A copy of what is trained, that later steps do not change."""
    return {name: mx.array(array) for name, array in tree_flatten(model.trainable_parameters())}


def distance(one: Weights, other: Weights) -> float:
    """The norm of the difference over that of `other`."""
    assert one.keys() == other.keys()
    apart = sum(float(np.square(np.array(one[name] - other[name])).sum()) for name in one)
    return float(
        np.sqrt(apart / sum(float(np.square(np.array(array)).sum()) for array in other.values()))
    )


def texts(model: Path, rows: Sequence[Json]) -> TextDataset:
    return TextDataset([dict(row) for row in rows], loading.load(store.find(model)).tokenizer)


def dataset(model: Path, rows: Sequence[Json]) -> CacheDataset:
    return CacheDataset(texts(model, rows))


@contextmanager
def uncompiled() -> Iterator[None]:
    """mlx-lm compiles its step; without that it needs no compiler on a CPU, and is faster on few
    steps.
    """
    mx.disable_compile()
    try:
        yield
    finally:
        mx.enable_compile()


def peer_trained(
    model: Path,
    rows: Sequence[Json],
    folder: Path,
    *,
    optimizer: optim.Optimizer,
    begin: Weights | None = None,
    **args: Any,
) -> Weights:
    """What mlx_lm.tuner.train makes of rows, from the same A matrices that `fit` begins with."""
    loaded = loading.load(store.find(model))
    adapter.attach(loaded.model, adapter_spec(loaded, settings(dropout=0.0).train), seed=3)
    if begin:
        loaded.model.load_weights(list(begin.items()), strict=False)
    folder.mkdir(exist_ok=True)
    given = TrainingArgs(
        adapter_file=str(folder / "peer.safetensors"), steps_per_report=1000, **args
    )
    np.random.seed(0)
    with uncompiled():
        train(loaded.model, optimizer, dataset(model, rows), args=given)
    return weights_of(loaded.model)


def test_the_last_partial_batch_is_trained_on(model: Path, tmp_path: Path) -> None:
    rows = examples(10)
    tokens = tokens_of(model, rows)
    seen = [batch.shape[0] for batch, _ in iterate_batches(dataset(model, rows), 4, 128)]
    assert sum(seen) == 8  # mlx-lm: the last two never
    counts = fitted(model, tmp_path, rows, batch_size=4, epochs=3)
    assert counts["steps"] == 3 * 3
    assert counts["tokens"] == 3 * sum(len(row) - 1 for row in tokens)


def test_rows_of_like_length_share_a_batch(model: Path, tmp_path: Path) -> None:
    rows = rows_of(*[SHORT, LONG] * 8)
    lengths = [len(row) for row in tokens_of(model, rows)]
    batches = [batch for batch, _ in iterate_batches(dataset(model, rows), 4, 512)]
    assert {batch.shape[1] for batch in batches} == {
        33 + 32 * ((max(lengths) - 1) // 32)
    }  # mlx-lm: all are long
    counts = fitted(
        model, tmp_path, rows, **{**PLAIN, "epochs": 1, "batch_size": 4, "max_length": 512}
    )
    assert counts["padding"] == 0


def test_rows_are_padded_to_their_longest_and_no_further(model: Path, tmp_path: Path) -> None:
    rows = rows_of(*[SHORT] * 8)
    [length] = {len(row) for row in tokens_of(model, rows)}
    assert length % 32
    assert {batch.shape[1] % 32 for batch, _ in iterate_batches(dataset(model, rows), 4, 128)} == {
        1
    }  # mlx-lm
    counts = fitted(model, tmp_path, rows, **{**PLAIN, "epochs": 1})
    assert counts["padding"] == 0


def test_the_loss_is_the_mean_over_real_tokens_alone(model: Path, tmp_path: Path) -> None:
    rows = rows_of(SHORT, LONG, CORPUS[1])
    loaded, tokens = loading.load(store.find(model)), tokens_of(model, rows)
    total, real = 0.0, sum(len(row) - 1 for row in tokens)
    for row in tokens:
        logits = loaded.model(mx.array([row[:-1]]))[0]  # (T, V)
        total += float(
            np.array(nn.losses.cross_entropy(logits, mx.array(row[1:]), reduction="sum"))
        )
    [batch] = iterate_batches(dataset(model, rows), 3, 512)
    loss, counted = default_loss(loaded.model, *batch)
    assert int(counted.item()) == real + len(rows)  # mlx-lm: a pad token for each row
    assert abs(float(loss.item()) - total / real) > 1e-3
    counts = fitted(model, tmp_path, rows, **{**PLAIN, "epochs": 1, "max_length": 512})
    assert counts["tokens"] == real
    assert losses(tmp_path)[0][2] == pytest.approx(total / real, abs=1e-5)


def test_a_prompt_beyond_the_longest_length_is_refused_by_name(model: Path) -> None:
    tokens = tokens_of(model, rows_of(f"{LONG} {SHORT}"))[0]
    prompt = len(tokens) - 9
    [batch] = iterate_batches([(tokens, prompt)], 1, 64)
    loss, counted = default_loss(loading.load(store.find(model)).model, *batch)
    assert int(counted.item()) == 0  # mlx-lm trains on nothing, and the loss is not a number
    assert np.isnan(loss.item())
    row = {"id": "f3/original", "prompt": LONG, "completion": SHORT}
    for too_long in ("refuse", "split"):
        with pytest.raises(
            BadInput, match=r"example f3/original: \d+ tokens, more than train.max_length = 64"
        ):
            fit.prepare(store.find(model), [row], settings(max_length=64, too_long=too_long))


def test_accumulated_batches_weigh_by_their_tokens(model: Path, tmp_path: Path) -> None:
    """Two batches of two, one of them long, are one batch of four: in one step of plain descent, to
    the last digits.
    """
    rows = rows_of(SHORT, SHORT, LONG, LONG)
    one = {"optimizer": optim.SGD(0.1), "max_seq_length": 512}
    whole = peer_trained(model, rows, tmp_path / "peer", batch_size=4, iters=1, **one)
    parts = peer_trained(
        model, rows, tmp_path / "peer", batch_size=2, iters=2, grad_accumulation_steps=2, **one
    )
    assert (
        distance(steps_of(parts), steps_of(whole)) > 0.01
    )  # mlx-lm: a short batch counts as much as a long one
    found: list[Weights] = []
    sgd = {**PLAIN, "epochs": 1, "optimizer": "sgd", "learning_rate": 0.1, "max_length": 512}
    for name, size, accumulate in (("whole", 4, 1), ("parts", 2, 2)):
        folder = tmp_path / name
        counts = fitted_watching(
            model,
            folder,
            rows,
            lambda of, _: found.append(weights_of(of)),
            batch_size=size,
            accumulate=accumulate,
            **sgd,
        )
        assert counts["steps"] == 1
    assert distance(steps_of(found[1]), steps_of(found[0])) < 1e-4
    assert losses(tmp_path / "parts")[0][2] == pytest.approx(
        losses(tmp_path / "whole")[0][2], abs=1e-5
    )


def steps_of(weights: Weights) -> Weights:
    """B, which begins at zero: what one step has done."""
    return {name: array for name, array in weights.items() if name.endswith("lora_b")}


def test_the_last_partial_window_of_accumulation_is_a_step(model: Path, tmp_path: Path) -> None:
    rows = examples(6)
    window = {"batch_size": 2, "grad_accumulation_steps": 2, "max_seq_length": 128}
    two, three = (
        peer_trained(model, rows, tmp_path / "peer", optimizer=optim.SGD(0.1), iters=n, **window)
        for n in (2, 3)
    )
    assert distance(two, three) == 0  # mlx-lm: the third batch changes nothing
    found: list[Weights] = []
    counts = fitted_watching(
        model,
        tmp_path / "run",
        rows,
        lambda of, _: found.append(weights_of(of)),
        epochs=1,
        batch_size=2,
        accumulate=2,
    )
    assert counts["steps"] == len(found) == 2
    assert distance(steps_of(found[1]), steps_of(found[0])) > 1e-3
    assert counts["tokens"] == sum(len(row) - 1 for row in tokens_of(model, rows))


def test_a_resumed_training_goes_on_with_optimizer_randomness_and_place(
    model: Path, tmp_path: Path
) -> None:
    rows = rows_of(SHORT, LONG, SHORT, LONG)  # one batch: mlx-lm's order has no part in it
    args = {"batch_size": 4, "max_seq_length": 512}
    four = peer_trained(model, rows, tmp_path / "peer", optimizer=optim.Adam(5e-3), iters=4, **args)
    begun = peer_trained(
        model, rows, tmp_path / "peer", optimizer=optim.Adam(5e-3), iters=2, **args
    )
    resumed = peer_trained(
        model, rows, tmp_path / "peer", optimizer=optim.Adam(5e-3), begin=begun, iters=2, **args
    )
    assert distance(resumed, four) > 1e-3  # mlx-lm: the weights are all that it goes on with

    class Stopped(Exception):
        pass

    def stop(_: nn.Module, step: int) -> None:
        if step == 8:  # in the second epoch, 3 steps behind the last checkpoint
            raise Stopped

    fitted(model, tmp_path / "undisturbed")
    with pytest.raises(Stopped):
        fitted_watching(model, tmp_path / "run", examples(), stop)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").glob("step-*")] == [
        "step-00000005"
    ]
    fitted(model, tmp_path / "run")
    assert digests(tmp_path / "run") == digests(tmp_path / "undisturbed")
    assert losses(tmp_path / "run") == losses(tmp_path / "undisturbed")


def test_the_best_adapter_is_kept_and_the_training_stops_when_nothing_gets_better(
    model: Path, tmp_path: Path
) -> None:
    fields = {field.name for field in dataclasses.fields(TrainingArgs)}
    assert not [
        name for name in fields if "best" in name or "patience" in name
    ]  # mlx-lm has neither
    rows, valid = examples(8), rows_of("Xylo quart 77?", "Wug! femp; glon: 12 jib.")
    ready = fit.prepare(
        store.find(model),
        rows,
        settings(epochs=40, learning_rate=2e-2, best="loss", patience=3, dropout=0.0),
        valid,
    )
    counts = fit.fit(ready, tmp_path, progress=Silent(), label="Training")
    lines = metrics.read(tmp_path / "metrics.jsonl")
    told = {line["step"]: line["valid_loss"] for line in lines if "valid_loss" in line}
    assert counts["stopped"]
    assert counts["steps"] == max(told) < 40 * 2
    assert counts["best"] == {
        "step": min(told, key=lambda step: told[step]),
        "loss": min(told.values()),
    }
    assert list(told).index(counts["best"]["step"]) == len(told) - 1 - 3
    best = loading.load(store.find(model), tmp_path / "adapter").model
    total, count = 0.0, 0
    for row in tokens_of(model, valid):
        logits = best(mx.array([row[:-1]]))[0]
        total += float(
            np.array(nn.losses.cross_entropy(logits, mx.array(row[1:]), reduction="sum"))
        )
        count += len(row) - 1
    assert total / count == pytest.approx(counts["best"]["loss"], abs=1e-4)
    assert told[counts["steps"]] > counts["best"]["loss"] + 1e-3  # the last adapter was another one


def test_numpys_global_state_has_no_part_in_the_order(model: Path, tmp_path: Path) -> None:
    orders = []
    for seed in (1, 2):
        np.random.seed(seed)
        batches = iterate_batches(dataset(model, examples(22)), 2, 128)
        orders.append([batch.tolist() for batch, _ in batches])
        fitted(model, tmp_path / str(seed))
    assert orders[0] != orders[1]  # mlx-lm
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    assert losses(tmp_path / "1") == losses(tmp_path / "2")


def test_the_adapters_config_says_nothing_of_this_machine(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "secret-data"
    values = {
        **lora.CONFIG_DEFAULTS,
        "data": str(data),
        "adapter_path": str(tmp_path / "peer"),
        "num_layers": 2,
        "iters": 1,
    }
    with uncompiled():
        arguments = types.SimpleNamespace(**values)
        lora.train_model(
            arguments, loading.load(store.find(model)).model, texts(model, examples(4)), []
        )
    theirs = (tmp_path / "peer" / "adapter_config.json").read_text()
    assert "secret-data" in theirs  # mlx-lm: the data's path, and every argument
    assert {"seed", "iters", "report_to", "adapter_path"} <= json.loads(theirs).keys()
    fitted(model, data, examples(4), epochs=1)
    ours = (data / "adapter" / "adapter_config.json").read_text()
    assert str(tmp_path) not in ours
    assert "secret-data" not in ours
    assert json.loads(ours).keys() == {
        "fine_tune_type",
        "num_layers",
        "lora_parameters",
        "model",
        "augmlx",
    }


def test_gradient_checkpointing_leaves_no_trace_and_does_not_nest(
    model: Path, tmp_path: Path
) -> None:
    other = loading.load(store.find(model)).model
    kind = type(other.layers[0])
    before = kind.__call__
    try:
        grad_checkpoint(other.layers[0])
        once = kind.__call__
        grad_checkpoint(other.layers[0])
        assert (
            before is not once is not kind.__call__
        )  # mlx-lm: every model of the kind, and around what is there
    finally:
        kind.__call__ = before
    seen: list[tuple[bool, bool]] = []

    def look(trained: nn.Module, _: int) -> None:
        untouched = type(other.layers[0]) is kind and kind.__call__ is before
        seen.append((untouched, type(trained.layers[0]) is not kind))

    plain = {**PLAIN, "epochs": 2}
    fitted(model, tmp_path / "without", **plain)
    for name in ("first", "second"):
        fitted_watching(model, tmp_path / name, examples(), look, checkpoint_layers=True, **plain)
    assert set(seen) == {(True, True)}  # it was on, and for this model alone
    assert kind.__call__ is before
    assert digests(tmp_path / "first") == digests(tmp_path / "second")
    for ours, without in zip(losses(tmp_path / "first"), losses(tmp_path / "without"), strict=True):
        assert ours == pytest.approx(without, abs=1e-4)
