from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augmlx.cli import cli
from augmlx.core.errors import BadSettings, ModelError
from augmlx.exporting.card import About
from augmlx.exporting.importing import import_peft
from augmlx.exporting.peft import export_peft, from_peft, to_peft, whole_alpha
from augmlx.exporting.trained_matrices import read_tensors

from .support import save_adapter, spec_of, tiny_base, trained_run, write_pairs

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first

Array = npt.NDArray[np.float32]
sides = st.integers(1, 9)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Array, Array]:
    inward, rank, outward = draw(sides), draw(sides), draw(sides)
    floats = st.floats(-1e3, 1e3, width=32)
    return (
        draw(arrays(np.float32, (inward, rank), elements=floats)),
        draw(arrays(np.float32, (rank, outward), elements=floats)),
    )


@given(pairs())
def test_export_then_import_is_the_identity(pair: tuple[Array, Array]) -> None:
    back = from_peft(*to_peft(*pair))
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(back, pair, strict=True))


@given(pairs(), st.integers(0, 2**32 - 1))
def test_both_forms_are_the_same_map(pair: tuple[Array, Array], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, pair[0].shape[0]))
    lora_a, lora_b = (array.astype(np.float64) for array in to_peft(*pair))
    np.testing.assert_allclose(
        x @ lora_a.T @ lora_b.T, x @ pair[0] @ pair[1].astype(np.float64), rtol=1e-6, atol=1e-3
    )


@given(st.integers(1, 1024), st.floats(1e-4, 1e3))
def test_alpha_is_a_positive_integer_and_nothing_of_the_scale_is_lost(
    rank: int, scale: float
) -> None:
    alpha, rest = whole_alpha(rank, scale)
    assert isinstance(alpha, int)
    assert alpha >= 1
    assert alpha * rest == pytest.approx(scale * rank, rel=1e-8)


@given(st.integers(1, 512), st.integers(1, 512))
def test_a_whole_alpha_leaves_b_alone(rank: int, alpha: int) -> None:
    assert whole_alpha(rank, alpha / rank) == (alpha, 1.0)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_every_matrix_arrives_transposed_under_its_peft_name(
    tmp_path: Path, dtype: mx.Dtype
) -> None:
    spec = spec_of()
    ours = write_pairs(tmp_path / "adapter", spec, dtype)
    notes = export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    theirs = read_tensors(tmp_path / "peft" / "adapter_model.safetensors")
    assert len(theirs) == len(ours) == 24
    for name, array in ours.items():
        peft = "base_model.model." + name.replace("lora_a", "lora_A.weight").replace(
            "lora_b", "lora_B.weight"
        )
        np.testing.assert_array_equal(theirs[peft], array.T)
    assert len(notes) == 1
    assert "12 modules, rank 4, lora_alpha 8" in notes[0]


def test_the_config_holds_what_peft_needs_and_nothing_else(tmp_path: Path) -> None:
    spec = spec_of(dropout=0.05)
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    assert json.loads((tmp_path / "peft" / "adapter_config.json").read_text()) == {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "org/tiny",
        "inference_mode": True,
        "r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0.05,
        "bias": "none",
        "use_dora": False,
        "target_modules": ["down_proj", "q_proj", "up_proj", "v_proj"],
    }


def test_a_subset_of_the_layers_is_named(tmp_path: Path) -> None:
    spec = spec_of(layers=2)
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert (config["layers_to_transform"], config["layers_pattern"]) == ([1, 2], "layers")


def test_a_module_that_some_layers_lack_is_named_in_full(tmp_path: Path) -> None:
    spec = spec_of(targets=("self_attn.q_proj", "mlp.up_proj"))
    write_pairs(tmp_path / "adapter", spec, drop=("model.layers.1.self_attn",))
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert "layers_to_transform" not in config
    assert config["target_modules"] == [
        f"model.layers.{n}.{m}"
        for n, m in [(0, "mlp.up_proj"), (0, "self_attn.q_proj"), (1, "mlp.up_proj")]
    ] + ["model.layers.2.mlp.up_proj", "model.layers.2.self_attn.q_proj"]


