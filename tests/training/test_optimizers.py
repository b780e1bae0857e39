"""Every optimizer learns, takes the rate it is given, and goes on from its exported state to the
same bits.
"""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.tuner.utils import linear_to_lora_layers
from tiny import CORPUS, load_tiny

from augmlx.core.settings import TrainSettings
from augmlx.training import optimizers
from augmlx.training.adapter import save_arrays

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx.optimizers as optim  # isort: skip
from mlx.utils import tree_flatten, tree_map, tree_unflatten  # isort: skip

NAMES = get_args(TrainSettings.model_fields["optimizer"].annotation)
DECAYING = tuple(name for name in NAMES if name != "adam")
SCHEDULES = get_args(TrainSettings.model_fields["schedule"].annotation)
RATES = {"adam": 5e-3, "adamw": 5e-3, "adafactor": 5e-3, "muon": 1e-2, "sgd": 3e-2}
Tree = dict[str, Any]


def chosen(name: str, **changes: Any) -> TrainSettings:
    return TrainSettings.model_validate(
        {"optimizer": name, "learning_rate": RATES[name], **changes}
    )


def made(name: str, **changes: Any) -> optim.Optimizer:
    settings = chosen(name, **changes)
    return optimizers.make(settings.optimizer, RATES[name], weight_decay=settings.weight_decay)


def tree(seed: int) -> Tree:
    """As an adapter's on the second of two layers: matrices of both shapes, and a vector."""
    keys = mx.random.split(mx.random.key(seed), 3)
    shapes = {"lora_a": (6, 3), "lora_b": (3, 9), "m": (9,)}
    arrays = {
        name: mx.random.normal(shape, key=key)
        for (name, shape), key in zip(shapes.items(), keys, strict=True)
    }
    return {"layers": [{}, {"up_proj": arrays}]}


def flat(values: Tree) -> dict[str, mx.array]:
    return dict(tree_flatten(values))


def equal(one: Tree, other: Tree) -> bool:
    a, b = flat(one), flat(other)
    return a.keys() == b.keys() and all(
        a[n].dtype == b[n].dtype and bool(mx.array_equal(a[n], b[n])) for n in a
    )


# Learning


@pytest.mark.parametrize("dora", [False, True], ids=["lora", "dora"])
@pytest.mark.parametrize(
    ("name", "decay"), [*((name, 0.0) for name in NAMES), *((name, 0.01) for name in DECAYING)]
)
def test_every_optimizer_lowers_the_loss(
    tmp_path_factory: pytest.TempPathFactory, name: str, decay: float, dora: bool
) -> None:
    loaded = load_tiny(tmp_path_factory.mktemp("tiny") / "model")
    model = loaded.model
    model.freeze()
    mx.random.seed(1)
    parameters = {
        "rank": 4,
        "scale": 2.0,
        "dropout": 0.0,
        "keys": ["mlp.up_proj", "mlp.down_proj", "self_attn.v_proj"],
    }
    linear_to_lora_layers(model, 2, parameters, use_dora=dora)
    tokens = mx.array([loaded.tokenizer.encode("".join(CORPUS))[:48]])

    def loss() -> mx.array:
        return nn.losses.cross_entropy(model(tokens[:, :-1]), tokens[:, 1:], reduction="mean")

    step, optimizer = nn.value_and_grad(model, loss), made(name, weight_decay=decay)
    optimizer.init(model.trainable_parameters())
    before, told = flat(model.trainable_parameters()), []
    for _ in range(30):
        value, gradients = step()
        optimizer.update(model, gradients)
        mx.eval(model.trainable_parameters(), optimizer.state)
        told.append(value.item())
    assert told[-1] < 0.9 * told[0]
    after = flat(model.trainable_parameters())
    assert {path.rsplit(".", 1)[-1] for path in after} == {
        "lora_a",
        "lora_b",
        *(["m"] if dora else []),
    }
    for path, value in after.items():
        assert value.dtype == mx.float32
        assert bool(mx.isfinite(value).all())
        assert not mx.array_equal(value, before[path]), path


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_that_is_set_is_the_one_that_is_used(name: str) -> None:
    """Adafactor would make one of its own, from the step and the size of the weights."""
    parameters, gradients = tree(1), tree(2)
    moved = []
    for rate in (1e-3, 2e-3):
        optimizer = made(name)
        optimizer.learning_rate = rate
        after = flat(optimizer.apply_gradients(gradients, parameters))
        assert optimizer.learning_rate.item() == pytest.approx(rate)  # Muon scales it for itself
        moved.append({path: value - flat(parameters)[path] for path, value in after.items()})
    for path, small in moved[0].items():
        assert mx.abs(small).max().item() > 1e-5
        assert mx.allclose(moved[1][path], 2 * small, atol=1e-6), path


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_the_first_step_of_adam_is_as_long_as_its_rate(name: str) -> None:
    """Without the correction of its bias it would be three times as long."""
    parameters = tree(1)
    after = flat(made(name).apply_gradients(tree(2), parameters))
    for path, value in flat(parameters).items():
        assert mx.allclose(mx.abs(after[path] - value), mx.array(RATES[name]), rtol=1e-3), path


