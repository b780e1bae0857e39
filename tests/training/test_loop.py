from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny import load_tiny, write_model

from augmlx.core.errors import AugmlxError, BadInput, BadSettings, ModelError
from augmlx.core.progress import Silent
from augmlx.core.settings import TrainSettings
from augmlx.models import loading
from augmlx.training import adapter, checkpoint, layout, loop, metrics, steps
from augmlx.training.batches import Row, text_row
from augmlx.training.plan import make_plan
from augmlx.training.targets import adapter_spec

from .support import examples, fitted, losses
from .support import settings as settings_of

import mlx.core as mx  # isort: skip
import numpy as np  # isort: skip
from mlx.utils import tree_flatten  # isort: skip


# fit: from texts to an adapter


@pytest.mark.parametrize(
    "kind", ["llama", "llama-untied", "llama-sliding", "gemma2", "cohere", "mamba2"]
)
def test_the_loss_falls_and_the_adapter_is_used(tmp_path: Path, kind: str) -> None:
    stored = write_model(tmp_path / "model", kind)
    targets = ("in_proj", "out_proj") if kind == "mamba2" else TrainSettings().targets
    counts = fitted(stored.path, tmp_path / "run", epochs=8, targets=targets, rank=8)
    told = [loss for _, _, loss in losses(tmp_path / "run")]
    assert (
        counts["steps"] == len(told) == 8 * 6
    )  # 22 examples, 4 a step: the last 2 are a batch too
    assert counts["loss"] == pytest.approx(np.mean(told[-6:]))
    assert counts["loss"] < 0.8 * np.mean(told[:6])
    tokens = mx.array([[5, 6, 7]])
    plain, tuned = (
        loading.load(stored, path).model for path in (None, tmp_path / "run" / "adapter")
    )
    assert not mx.allclose(plain(tokens), tuned(tokens), atol=0.05)


