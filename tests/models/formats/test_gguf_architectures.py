"""Every architecture that can be imported, held to transformers' own reading of the same file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import mlx.core as mx
import mlx_lm
import numpy as np
import numpy.typing as npt
import pytest

from augmlx.core.errors import ModelError
from augmlx.core.progress import Silent
from augmlx.models.formats import gguf as gguf_format
from augmlx.models.formats import gguf_config, gguf_file
from augmlx.models.formats.gguf_architectures import ARCHITECTURES
from tests.models.support import QuantType, add_tokenizer, vocabulary

Shapes = dict[str, tuple[int, ...]]
Array = npt.NDArray[np.float32]

HIDDEN, FFN, HEADS, KV_HEADS = 64, 96, 4, 2
TOKENS = np.random.default_rng(5).integers(3, 250, 40).tolist()  # longer than a sliding window
TOLERANCE = 1e-3


def split_attention(head: int) -> Shapes:
    return {
        "attn_q.weight": (HEADS * head, HIDDEN),
        "attn_k.weight": (KV_HEADS * head, HIDDEN),
        "attn_v.weight": (KV_HEADS * head, HIDDEN),
        "attn_output.weight": (HIDDEN, HEADS * head),
    }


def biases(head: int) -> Shapes:
    return {
        "attn_q.bias": (HEADS * head,),
        "attn_k.bias": (KV_HEADS * head,),
        "attn_v.bias": (KV_HEADS * head,),
    }


def qk_norms(head: int) -> Shapes:
    return {"attn_q_norm.weight": (head,), "attn_k_norm.weight": (head,)}


GATED: Shapes = {
    "ffn_gate.weight": (FFN, HIDDEN),
    "ffn_up.weight": (FFN, HIDDEN),
    "ffn_down.weight": (HIDDEN, FFN),
}
NORMS: Shapes = {"attn_norm.weight": (HIDDEN,), "ffn_norm.weight": (HIDDEN,)}
GEMMA_NORMS: Shapes = {
    **NORMS,
    "post_attention_norm.weight": (HIDDEN,),
    "post_ffw_norm.weight": (HIDDEN,),
}
FUSED: Shapes = {
    "attn_qkv.weight": ((HEADS + 2 * KV_HEADS) * 16, HIDDEN),
    "attn_output.weight": (HIDDEN, HIDDEN),
    "ffn_up.weight": (2 * FFN, HIDDEN),
    "ffn_down.weight": (HIDDEN, FFN),
}


@dataclass(frozen=True)
class Tiny:
    """A tiny model of one architecture, as GGUF has it."""

    layer: Shapes
    keys: Mapping[str, int | float | str] = field(default_factory=dict)
    head: int = 16
    layers: int = 2
    tied: bool = True
    # What transformers' reading of a GGUF file leaves at the default of its config.
    unread: Mapping[str, Any] = field(default_factory=dict)
    known_as: str | None = None  # the architecture under which transformers reads it


HEAD_KEYS = {"attention.key_length": 32, "attention.value_length": 32}
TINY = {
    "llama": Tiny({**split_attention(16), **GATED, **NORMS}, tied=False),
    "mistral": Tiny(
        {**split_attention(16), **GATED, **NORMS},
        {"rope.dimension_count": 16},
        known_as="llama",
    ),
    "qwen2": Tiny({**split_attention(16), **biases(16), **GATED, **NORMS}),
    "qwen3": Tiny(
        {**split_attention(32), **qk_norms(32), **GATED, **NORMS},
        HEAD_KEYS,
        head=32,
        tied=False,
        unread={"head_dim": 32},
    ),
    "phi3": Tiny(
        {**FUSED, **NORMS},
        {"rope.dimension_count": 16, "rope.scaling.original_context_length": 256},
        tied=False,
        unread={"pad_token_id": None},
    ),
    "gemma2": Tiny(
        {**split_attention(32), **GATED, **GEMMA_NORMS},
        {
            **HEAD_KEYS,
            "attention.sliding_window": 64,  # mlx-lm's class has none: longer than the text
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
        },
        head=32,
        unread={"query_pre_attn_scalar": 32},
    ),
    "gemma3": Tiny(
        {**split_attention(32), **qk_norms(32), **GATED, **GEMMA_NORMS},
        {**HEAD_KEYS, "attention.sliding_window": 8, "rope.freq_base": 1000000.0},
        head=32,
        layers=7,
        unread={"query_pre_attn_scalar": 32},
    ),
}


def shapes(tiny: Tiny) -> Shapes:
    all_shapes: Shapes = {
        "token_embd.weight": (len(vocabulary()), HIDDEN),
        "output_norm.weight": (HIDDEN,),
    }
    if not tiny.tied:
        all_shapes["output.weight"] = (len(vocabulary()), HIDDEN)
    for layer in range(tiny.layers):
        all_shapes |= {f"blk.{layer}.{name}": shape for name, shape in tiny.layer.items()}
    return all_shapes


def write(
    path: Path,
    architecture: str,
    *,
    qtype: QuantType = QuantType.F32,
    known_as: str | None = None,
    keys: Mapping[str, int | float | str] | None = None,
    tensors: Mapping[str, Array] | None = None,
) -> Path:
    """A tiny file of an architecture with random weights; `keys` and `tensors` on top."""
    tiny, rng = TINY[architecture], np.random.default_rng(0)
    arch = known_as or architecture
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name("Tiny")
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(tiny.layers)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    for key, value in {"rope.freq_base": 10000.0, **tiny.keys, **(keys or {})}.items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        add[type(value)](f"{arch}.{key}", value)
    add_tokenizer(writer, "qwen2")
    for name, shape in shapes(tiny).items():
        mean = 1.0 if name.endswith("norm.weight") else 0.0
        weight = rng.normal(mean, 0.2, shape).astype(np.float32)
        kind = qtype if weight.ndim == 2 else QuantType.F32
        writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)
    for name, array in (tensors or {}).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Convert a file; its config.json."""
    gguf_format.convert(path, folder, dtype="float32", progress=Silent())
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return config