@pytest.mark.parametrize(("name", "share"), [("sgd", 1 + 0.9), ("muon", 1 - 0.95**2)])
def test_momentum_remembers_the_step_before(name: str, share: float) -> None:
    gradients, optimizer = tree(2), made(name)
    for _ in range(2):
        optimizer.apply_gradients(gradients, tree(1))
    for path, value in flat(gradients).items():
        assert mx.allclose(
            flat(optimizer.state)[f"{path}.v"], share * value, rtol=1e-4, atol=1e-7
        ), path


@pytest.mark.parametrize("name", DECAYING)
def test_weights_decay_only_where_that_is_asked(name: str) -> None:
    parameters = tree(1)
    nothing = tree_map(mx.zeros_like, parameters)
    assert equal(made(name).apply_gradients(nothing, parameters), parameters)
    after = flat(made(name, weight_decay=0.1).apply_gradients(nothing, parameters))
    for path, value in flat(parameters).items():
        assert mx.linalg.norm(after[path]).item() < mx.linalg.norm(value).item(), path


# The state


def stepped(optimizer: optim.Optimizer, parameters: Tree, seed: int, steps: int) -> Tree:
    for step in range(steps):
        optimizer.learning_rate = 1e-2 / (step + 1 + seed % 3)
        parameters = cast(Tree, optimizer.apply_gradients(tree(seed + step), parameters))
    mx.eval(parameters, optimizer.state)
    return parameters


@settings(deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 999), st.integers(0, 5), st.sampled_from([0.0, 0.1]))
def test_exporting_the_state_and_back_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int, steps: int, decay: float
) -> None:
    config = {"weight_decay": 0.0 if name == "adam" else decay}
    first = made(name, **config)
    first.init(tree(seed))
    parameters = stepped(first, tree(seed), seed + 1, steps)
    file = tmp_path_factory.mktemp("state") / "optimizer.safetensors"
    save_arrays(flat(first.state), file)
    second = made(name, **config)
    second.init(tree(seed))
    second.state = tree_unflatten(list(cast(dict[str, mx.array], mx.load(str(file))).items()))
    assert equal(second.state, first.state)
    gradients = tree(seed + 77)
    assert equal(
        second.apply_gradients(gradients, parameters), first.apply_gradients(gradients, parameters)
    )
    assert equal(second.state, first.state)
    assert equal(stepped(second, parameters, seed + 9, 2), stepped(first, parameters, seed + 9, 2))


# The rate


