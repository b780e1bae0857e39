from __future__ import annotations

import json
from pathlib import Path

import gguf
import mlx.core as mx
import numpy as np
import pytest

from augmlx.core.errors import ModelError, StorageError
from augmlx.core.progress import Silent
from augmlx.models.formats import gguf as gguf_format
from augmlx.models.formats import gguf_tensors
from augmlx.models.formats.safetensors import Dtype
from tests.models.support import QuantType, permute, tiny_gguf, tiny_weights, write_gguf

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


def convert(path: Path, folder: Path, dtype: Dtype = "float32") -> dict[str, object]:
    return gguf_format.convert(path, folder, dtype=dtype, progress=Silent())


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", TYPES)
def test_every_tensor_comes_back_as_it_was_quantised(tmp_path: Path, kind: str, tied: bool) -> None:
    qtype = QuantType[kind]
    weights = tiny_weights(tied=tied)
    about = convert(write_gguf(tmp_path / "m.gguf", weights, qtype=qtype), tmp_path / "out")
    read = mx.load(str(tmp_path / "out" / "model.safetensors"))
    assert isinstance(read, dict)
    assert set(read) == set(weights)
    for name, weight in weights.items():
        kept = (
            weight
            if weight.ndim == 1
            else gguf.quants.dequantize(gguf.quants.quantize(weight, qtype), qtype)
        )
        np.testing.assert_array_equal(np.array(read[name]), kept, err_msg=name)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["tie_word_embeddings"] is tied
    assert about["parameters"] == sum(weight.size for weight in weights.values())


@pytest.mark.parametrize(
    ("kind", "bytes_per_block", "scales"), [("Q4_K", 144, (0, 2)), ("Q6_K", 210, (208,))]
)
def test_k_quants_are_read(
    tmp_path: Path, kind: str, bytes_per_block: int, scales: tuple[int, ...]
) -> None:
    weights = tiny_weights(hidden=256, ffn=256)
    path = write_gguf(tmp_path / "plain.gguf", weights, drop=["model.layers.1.mlp.up_proj.weight"])
    blocks = np.random.default_rng(1).integers(0, 256, (256, bytes_per_block), dtype=np.uint8)
    for at in scales:
        blocks[:, at : at + 2] = np.array([0.01], dtype=np.float16).view(np.uint8)
    qtype = QuantType[kind]
    path = _with_raw(tmp_path / "k.gguf", weights, "blk.1.ffn_up.weight", blocks, qtype)
    convert(path, tmp_path / "out")
    read = mx.load(str(tmp_path / "out" / "model.safetensors"))
    assert isinstance(read, dict)
    expected = gguf.quants.dequantize(blocks, qtype)
    np.testing.assert_array_equal(np.array(read["model.layers.1.mlp.up_proj.weight"]), expected)
    assert np.isfinite(expected).all()


def _with_raw(path: Path, weights: dict, name: str, blocks: np.ndarray, qtype: QuantType) -> Path:  # type: ignore[type-arg]
    class Writer(gguf.GGUFWriter):  # type: ignore[misc]
        def write_header_to_file(self, path: Path | None = None) -> None:
            self.add_tensor(name, blocks, raw_dtype=qtype)
            super().write_header_to_file(path)

    original, gguf.GGUFWriter = gguf.GGUFWriter, Writer
    try:
        return write_gguf(path, weights, drop=["model.layers.1.mlp.up_proj.weight"])
    finally:
        gguf.GGUFWriter = original


def test_bfloat16_output_rounds_to_nearest(tmp_path: Path) -> None:
    weights = tiny_weights()
    convert(write_gguf(tmp_path / "m.gguf", weights), tmp_path / "out", "bfloat16")
    read = mx.load(str(tmp_path / "out" / "model.safetensors"))
    assert isinstance(read, dict)
    for name, weight in weights.items():
        assert read[name].dtype == mx.bfloat16
        assert mx.array_equal(read[name], mx.array(weight).astype(mx.bfloat16)), name