def logits_of_mlx(folder: Path) -> Array:
    model, _ = mlx_lm.load(str(folder))[:2]
    return np.array(model(mx.array([TOKENS]))[0].astype(mx.float32))


def logits_of_transformers(folder: Path, **options: Any) -> Array:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", **options
    )
    with torch.no_grad():
        logits: Array = model.eval()(torch.tensor([TOKENS])).logits[0].numpy()
    return logits


def test_a_tiny_model_stands_for_every_architecture() -> None:
    assert list(TINY) == list(ARCHITECTURES)


@pytest.mark.parametrize("qtype", [QuantType.F32, QuantType.Q8_0], ids=["F32", "Q8_0"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_are_those_of_transformers_own_reading(
    tmp_path: Path, architecture: str, qtype: QuantType
) -> None:
    tiny = TINY[architecture]
    path = write(tmp_path / "tiny.gguf", architecture, qtype=qtype)
    convert(path, tmp_path / "out")
    ours = logits_of_mlx(tmp_path / "out")
    read = path
    if tiny.known_as:
        read = write(tmp_path / "twin.gguf", architecture, qtype=qtype, known_as=tiny.known_as)
    theirs = logits_of_transformers(tmp_path, gguf_file=read.name, **tiny.unread)
    assert np.abs(theirs).max() > 1
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    again = logits_of_transformers(tmp_path / "out")
    np.testing.assert_allclose(again, theirs, rtol=0, atol=TOLERANCE)


def rope(theta: float, **more: Any) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": theta, **more}


def scaled(theta: float, factor: float) -> dict[str, Any]:
    return {"rope_type": "linear", "rope_theta": theta, "factor": factor}


def gemma3_ropes(full: dict[str, Any], sliding: dict[str, Any]) -> dict[str, Any]:
    return {"rope_parameters": {"full_attention": full, "sliding_attention": sliding}}


LINEAR = {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}
EVERY_THIRD = ["sliding_attention", "sliding_attention", "full_attention"]


@pytest.mark.parametrize(
    ("architecture", "keys", "unread"),
    [
        ("qwen2", LINEAR, {"rope_parameters": scaled(1e4, 4.0)}),
        ("qwen3", LINEAR, {"rope_parameters": scaled(1e4, 4.0)}),
        ("gemma3", LINEAR, gemma3_ropes(scaled(1e6, 4.0), rope(1e4))),
        ("gemma3", {"rope.freq_base_swa": 100.0}, gemma3_ropes(rope(1e6), rope(100.0))),
        (
            "gemma3",
            {"attention.sliding_window_pattern": 3},
            {"layer_types": [*EVERY_THIRD, *EVERY_THIRD, "sliding_attention"]},
        ),
        (
            "phi3",
            {"rope.dimension_count": 8},
            {"rope_parameters": rope(1e4, partial_rotary_factor=0.5)},
        ),
    ],
    ids=["qwen2-linear", "qwen3-linear", "gemma3-linear", "gemma3-base", "gemma3-pattern", "phi3"],
)
def test_a_key_that_changes_the_logits_changes_them_as_in_transformers(
    tmp_path: Path, architecture: str, keys: dict[str, Any], unread: dict[str, Any]
) -> None:
    """Transformers does not read these keys of a GGUF file: it is told in its own words."""
    tiny = TINY[architecture]
    path = write(tmp_path / "keyed.gguf", architecture, keys=keys)
    convert(path, tmp_path / "out")
    ours = logits_of_mlx(tmp_path / "out")
    theirs = logits_of_transformers(tmp_path, gguf_file=path.name, **{**tiny.unread, **unread})
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    again = logits_of_transformers(tmp_path / "out")
    np.testing.assert_allclose(again, theirs, rtol=0, atol=TOLERANCE)
    convert(write(tmp_path / "plain.gguf", architecture), tmp_path / "plain")
    assert np.abs(ours - logits_of_mlx(tmp_path / "plain")).max() > 10 * TOLERANCE


@pytest.mark.parametrize(("architecture", "layers"), [("gemma2", 46), ("gemma3", 62)])
def test_the_largest_gemma_scales_its_queries_by_its_width(
    tmp_path: Path, architecture: str, layers: int
) -> None:
    file = gguf_file.read(write(tmp_path / "tiny.gguf", architecture))
    assert gguf_config.build(file, "float32")["query_pre_attn_scalar"] == TINY[architecture].head
    largest = {**file.metadata, f"{architecture}.block_count": layers}
    config = gguf_config.build(dataclasses.replace(file, metadata=largest), "float32")
    assert config["query_pre_attn_scalar"] == HIDDEN // HEADS


def test_an_answer_ends_where_the_architecture_is_known_to_end_one(tmp_path: Path) -> None:
    ends, answers = ("<|im_end|>", "<|endoftext|>"), {}
    for architecture in ("qwen2", "qwen3", "llama"):
        folder = tmp_path / architecture
        convert(write(tmp_path / f"{architecture}.gguf", architecture), folder)
        tokenizer = mlx_lm.load(str(folder))[1]
        answers[architecture] = set(tokenizer.eos_token_ids)
        assert tokenizer.eos_token == "<|im_end|>"
    known = {vocabulary().index(end) for end in ends}
    assert answers == {"qwen2": known, "qwen3": known, "llama": {vocabulary().index(ends[0])}}


FACTORS = {"rope_factors_long.weight": np.ones(8, dtype=np.float32)}


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("phi3", {"tensors": FACTORS}, r"scaling 'longrope' is not supported for phi3 .*: none\)"),
        (
            "gemma2",
            {"keys": {"rope.scaling.type": "linear", "rope.scaling.factor": 2.0}},
            "scaling 'linear' is not supported for gemma2",
        ),
        (
            "qwen2",
            {"keys": {"attention.sliding_window": 8}},
            "'attention.sliding_window' is not supported for qwen2",
        ),
        (
            "gemma3",
            {"keys": {"final_logit_softcapping": 30.0}},
            "'final_logit_softcapping' is not supported for gemma3",
        ),
        (
            "qwen2",
            {"keys": {"attention.key_length": 32, "attention.value_length": 32}},
            "4 heads of size 32 do not make up the width 64",
        ),
        (
            "qwen3",
            {"tensors": {"blk.0.attn_q.bias": np.zeros(128, dtype=np.float32)}},
            "not a plain qwen3 model. tensors of an unknown kind: blk.0.attn_q.bias",
        ),
        (
            "gemma2",
            {"tensors": {"output.weight": np.zeros((267, 64), dtype=np.float32)}},
            "not a plain gemma2 model",
        ),
    ],
)
def test_what_the_model_class_has_not_is_refused_by_name(
    tmp_path: Path, architecture: str, options: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "tiny.gguf", architecture, **options)
    with pytest.raises(ModelError, match=message):
        convert(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_architecture_is_refused_with_those_that_can_be_imported(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.gguf", "llama", known_as="falcon")
    known = ", ".join(ARCHITECTURES)
    with pytest.raises(ModelError, match=rf"architecture 'falcon' .*\(these can: {known}\)"):
        convert(path, tmp_path / "out")