def test_a_broken_alpha_is_folded_into_b_and_told(tmp_path: Path) -> None:
    spec = spec_of(scale=1.7)  # alpha 6.8
    ours = write_pairs(tmp_path / "adapter", spec)
    notes = export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    theirs = read_tensors(tmp_path / "peft" / "adapter_model.safetensors")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert config["lora_alpha"] == 7
    name = "model.layers.0.mlp.up_proj.lora_"
    np.testing.assert_array_equal(theirs[f"base_model.model.{name}A.weight"], ours[f"{name}a"].T)
    folded = theirs[f"base_model.model.{name}B.weight"] * (config["lora_alpha"] / config["r"])
    np.testing.assert_allclose(folded, ours[f"{name}b"].T * 1.7, rtol=1e-6)
    assert "lora_alpha is 7, and B carries the remaining factor 0.971429" in notes[1]


def test_no_exported_byte_names_this_machine(tmp_path: Path) -> None:
    spec = spec_of(base="a-model-at-home")
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    files = sorted((tmp_path / "peft").iterdir())
    assert [path.name for path in files] == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    for path in files:
        data = path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(
            text.encode() in data for text in (str(tmp_path), str(Path.home()), "a-model-at-home")
        )


def test_the_card_says_what_it_is_and_warns(tmp_path: Path) -> None:
    spec = spec_of(layers=2)
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft", hf_base="org/original")
    card = (tmp_path / "peft" / "README.md").read_text()
    assert card.startswith("---\nbase_model: org/original\n")
    assert "rank 4, alpha 8" in card
    assert "the last 2 of 3" in card
    assert "contains the facts it was trained on" in card


def test_an_earlier_export_is_replaced_and_the_same_input_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    spec = spec_of()
    write_pairs(tmp_path / "adapter", spec)
    out = tmp_path / "peft"
    export_peft(tmp_path / "adapter", spec, out, hf_base="org/other")
    (out / ".part-1-adapter_model.safetensors").write_text("left by a killed process")
    export_peft(tmp_path / "adapter", spec, out)
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    export_peft(tmp_path / "adapter", spec, tmp_path / "again")
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}


def test_an_export_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    spec = spec_of()
    write_pairs(tmp_path / "adapter", spec)
    out = tmp_path / "peft"
    export_peft(tmp_path / "adapter", spec, out)
    (out / "adapter_config.json").unlink()
    (out / "adapter_model.safetensors").unlink()
    export_peft(tmp_path / "adapter", spec, out)
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize("name", ["notes.txt", "README.md", "adapter_config.json"])
def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, name: str) -> None:
    spec = spec_of()
    write_pairs(tmp_path / "adapter", spec)
    out = tmp_path / "peft"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(BadSettings, match="not an export of augmlx") as caught:
        export_peft(tmp_path / "adapter", spec, out)
    assert caught.value.hint
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [(name, "mine")]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    write_pairs(tmp_path / "adapter", spec_of())
    (tmp_path / "peft").write_text("mine")
    with pytest.raises(BadSettings, match="is a file"):
        export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft")


def test_a_base_without_an_original_asks_for_its_name(tmp_path: Path) -> None:
    spec = spec_of(hf_base=None, base="/home/someone/models/tiny")
    write_pairs(tmp_path / "adapter", spec)
    with pytest.raises(BadSettings, match="'tiny' has no known Hugging Face original") as caught:
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    assert "--base" in str(caught.value.hint)
    assert not (tmp_path / "peft").exists()
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft", hf_base="org/tiny")


@pytest.mark.parametrize(
    "name", ["/models/tiny", "./tiny", "~/tiny", "org/tiny/main", "..", "org\\tiny", "a b", ""]
)
def test_a_path_is_no_name_of_a_base(tmp_path: Path, name: str) -> None:
    spec = spec_of(hf_base=name)
    write_pairs(tmp_path / "adapter", spec)
    with pytest.raises(BadSettings, match="not a Hugging Face model name"):
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft")


def test_a_missing_adapter_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter here"):
        export_peft(tmp_path, spec_of(), tmp_path / "peft")


