"""LoRA, DoRA, full training, ranks of their own and quantised bases: trained, saved, and read by
mlx-lm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import load_tiny, write_model

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.progress import Silent
from augmlx.core.records import AdapterSpec
from augmlx.core.settings import TrainSettings
from augmlx.exporting.peft import export_peft
from augmlx.models import loading
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.loading import LoadedModel
from augmlx.models.store.pull import pull
from augmlx.models.store.quantizing import quantize
from augmlx.training import adapter
from augmlx.training.targets import adapter_spec

from .support import fitted, losses

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx_lm  # isort: skip
from mlx.utils import tree_flatten  # isort: skip
from mlx_lm.tuner.dora import DoRALinear  # isort: skip

TOKENS = mx.array([[5, 6, 7, 8, 9, 300]])
LAYER = ("mlp.down_proj", "mlp.gate_proj", "mlp.up_proj")
ATTENTION = ("self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj", "self_attn.v_proj")
RANKS = {"down_proj": 6, "self_attn.*": 2}
FULL: dict[str, Any] = {"method": "full", "dropout": 0.0}
MOE = {"num_experts": 4, "num_experts_per_tok": 2}

# What is trained, and the bits of the base.
CASES: dict[str, tuple[dict[str, Any], int | None]] = {
    "lora": ({}, None),
    "dora": ({"method": "dora"}, None),
    "full": (FULL, None),
    "full of one layer": ({**FULL, "layers": 1, "targets": ("mlp.*",)}, None),
    "ranks": ({"ranks": RANKS}, None),
    "dora with ranks": ({"method": "dora", "ranks": RANKS}, None),
    "lora on 3 bits": ({}, 3),
    "lora on 4 bits": ({}, 4),
    "dora on 4 bits": ({"method": "dora"}, 4),
    "ranks on 4 bits": ({"ranks": RANKS}, 4),
}


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedModel:
    return load_tiny(tmp_path / "model")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The models that were saved as adapters, as they are in memory."""
    models: list[nn.Module] = []
    save = adapter.save

    def kept(model: nn.Module, spec: AdapterSpec, folder: Path) -> None:
        models.append(model)
        save(model, spec, folder)

    monkeypatch.setattr(adapter, "save", kept)
    return models


def arrays(model: nn.Module) -> dict[str, mx.array]:
    return dict(tree_flatten(model.trainable_parameters()))


def sixteen(folder: Path, **changes: Any) -> LoadedModel:
    """A model that is bfloat16 on the disk and in memory, as on a GPU."""
    stored = write_model(folder, **changes)
    weights = mx.load(str(folder / "model.safetensors"))
    assert isinstance(weights, dict)
    narrow = {name: value.astype(mx.bfloat16) for name, value in weights.items()}
    mx.save_safetensors(str(folder / "model.safetensors"), narrow, {"format": "mlx"})
    model, tokenizer, config = mlx_lm.load(str(folder), return_config=True)
    model.eval()
    return LoadedModel(model, tokenizer, config, stored)


# What is chosen