def test_the_file_keeps_its_order_of_tensors(tmp_path: Path) -> None:
    # The fingerprint of a model is taken over its files: with another order, runs made with one
    # that was imported before would no longer be up to date.
    weights = tiny_weights(tied=False)
    convert(write_gguf(tmp_path / "m.gguf", weights), tmp_path / "out")
    content = (tmp_path / "out" / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    names = [name for name in header if name != "__metadata__"]
    of_layers = [name for name in weights if name.startswith("model.layers.")]
    assert names == [*(name for name in weights if name not in of_layers), *of_layers]


def test_unpermute_undoes_llama_cpp() -> None:
    weight = tiny_weights()["model.layers.0.self_attn.q_proj.weight"]
    assert not np.array_equal(permute(weight, 4), weight)
    np.testing.assert_array_equal(gguf_tensors.unpermute(permute(weight, 4), 4), weight)


def test_config_says_what_the_metadata_says(tmp_path: Path) -> None:
    extra = {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2.0}
    convert(tiny_gguf(tmp_path, extra=extra), tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    wanted = {
        "model_type": "llama",
        "hidden_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_scaling": {"rope_type": "linear", "factor": 2.0},
        "bos_token_id": 1,
        "eos_token_id": 2,
        "dtype": "float32",
    }
    assert {key: config[key] for key in wanted} == wanted


def llama3_factors(factor: float, dims: int = 16, theta: float = 10000.0) -> np.ndarray:  # type: ignore[type-arg]
    """rope_freqs as llama.cpp's converter computes them, in its own three branches."""
    out = []
    for freq in 1.0 / theta ** (np.arange(0, dims, 2) / dims):
        wavelength = 2 * np.pi / freq
        if wavelength < 8192 / 4:
            out.append(1.0)
        elif wavelength > 8192 / 1:
            out.append(factor)
        else:
            smooth = (8192 / wavelength - 1) / (4 - 1)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def test_llama3_scaling_is_recognised(tmp_path: Path) -> None:
    convert(
        tiny_gguf(tmp_path, tensors={"rope_freqs.weight": llama3_factors(32.0)}), tmp_path / "out"
    )
    assert json.loads((tmp_path / "out" / "config.json").read_text())["rope_scaling"] == {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }


def test_factors_of_another_scaling_are_refused(tmp_path: Path) -> None:
    # The base is part of the proof: these factors belong to 500000, and the file says 10000.
    factors = llama3_factors(32.0, theta=500000.0)
    with pytest.raises(ModelError, match="not llama 3's scaling"):
        convert(tiny_gguf(tmp_path, tensors={"rope_freqs.weight": factors}), tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"architecture": "falcon"},
            "architecture 'falcon' cannot be imported .these can: llama, ",
        ),
        ({"pre": "nobody"}, "pre-tokenizer 'nobody' is not supported"),
        (
            {"extra": {"llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": 4.0}},
            "rope scaling 'yarn'",
        ),
        ({"extra": {"llama.expert_count": 8}}, "mixture of experts"),
        ({"extra": {"llama.attention.value_length": 8}}, "value_length"),
        ({"drop": ["model.layers.1.mlp.up_proj.weight"]}, "missing tensors: blk.1.ffn_up.weight"),
        (
            {"tensors": {"blk.0.attn_q.bias": np.zeros(64, dtype=np.float32)}},
            "unknown kind: blk.0.attn_q.bias",
        ),
        ({"kv_heads": 1}, "wrong shapes: blk.0.attn_k.weight"),
    ],
)
def test_what_cannot_be_imported_is_named(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        convert(tiny_gguf(tmp_path, **options), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("keep", [0.0, 0.0005, 0.02, 0.1, 0.3, 0.6, 0.999])
def test_a_torn_file_is_a_clear_error(tmp_path: Path, keep: float) -> None:
    path = tiny_gguf(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: max(4, int(len(content) * keep))])
    with pytest.raises(ModelError, match="torn or damaged"):
        convert(path, tmp_path / "out")


def test_another_file_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_text("hello")
    with pytest.raises(ModelError, match="not a GGUF file"):
        convert(tmp_path / "a.gguf", tmp_path / "out")
    with pytest.raises(StorageError, match=r"b\.gguf"):
        convert(tmp_path / "b.gguf", tmp_path / "out")