def test_every_bad_tensor_is_named_at_once(tmp_path: Path) -> None:
    bad = {
        "model.embed_tokens.lora_a": mx.zeros((8, 4)),
        "model.pooler.lora_a": mx.zeros((8, 4)),
        "model.layers.0.mlp.up_proj.lora_a": mx.zeros((8, 5)),
        "model.layers.1.mlp.up_proj.lora_a": mx.zeros((8, 4)),
        "model.layers.2.mlp.up_proj.m": mx.zeros((8,)),
    }
    (tmp_path / "adapter").mkdir()
    mx.save_safetensors(str(tmp_path / "adapter" / "adapters.safetensors"), bad)
    with pytest.raises(ModelError) as caught:
        export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft")
    named = ("model.embed_tokens (lora_a)", "model.pooler", "layers.0", "layers.2")
    assert all(name in str(caught.value) for name in named)
    assert "model.layers.1.mlp.up_proj (lora_a)" in str(caught.value)
    assert "lm_head and model.embed_tokens alone are exported" in str(caught.value.hint)
    assert not (tmp_path / "peft").exists()
    del bad["model.pooler.lora_a"]
    mx.save_safetensors(str(tmp_path / "adapter" / "adapters.safetensors"), bad)
    with pytest.raises(ModelError) as caught:
        export_peft(tmp_path / "adapter", spec_of(), tmp_path / "peft")
    assert caught.value.hint == "train it again: augmlx train RUN"


def test_a_full_training_is_refused_with_the_reason(tmp_path: Path) -> None:
    spec = spec_of(kind="full", rank=0, scale=0.0)
    with pytest.raises(ModelError, match="PEFT holds only what is added") as caught:
        export_peft(tmp_path, spec, tmp_path / "peft")
    assert "--format fused" in str(caught.value.hint)
    assert not (tmp_path / "peft").exists()


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16])
def test_doras_magnitudes_go_along(tmp_path: Path, dtype: mx.Dtype) -> None:
    spec = spec_of(kind="dora")
    ours = write_pairs(tmp_path / "adapter", spec, dtype)
    notes = export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    theirs = read_tensors(tmp_path / "peft" / "adapter_model.safetensors")
    assert len(theirs) == len(ours) == 36
    for name, array in ours.items():
        module, _, part = name.rpartition(".")
        if part == "m":
            np.testing.assert_array_equal(
                theirs[f"base_model.model.{module}.lora_magnitude_vector"], array
            )
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert config["use_dora"] is True
    assert "vLLM and llama.cpp refuse it" in notes[1]
    card = (tmp_path / "peft" / "README.md").read_text()
    assert "# DoRA adapter for org/tiny" in card
    assert "\n- dora\n" in card


def test_a_kind_that_does_not_fit_the_file_is_refused(tmp_path: Path) -> None:
    for written, told in (("lora", "dora"), ("dora", "lora")):
        write_pairs(tmp_path / written, spec_of(kind=written))
        with pytest.raises(
            ModelError, match=f"not {'DoRA' if told == 'dora' else 'LoRA'} matrices"
        ):
            export_peft(tmp_path / written, spec_of(kind=told), tmp_path / "peft")


def test_magnitudes_of_another_width_are_refused(tmp_path: Path) -> None:
    spec = spec_of(kind="dora", targets=("mlp.up_proj",), layers=1)
    name = "model.layers.2.mlp.up_proj."
    shapes = {"lora_a": (8, 4), "lora_b": (4, 6), "m": (1,)}
    (tmp_path / "adapter").mkdir()
    mx.save_safetensors(
        str(tmp_path / "adapter" / "adapters.safetensors"),
        {name + part: mx.ones(shapes[part]) for part in shapes},
    )
    with pytest.raises(ModelError, match=r"m \(1,\)"):
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft")


RANKS = (("mlp.down_proj", 1), ("self_attn.q_proj", 3))


@pytest.mark.parametrize("layers", [2, 3])
def test_each_module_is_written_at_its_own_rank(tmp_path: Path, layers: int) -> None:
    spec = spec_of(ranks=RANKS, layers=layers)
    ours = write_pairs(tmp_path / "adapter", spec)
    notes = export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    theirs = read_tensors(tmp_path / "peft" / "adapter_model.safetensors")
    for name, array in ours.items():
        peft = "base_model.model." + name.replace("lora_a", "lora_A.weight").replace(
            "lora_b", "lora_B.weight"
        )
        np.testing.assert_array_equal(theirs[peft], array.T)
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    numbers = range(3 - layers, 3)
    assert config["rank_pattern"] == {
        f"model.layers.{n}.{path}": rank for n in numbers for path, rank in RANKS
    }
    assert config["alpha_pattern"] == {
        f"model.layers.{n}.{path}": 2 * rank for n in numbers for path, rank in RANKS
    }
    assert (config["r"], config["lora_alpha"]) == (4, 8)
    assert "rank 1 to 4, lora_alpha 2 to 8" in notes[0]
    assert "llama.cpp and Ollama read one for all" in notes[1]
    card = (tmp_path / "peft" / "README.md").read_text()
    assert "rank 1 to 4, alpha 2 to 8" in card
    assert "| `down_proj` (rank 1), `q_proj` (rank 3), `up_proj`, `v_proj` |" in card