def test_the_counts_add_up(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    rows = examples(10)
    counts = fitted(stored.path, tmp_path / "run", rows, epochs=3)
    encode = loading.load(stored).tokenizer.encode
    learnt = sum(len(encode(row["text"])) for row in rows)  # every token but the first, and the end
    assert counts["tokens"] == 3 * learnt
    assert (counts["examples"], counts["originals"], counts["augmentations"]) == (10, 5, 5)
    lines = metrics.read(tmp_path / "run" / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, 10))
    assert [line["epoch"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert lines[-1]["tokens"] == counts["tokens"]
    told = {
        "step",
        "epoch",
        "loss",
        "gradient_norm",
        "learning_rate",
        "tokens",
        "tokens_per_second",
        "peak_memory",
    }
    assert all(set(line) == told for line in lines)
    assert (tmp_path / "run" / "metrics.jsonl").stat().st_mode & 0o777 == 0o600


def test_fewer_examples_than_a_batch_are_trained_on(tmp_path: Path) -> None:
    """mlx-lm refuses them."""
    stored = write_model(tmp_path / "model")
    assert fitted(stored.path, tmp_path / "run", examples(3), batch_size=16, epochs=2)["steps"] == 2


def test_every_example_is_learnt_though_it_is_the_last(tmp_path: Path) -> None:
    """mlx-lm never forms the last partial batch."""
    stored = write_model(tmp_path / "model")
    seen: list[str] = []
    real = layout.arrays

    def arrays(rows: Sequence[Row], *rest: float, **named: bool) -> layout.Arrays:
        seen.extend(row.id for row in rows)
        return real(rows, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "arrays", arrays)
        fitted(stored.path, tmp_path / "run", examples(10), batch_size=4, epochs=3)
    assert sorted(seen) == sorted(3 * [row["id"] for row in examples(10)])


def test_a_four_bit_base_trains(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model", bits=4)
    counts = fitted(stored.path, tmp_path / "run", epochs=8, rank=8)
    told = [loss for _, _, loss in losses(tmp_path / "run")]
    assert counts["loss"] < 0.8 * np.mean(told[:6])


def test_a_bfloat16_base_trains_and_its_adapter_stays_float32(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model")
    loaded.model.set_dtype(mx.bfloat16)
    config = settings_of(epochs=8, rank=8).train
    rows = [text_row(row["id"], loaded.tokenizer.encode(row["text"]), 0, 128) for row in examples()]
    adapter.attach(loaded.model, adapter_spec(loaded, config), seed=0)

    def train() -> loop.TrainResult:
        plan = make_plan(loaded.model, rows, config, peak=5e-3, seed=0)
        return loop.Training(loaded.model, plan, tmp_path / "run").run(Silent(), "x")

    result = train()
    told = [loss for _, _, loss in losses(tmp_path / "run")]
    assert result.loss < 0.5 * np.mean(told[:6])
    lora = dict(tree_flatten(loaded.model.trainable_parameters()))
    assert {array.dtype for array in lora.values()} == {mx.float32}
    assert not loaded.model.training
    again = train()  # the last checkpoint: nothing to do
    assert (again.steps, again.tokens, again.loss) == (result.steps, result.tokens, result.loss)


def test_a_base_whose_width_is_unknown_needs_a_rate(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    load = loading.load

    def nameless(*arguments: object) -> loading.LoadedModel:
        loaded = load(*arguments)  # type: ignore[arg-type]
        return loading.LoadedModel(loaded.model, loaded.tokenizer, {}, loaded.stored)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load", nameless)
        with pytest.raises(ModelError, match=r"config\.json names no hidden_size"):
            fitted(stored.path, tmp_path / "run", learning_rate="auto")
        fitted(stored.path, tmp_path / "run", learning_rate=1e-3, epochs=1)


def test_bad_settings_and_rows_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    long = [{"id": "f1/original", "text": "lamp " * 100}]
    with pytest.raises(
        BadInput, match=r"example f1/original: \d+ tokens, more than train\.max_length = 128"
    ):
        fitted(stored.path, tmp_path / "run", long)
    with pytest.raises(BadSettings, match="no linear module fc1"):
        fitted(stored.path, tmp_path / "run", targets=("fc1",))
    with pytest.raises(BadInput, match="no examples to train on"):
        fitted(stored.path, tmp_path / "run", rows=[])
    assert not (tmp_path / "run").exists()


# Numbers that are none


def poison(after: int, *, gradients: bool) -> Callable[..., object]:
    """A losses_of whose value (or whose slope alone) is not finite from a step on."""
    real, calls = steps.losses_of, iter(range(10**6))

    def losses(*arguments: object) -> tuple[mx.array, mx.array]:
        value, divergence = real(*arguments)  # type: ignore[arg-type]
        if next(calls) >= after:
            # sqrt at 0 has an infinite slope and a finite value
            steep = value + mx.sqrt(value - mx.stop_gradient(value))
            value = steep if gradients else value * float("nan")
        return value, divergence

    return losses


@pytest.mark.parametrize("gradients", [False, True], ids=["loss", "gradients"])
def test_a_loss_that_is_no_number_stops_with_step_and_examples_and_poisons_nothing(
    tmp_path: Path, gradients: bool
) -> None:
    stored = write_model(tmp_path / "model")
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "losses_of", poison(9, gradients=gradients))
        with pytest.raises(
            AugmlxError, match=r"step 10: the (loss is nan|gradients are not finite); its exam"
        ) as told:
            fitted(stored.path, folder)
    named = {name.strip() for name in told.value.message.split("its examples:")[1].split(",")}
    assert len(named) in (2, 4)
    assert named <= {row["id"] for row in examples()}
    assert [step for step, _, _ in losses(folder)] == list(range(1, 10))
    assert not (folder / "adapter").exists()
    [saved] = (folder / "checkpoints").iterdir()
    weights = mx.load(str(saved / "weights.safetensors"))
    assert isinstance(weights, dict)
    assert saved.name == "step-00000005"
    assert all(bool(mx.isfinite(array).all()) for array in weights.values())
    assert fitted(stored.path, folder) == fitted(
        stored.path, tmp_path / "whole"
    )  # it goes on once it is mended


@pytest.mark.parametrize(
    ("fault", "told", "kind"),
    [
        (
            ValueError("[gather_axis] Cannot calculate VJP with respect to indices."),
            "no gradient",
            ModelError,
        ),
        (
            RuntimeError("[malloc] Unable to allocate 93000000000 bytes."),
            "not enough memory",
            AugmlxError,
        ),
        (
            RuntimeError("[METAL] Command buffer execution failed: Insufficient Memory"),
            "not enough memory",
            AugmlxError,
        ),
        (RuntimeError("[matmul] shapes do not match"), "shapes do not match", RuntimeError),
    ],
)
def test_what_mlx_cannot_do_is_told_in_words(
    tmp_path: Path,
    fault: Exception,
    told: str,
    kind: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> mx.array:
        raise fault

    monkeypatch.setattr(steps, "losses_of", failing)
    with pytest.raises(kind, match=told):
        fitted(write_model(tmp_path / "model").path, tmp_path / "run")


def test_a_signal_in_the_last_step_is_heeded_and_costs_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, real = write_model(tmp_path / "model"), steps.losses_of

    def signalled(*arguments: Any) -> tuple[mx.array, mx.array]:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    def none(*_: object) -> mx.array:
        raise AssertionError("trained again")

    few = {"rows": examples(4), "epochs": 1, "dropout": 0.0}
    with monkeypatch.context() as patch:
        patch.setattr(steps, "losses_of", signalled)
        with pytest.raises(KeyboardInterrupt):
            fitted(stored.path, tmp_path / "run", **few)
        patch.setattr(steps, "losses_of", none)
        counts = fitted(stored.path, tmp_path / "run", **few)
    assert counts == fitted(stored.path, tmp_path / "whole", **few)


def test_a_real_explosion_is_told(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    with pytest.raises(
        AugmlxError, match=r"step \d+: the (loss is (nan|inf)|gradients are not finite)"
    ):
        fitted(stored.path, tmp_path / "run", learning_rate=1e30, epochs=8)


def test_training_works_in_a_thread_and_leaves_signals_alone(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    thread = threading.Thread(
        target=fitted, args=(stored.path, tmp_path / "run"), kwargs={"epochs": 1}
    )
    thread.start()
    thread.join(60)
    assert (tmp_path / "run" / "adapter" / "adapters.safetensors").exists()


def test_positions_and_lines_are_plain_json(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    fitted(stored.path, tmp_path / "run", epochs=1)
    for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines():
        assert json.loads(line, parse_constant=lambda name: pytest.fail(name))
    assert checkpoint.Position(1, 2) == checkpoint.Position(step=1, tokens=2)