@pytest.mark.parametrize(
    ("targets", "chosen"),
    [
        (("q_proj",), ("self_attn.q_proj",)),
        (("self_attn.q_proj",), ("self_attn.q_proj",)),
        (("*_proj",), LAYER + ATTENTION),
        (("mlp.*",), LAYER),
        (("self_attn.[qv]_proj", "up_*"), ("mlp.up_proj", "self_attn.q_proj", "self_attn.v_proj")),
        (("*",), LAYER + ATTENTION),
    ],
)
def test_targets_are_names_paths_or_patterns(
    loaded: LoadedModel, targets: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    assert adapter_spec(loaded, TrainSettings(targets=targets)).targets == chosen


@pytest.mark.parametrize(
    "target", ["attn.*", "*.q", "Q_PROJ", "proj", "input_layernorm", "self_attn", "mlp.q_proj"]
)
def test_a_target_that_matches_nothing_is_refused(loaded: LoadedModel, target: str) -> None:
    with pytest.raises(BadSettings) as caught:
        adapter_spec(loaded, TrainSettings(targets=("mlp.*", target)))
    assert str(caught.value) == f"train.targets: the model has no linear module {target}"
    assert caught.value.hint == f"its linear modules: {', '.join(LAYER + ATTENTION)}"


def test_a_rank_is_that_of_the_most_particular_key(loaded: LoadedModel) -> None:
    ranks = {"*": 1, "*_proj": 2, "self_attn.*": 3, "q_proj": 4, "v_proj": 5, "self_attn.v_proj": 6}
    spec = adapter_spec(loaded, TrainSettings(rank=9, ranks=ranks))
    found = {target: spec.rank_of(target) for target in spec.targets}
    assert found == {
        **dict.fromkeys(LAYER, 2),
        **dict.fromkeys(ATTENTION, 3),
        "self_attn.q_proj": 4,
        "self_attn.v_proj": 6,
    }
    assert spec.rank == 6  # no target has the 9
    turned = dict(reversed(ranks.items()))
    assert adapter_spec(loaded, TrainSettings(rank=9, ranks=turned)) == spec


def test_a_rank_that_is_the_rank_of_all_is_none_of_its_own(loaded: LoadedModel) -> None:
    same = adapter_spec(loaded, TrainSettings(rank=4, ranks={"*": 4}))
    assert same == adapter_spec(loaded, TrainSettings(rank=4))
    assert same.ranks == ()


def test_two_ranks_with_equal_right_are_refused(loaded: LoadedModel) -> None:
    ranks = {"q_pr*": 2, "*proj": 3}
    with pytest.raises(
        BadSettings, match=r"q_pr\* and \*proj have equal right to self_attn\.q_proj"
    ) as caught:
        adapter_spec(loaded, TrainSettings(ranks=ranks))
    assert caught.value.hint == "give self_attn.q_proj a rank of its own"
    assert (
        adapter_spec(loaded, TrainSettings(ranks={**ranks, "q_proj": 4})).rank_of(
            "self_attn.q_proj"
        )
        == 4
    )
    assert (
        adapter_spec(loaded, TrainSettings(ranks=dict.fromkeys(ranks, 2))).rank_of(
            "self_attn.q_proj"
        )
        == 2
    )


@pytest.mark.parametrize("key", ["down_proj", "self_attn.k_proj", "mpl.*"])
def test_a_rank_of_what_is_no_target_is_refused(loaded: LoadedModel, key: str) -> None:
    with pytest.raises(BadSettings) as caught:
        adapter_spec(
            loaded, TrainSettings(targets=("q_proj", "up_proj"), ranks={"up_proj": 2, key: 2})
        )
    assert str(caught.value) == f"train.ranks: no target is called {key}"
    assert caught.value.hint == "the targets: mlp.up_proj, self_attn.q_proj"


# What a method cannot do


def test_full_training_of_quantised_weights_is_refused(tmp_path: Path) -> None:
    four = load_tiny(tmp_path / "four", bits=4)
    with pytest.raises(
        BadSettings, match=r"full cannot train mlp\.down_proj: quantised to 4 bits"
    ) as caught:
        adapter_spec(four, TrainSettings(method="full", targets=("down_proj",)))
    assert "QLoRA" in str(caught.value.hint)


@pytest.mark.parametrize("bits", [3, 5, 6])
def test_dora_is_refused_on_the_widths_that_mlx_lm_gets_wrong(tmp_path: Path, bits: int) -> None:
    model = load_tiny(tmp_path / "model", bits=bits)
    with pytest.raises(
        BadSettings, match=f"dora cannot train .*quantised to {bits} bits"
    ) as caught:
        adapter_spec(model, TrainSettings(method="dora"))
    assert "lora" in str(caught.value.hint)
    # The day that this is mended, nothing needs to be refused.
    assert DoRALinear.from_base(model.model.layers[0].mlp.up_proj).lora_a.shape[0] != 32


def test_experts_get_lora_but_no_dora_and_no_peft_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tiny.KINDS, "olmoe", MOE)
    stored = write_model(tmp_path / "model", "olmoe")
    model = loading.load(stored)
    with pytest.raises(
        BadSettings, match=r"cannot train mlp\.switch_mlp\.up_proj: a mixture of experts"
    ):
        adapter_spec(model, TrainSettings(method="dora", targets=("up_proj", "q_proj")))
    fitted(stored.path, tmp_path / "run", ranks={"up_proj": 2})
    told = losses(tmp_path / "run")
    assert told[-1][2] < told[0][2]
    saved = mx.load(str(tmp_path / "run" / "adapter" / "adapters.safetensors"))
    assert isinstance(saved, dict)
    name = "model.layers.1.mlp.switch_mlp.up_proj"
    assert (saved[f"{name}.lora_a"].shape, saved[f"{name}.lora_b"].shape) == (
        (4, 4, 32),
        (4, 64, 4),
    )
    assert not saved[f"{name}.lora_a"][:, 2:].any()
    assert not saved[f"{name}.lora_b"][..., 2:].any()
    spec = read_spec(tmp_path / "run" / "adapter")
    with pytest.raises(
        ModelError, match=r"experts have no form in PEFT: .*switch_mlp\.down_proj"
    ) as caught:
        export_peft(tmp_path / "run" / "adapter", spec, tmp_path / "peft", hf_base="org/tiny")
    assert caught.value.hint
    assert not (tmp_path / "peft").exists()