def test_each_rank_has_a_whole_alpha_and_a_factor_of_its_own(tmp_path: Path) -> None:
    spec = spec_of(ranks=RANKS, scale=1.5)  # alphas 1.5, 4.5 and 6
    ours = write_pairs(tmp_path / "adapter", spec)
    notes = export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    theirs = read_tensors(tmp_path / "peft" / "adapter_model.safetensors")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    for target in spec.targets:
        path = f"model.layers.1.{target}"
        alpha = config["alpha_pattern"].get(path, config["lora_alpha"])
        rank = config["rank_pattern"].get(path, config["r"])
        assert isinstance(alpha, int)
        folded = theirs[f"base_model.model.{path}.lora_B.weight"] * (alpha / rank)
        np.testing.assert_allclose(folded, ours[f"{path}.lora_b"].T * 1.5, rtol=1e-6)
    assert sum("B carries the remaining factor" in note for note in notes) == 2


@pytest.mark.parametrize("part", ["lora_a", "lora_b"])
def test_what_should_be_filled_with_zeros_and_is_not_is_refused(tmp_path: Path, part: str) -> None:
    write_pairs(tmp_path / "adapter", spec_of())
    spec = spec_of(ranks=(("mlp.up_proj", 2),))  # the file has 4
    with pytest.raises(ModelError, match=r"model\.layers\.0\.mlp\.up_proj lora_a \(8, 4\)"):
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    path = tmp_path / "adapter" / "adapters.safetensors"
    cut = mx.load(str(path))
    assert isinstance(cut, dict)
    for name in [name for name in cut if "up_proj" in name and not name.endswith(part)]:
        cut[name] = cut[name] * (mx.arange(4) < 2).reshape((1, 4) if name.endswith("a") else (4, 1))
    mx.save_safetensors(str(path), cut)
    with pytest.raises(ModelError, match=r"mlp\.up_proj"):
        export_peft(tmp_path / "adapter", spec, tmp_path / "peft")


def test_modules_inside_of_modules_are_named_by_their_path(tmp_path: Path) -> None:
    spec = spec_of(targets=("mlp.shared_expert.up_proj", "self_attn.q_proj"))
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft")
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert config["target_modules"] == ["mlp.shared_expert.up_proj", "self_attn.q_proj"]


COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("card", "options", "base", "revision"),
    [
        ({"revision": COMMIT}, [], "org/tiny", COMMIT),
        ({"revision": COMMIT}, ["--base", "org/tiny"], "org/tiny", COMMIT),
        ({"revision": COMMIT}, ["--base", "org/other"], "org/other", None),
        ({"revision": "/home/someone/tiny"}, [], "org/tiny", None),
        ({}, [], "org/tiny", None),
    ],
)
def test_base_and_revision_are_those_of_the_models_own_record(
    tmp_path: Path, card: dict[str, str], options: list[str], base: str, revision: str | None
) -> None:
    model = tiny_base(tmp_path / "base")
    about = {"name": "tiny", "hf_base": "org/tiny", "fingerprint": "x", **card}
    (model.path / "augmlx.json").write_text(json.dumps(about))
    run = trained_run(tmp_path / "run", model)
    save_adapter(model, spec_of(hf_base=None), run.adapter)
    for form in ("peft", "fused"):
        arguments = ["export", str(run.path), "--format", form, *options]
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        text = (run.export / form / "README.md").read_text()
        row = f"| Base model | `{base}`" + (f", revision `{revision}` |" if revision else " |")
        assert row in text
    folder = run.export / "peft"
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base
    assert config.get("revision") == revision
    for path in folder.iterdir():
        assert b"/home/" not in path.read_bytes()
        assert str(tmp_path).encode() not in path.read_bytes()
    reimported = import_peft(folder, tmp_path / "back", model=str(model.path))
    assert reimported.hf_base == "org/tiny"


@pytest.mark.hf
def test_peft_reads_the_revision_of_the_base(tmp_path: Path) -> None:
    from peft import PeftConfig

    spec = spec_of()
    write_pairs(tmp_path / "adapter", spec)
    export_peft(tmp_path / "adapter", spec, tmp_path / "peft", about=About(revision=COMMIT))
    read = PeftConfig.from_pretrained(str(tmp_path / "peft"))
    assert (read.base_model_name_or_path, read.revision) == ("org/tiny", COMMIT)