@given(
    st.integers(1, 5000),
    st.floats(0, 1, exclude_max=True),
    st.floats(1e-6, 1),
    st.sampled_from(["linear", "cosine"]),
)
def test_the_rate_rises_to_its_peak_and_falls_to_a_tenth(
    total: int, warmup: float, peak: float, schedule: str
) -> None:
    config = TrainSettings.model_validate({"warmup": warmup, "schedule": schedule})
    rates = [optimizers.rate(step, total, peak, config) for step in range(1, total + 1)]
    top = rates.index(max(rates))
    assert rates[top] == peak
    assert rates[: top + 1] == sorted(set(rates[: top + 1]))
    assert rates[top:] == sorted(set(rates[top:]), reverse=True)
    assert min(rates) > 0
    if total > 1:
        assert rates[-1] == min(rates[top:]) == pytest.approx(peak / 10)
    if 2 <= warmup * total < total - 1:
        assert top + 1 == pytest.approx(warmup * total, abs=1)


@given(st.integers(1, 5000), st.floats(0, 1, exclude_max=True), st.floats(1e-6, 1))
def test_all_schedules_rise_alike_and_a_constant_one_stays(
    total: int, warmup: float, peak: float
) -> None:
    rates = {}
    for name in SCHEDULES:
        config = TrainSettings.model_validate({"warmup": warmup, "schedule": name})
        rates[name] = [optimizers.rate(step, total, peak, config) for step in range(1, total + 1)]
    top = rates["linear"].index(max(rates["linear"]))
    assert rates["constant"][: top + 1] == rates["cosine"][: top + 1] == rates["linear"][: top + 1]
    assert set(rates["constant"][top:]) == {peak}


def test_one_step_is_at_the_peak() -> None:
    for schedule in SCHEDULES:
        for warmup in (0.0, 0.05, 0.99):
            config = TrainSettings(schedule=schedule, warmup=warmup)
            assert optimizers.rate(1, 1, 2.0, config) == 2.0
    config = TrainSettings(warmup=0.0)
    assert [optimizers.rate(step, 2, 1.0, config) for step in (1, 2)] == [1.0, pytest.approx(0.1)]
    for schedule, rates in {
        "linear": [0.5, 1.0, 0.7, 0.4, 0.1],
        "cosine": [0.5, 1.0, 0.775, 0.325, 0.1],
        "constant": [0.5, 1.0, 1.0, 1.0, 1.0],
    }.items():
        config = TrainSettings.model_validate({"warmup": 0.4, "schedule": schedule})
        assert [optimizers.rate(step, 5, 1.0, config) for step in range(1, 6)] == pytest.approx(
            rates
        )


def test_the_learning_rate_follows_the_published_rule() -> None:
    assert optimizers.learning_rate(TrainSettings(), 2000) == pytest.approx(7.5e-4)
    assert optimizers.learning_rate(TrainSettings(anchor=0), 2000) == pytest.approx(5e-4)
    small, large = 5e-4 * 4**0.781, 5e-4 * 0.5**0.781
    slow_small, slow_large = 5e-4 * 4**0.0775, 5e-4 * 0.5**0.0775
    for model_type, of_500, of_4000 in (
        ("llama", small, large),
        ("qwen2", slow_small, slow_large),
        ("qwen3_moe", slow_small, slow_large),
        ("gemma3", slow_small, large),  # unknown: the lower of both
    ):
        rates = [
            optimizers.learning_rate(TrainSettings(anchor=0), size, model_type)
            for size in (500, 4000)
        ]
        assert rates == pytest.approx([of_500, of_4000]), model_type
    assert optimizers.learning_rate(TrainSettings(method="dora", anchor=0), 2000) == pytest.approx(
        5e-4
    )
    assert optimizers.learning_rate(TrainSettings(method="full", anchor=0), 2000) == pytest.approx(
        5e-5
    )
    for method in ("lora", "full"):
        config = TrainSettings.model_validate({"learning_rate": 0.25, "method": method})
        assert optimizers.learning_rate(config, 576) == 0.25