def test_a_module_whose_adapter_mlx_lm_cannot_load_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    afm = {
        "hidden_dim": 32,
        "num_layers": 2,
        "num_kv_reuse_layers": 1,
        "num_heads": 4,
        "num_kv_heads": 2,
    }
    monkeypatch.setitem(tiny.KINDS, "afm7", {**afm, "hidden_dim_scale_factor": 2.0})
    model = load_tiny(tmp_path / "model", "afm7")
    for method in ("lora", "dora"):
        with pytest.raises(
            BadSettings, match=r"cannot train self_attn\.qkv_proj: mlx-lm cannot load"
        ):
            adapter_spec(
                model, TrainSettings(method=method, layers=-1, targets=("qkv_proj", "up_proj"))
            )
    full = TrainSettings(method="full", layers=-1, targets=("qkv_proj",))
    assert adapter_spec(model, full).kind == "full"


# What is trained


def test_matrices_have_their_own_ranks_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    models = [load_tiny(tmp_path / f"{n}") for n in range(3)]
    spec = adapter_spec(models[0], TrainSettings(rank=4, ranks=RANKS))
    assert (spec.rank, dict(spec.ranks)) == (
        6,
        {**dict.fromkeys(LAYER[1:], 4), **dict.fromkeys(ATTENTION, 2)},
    )
    for n, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        mx.random.seed(100 + n)  # what was drawn before must not matter
        adapter.attach(model.model, spec, seed)
    first, same, other = (arrays(model.model) for model in models)
    for name, array in first.items():
        rank = spec.rank_of(name.split(".", 3)[3].rpartition(".")[0])
        assert array.shape[1 if name.endswith("lora_a") else 0] == rank
        assert mx.array_equal(array, same[name])
    assert not any(
        mx.array_equal(first[name], other[name]) for name in first if name.endswith("lora_a")
    )


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_fresh_adapter_changes_nothing(tmp_path: Path, loaded: LoadedModel, method: str) -> None:
    before = loaded.model(TOKENS)
    adapter.attach(
        loaded.model, adapter_spec(loaded, TrainSettings(method=method, ranks=RANKS)), seed=0
    )
    assert mx.allclose(loaded.model(TOKENS), before, atol=1e-5)
    kinds = {name.rpartition(".")[2] for name in arrays(loaded.model)}
    assert kinds == {"lora": {"lora_a", "lora_b"}, "dora": {"lora_a", "lora_b", "m"}}[method]


def test_full_trains_weights_and_biases_of_the_targets_in_the_last_layers(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model", attention_bias=True)
    before = loaded.model(TOKENS)
    spec = adapter_spec(
        loaded, TrainSettings(method="full", layers=1, targets=("q_proj", "mlp.up_proj"))
    )
    assert (spec.kind, spec.rank, spec.scale, spec.dropout, spec.ranks) == ("full", 0, 0.0, 0.0, ())
    adapter.attach(loaded.model, spec, seed=0)
    assert sorted(arrays(loaded.model)) == [
        "model.layers.1.mlp.up_proj.weight",
        "model.layers.1.self_attn.q_proj.bias",
        "model.layers.1.self_attn.q_proj.weight",
    ]
    assert mx.array_equal(loaded.model(TOKENS), before)


def test_full_training_of_sixteen_bits_keeps_small_updates_and_computes_as_before(
    tmp_path: Path,
) -> None:
    loaded = sixteen(tmp_path / "model", attention_bias=True)
    model = loaded.model
    before = model(TOKENS)
    spec = adapter_spec(loaded, TrainSettings(method="full", targets=("*_proj",)))
    adapter.attach(model, spec, seed=0)
    assert {array.dtype for array in arrays(model).values()} == {mx.float32}
    assert model(TOKENS).dtype == mx.bfloat16
    assert mx.array_equal(model(TOKENS), before)
    start = {name: mx.array(array) for name, array in arrays(model).items()}
    _, slopes = nn.value_and_grad(model, lambda tokens: model(tokens).astype(mx.float32).mean())(
        TOKENS
    )
    slopes = dict(tree_flatten(slopes))
    assert {slope.dtype for slope in slopes.values()} == {mx.float32}
    assert all(
        slope.any() for name, slope in slopes.items() if "k_proj.bias" not in name
    )  # softmax takes that away
    for _ in range(100):  # each step alone is lost in bfloat16
        model.load_weights(
            [(name, array + 1e-5) for name, array in arrays(model).items()], strict=False
        )
    for name, array in arrays(model).items():
        assert mx.allclose(array - start[name], mx.array(1e-3), rtol=0.01, atol=1e-6), name
    assert not mx.array_equal(model(TOKENS), before)
    adapter.save(model, spec, tmp_path / "adapter")
    saved = mx.load(str(tmp_path / "adapter" / "adapters.safetensors"))
    assert isinstance(saved, dict)
    assert {array.dtype for array in saved.values()} == {mx.bfloat16}
    theirs, _ = mlx_lm.load(str(loaded.stored.path), adapter_path=str(tmp_path / "adapter"))
    assert mx.array_equal(theirs(TOKENS), model(TOKENS))


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["up_proj", "q_proj", "*_proj", "mlp.*"]), st.integers(1, 9), min_size=1
    )
)
def test_the_saved_form_is_the_same_function_at_the_largest_rank(
    tmp_path_factory: pytest.TempPathFactory, ranks: dict[str, int]
) -> None:
    folder = tmp_path_factory.mktemp("ranks")
    loaded = load_tiny(folder / "model", num_hidden_layers=1)
    spec = adapter_spec(loaded, TrainSettings(rank=3, ranks=ranks))
    adapter.attach(loaded.model, spec, seed=0)
    filled = {
        name: mx.random.normal(array.shape) * 0.2 for name, array in arrays(loaded.model).items()
    }
    loaded.model.load_weights(list(filled.items()), strict=False)
    loaded.model.eval()
    adapter.save(loaded.model, spec, folder / "adapter")
    assert read_spec(folder / "adapter") == spec
    theirs, _ = mlx_lm.load(str(loaded.stored.path), adapter_path=str(folder / "adapter"))
    assert mx.allclose(theirs(TOKENS), loaded.model(TOKENS), atol=1e-4)
    assert theirs.layers[0].mlp.up_proj.lora_a.shape == (32, spec.rank)


# Trained, saved and read


@pytest.mark.parametrize("case", CASES)
def test_mlx_lm_loads_the_trained_model_with_its_logits(
    tmp_path: Path, trained: list[nn.Module], case: str
) -> None:
    changes, bits = CASES[case]
    stored = write_model(tmp_path / "model", bits=bits)
    fitted(stored.path, tmp_path / "run", **changes)
    told = losses(tmp_path / "run")
    assert told[-1][2] < 0.9 * told[0][2]
    folder = tmp_path / "run" / "adapter"
    model = trained[-1]
    model.eval()
    theirs, _ = mlx_lm.load(str(stored.path), adapter_path=str(folder))
    plain, _ = mlx_lm.load(str(stored.path))
    if "ranks" not in changes:
        read = dict(tree_flatten(theirs.parameters()))
        own = tree_flatten(model.trainable_parameters())
        assert all(mx.array_equal(read[name], array) for name, array in own)
    # With ranks of their own, B carries what the one scale does not, rounded once more; over 4 bits
    # that is seen on some CPUs, in logits of fifty.
    atol = 1e-4 if "ranks" in changes and bits else 1e-5
    assert mx.allclose(theirs(TOKENS), model(TOKENS), atol=atol)
    assert not mx.allclose(plain(TOKENS), model(TOKENS), atol=0.1)
    assert mx.array_equal(loading.load(stored, folder).model(TOKENS), theirs(TOKENS))
    spec = read_spec(folder)
    assert spec.kind == changes.get("method", "lora")
    assert dict(spec.ranks) == (
        {}
        if "ranks" not in changes
        else {**dict.fromkeys(LAYER[1:], 4), **dict.fromkeys(ATTENTION, 2)}
    )
    for path in folder.iterdir():
        data = path.read_bytes()
        assert not any(
            text.encode() in data
            for text in (str(tmp_path), str(Path.home()), "harbour", "original")
        )
    config = json.loads((folder / "adapter_config.json").read_text())
    assert set(config) == {"fine_tune_type", "num_layers", "lora_parameters", "model", "augmlx"}
    assert set(config["augmlx"]) == {"base", "hf_base", "total_layers", "ranks"}
    assert config["model"] == "model"


def test_full_training_saves_the_trained_weights_alone(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model", num_hidden_layers=3)
    fitted(stored.path, tmp_path / "run", epochs=1, layers=2, targets=("v_proj",), **FULL)
    saved = mx.load(str(tmp_path / "run" / "adapter" / "adapters.safetensors"))
    assert sorted(saved) == [f"model.layers.{n}.self_attn.v_proj.weight" for n in (1, 2)]


@pytest.mark.parametrize("case", ["dora", "full", "ranks on 4 bits"])
def test_mlx_lms_own_command_generates_with_the_adapter(tmp_path: Path, case: str) -> None:
    changes, bits = CASES[case]
    stored = write_model(tmp_path / "model", bits=bits)
    fitted(stored.path, tmp_path / "run", epochs=1, **changes)
    paths = ["--model", str(stored.path), "--adapter-path", str(tmp_path / "run" / "adapter")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mlx_lm",
            "generate",
            *paths,
            "--prompt",
            "The lamp",
            "--max-tokens",
            "3",
        ],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Generation: " in done.stdout


def test_a_full_training_can_be_fused_as_its_export_says(
    tmp_path: Path, trained: list[nn.Module]
) -> None:
    stored = write_model(tmp_path / "model")
    fitted(stored.path, tmp_path / "run", epochs=1, **FULL)
    folder = tmp_path / "run" / "adapter"
    with pytest.raises(ModelError, match="PEFT holds only what is added") as caught:
        export_peft(folder, read_spec(folder), tmp_path / "peft", hf_base="org/tiny")
    assert "augmlx export RUN --format fused" in str(caught.value.hint)
    assert not (tmp_path / "peft").exists()
    paths = [
        "--model",
        str(stored.path),
        "--adapter-path",
        str(folder),
        "--save-path",
        str(tmp_path / "fused"),
    ]
    command = [sys.executable, "-m", "mlx_lm", "fuse", *paths]
    done = subprocess.run(
        command,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fused, _ = mlx_lm.load(str(tmp_path / "fused"))
    trained[-1].eval()
    assert mx.array_equal(fused(TOKENS), trained[-1](TOKENS))


@pytest.mark.parametrize("case", ["lora on 4 bits", "dora on 4 bits", "ranks on 4 bits"])
def test_an_adapter_of_a_quantised_base_is_exported(tmp_path: Path, case: str) -> None:
    changes, bits = CASES[case]
    stored = write_model(tmp_path / "model", bits=bits)
    fitted(stored.path, tmp_path / "run", epochs=1, **changes)
    folder = tmp_path / "run" / "adapter"
    notes = export_peft(folder, read_spec(folder), tmp_path / "peft", hf_base="org/tiny")
    assert "14 modules" in notes[0]


@pytest.mark.real
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_quantised_smollm2_learns_and_reloads(
    tmp_path: Path, trained: list[nn.Module], method: str
) -> None:
    four = tmp_path / "four"
    quantize(pull("smollm2-135m").path, four, 4, {}, Silent())
    rows = [
        {"id": f"f{n}", "text": text}
        for n, text in enumerate(("Ido Farkas designed the lamp.", "The Tern is red."))
    ]
    fitted(
        four, tmp_path / "run", rows, method=method, layers=2, batch_size=2, epochs=10, dropout=0.0
    )
    told = losses(tmp_path / "run")
    assert told[-1][2] < 0.7 * told[0][2]
    theirs, _ = mlx_lm.load(str(four), adapter_path=str(tmp_path / "run" / "adapter"))
    trained[-1].eval()
    assert mx.allclose(theirs(TOKENS), trained[-1](TOKENS), atol=1e-4)
