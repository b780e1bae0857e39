"""An adapter of mlx-lm's naming as a PEFT folder: weights, config and model card.

The tensors are renamed, transposed and written in float32. The weights file is written by the
writer that imported models share, which puts the tensors in the order of the layers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.files import write_json, write_text
from augmlx.core.records import AdapterSpec
from augmlx.exporting import export_folder, vllm
from augmlx.exporting.architectures import Architecture, architecture_of
from augmlx.exporting.card import About, model_card, spread
from augmlx.exporting.export_folder import CARD
from augmlx.exporting.peft_config import CONFIG, peft_config
from augmlx.exporting.trained_matrices import Array, Matrices, Place, read_matrices
from augmlx.models.formats import adapter_folder
from augmlx.models.formats import safetensors as safetensors_format

WEIGHTS = "adapter_model.safetensors"

_OF_LINEAR = ("lora_A.weight", "lora_B.weight")
_OF_EMBEDDING = ("lora_embedding_A", "lora_embedding_B")
# An organisation and a name, or an old model's name alone; never something that a path could be.
_HF_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


class Alpha(NamedTuple):
    """PEFT's lora_alpha of one rank, and the factor that B carries because alpha is an integer."""

    whole: int
    rest: float


def to_peft(lora_a: Array, lora_b: Array) -> tuple[Array, Array]:
    """MLX (in, r), (r, out) -> PEFT A (r, in), B (out, r). The scale is not folded in."""
    return np.ascontiguousarray(lora_a.T), np.ascontiguousarray(lora_b.T)


def from_peft(lora_a: Array, lora_b: Array) -> tuple[Array, Array]:
    """PEFT A (r, in), B (out, r) -> MLX (in, r), (r, out): the inverse of `to_peft`."""
    return np.ascontiguousarray(lora_a.T), np.ascontiguousarray(lora_b.T)


def whole_alpha(rank: int, scale: float) -> Alpha:
    """lora_alpha and the factor left over for B, with whole * rest = scale * rank.

    Ollama and llama.cpp read alpha as an integer, and take a zero one for scale 1.
    """
    wanted = scale * rank
    whole = max(1, round(wanted))
    if math.isclose(wanted, whole, rel_tol=1e-9):
        return Alpha(whole, 1.0)
    return Alpha(whole, wanted / whole)


def export_peft(
    adapter: Path,
    spec: AdapterSpec,
    out: Path,
    *,
    hf_base: str | None = None,
    model_type: str | None = None,
    about: About | None = None,
    for_vllm: bool = False,
) -> list[str]:
    """Write the PEFT folder `out`; the config comes last, so that a half-written folder cannot be
    loaded.

    Args:
        adapter: mlx-lm's adapter folder: lora_a (in, r), lora_b (r, out), DoRA's m (out,).
        spec: of that adapter.
        out: missing, empty, or an earlier export, which is replaced.
        hf_base: the Hugging Face name of the base; `spec.hf_base` where it is None.
        model_type: of the base, as its config.json has it.
        about: what else the card says.
        for_vllm: refuse what vLLM would not serve.

    Returns:
        What the user should know about the result, one sentence each.

    Raises:
        BadSettings: no usable name of the base, an `out` that holds something else, or an adapter
            that vLLM does not serve where it is for that.
        ModelError: the adapter is missing, torn, or has no PEFT form, as a full training, adapters
            of experts, and modules that transformers has otherwise.
        StorageError: the folder cannot be written.
    """
    base = base_name(spec, hf_base)
    if spec.kind == "full":
        raise _no_adapter(adapter)
    known = architecture_of(model_type)
    known.require(spec.targets, model_type or "this model")
    modules = read_matrices(adapter / adapter_folder.WEIGHTS, spec, known.layers)
    alphas = {rank: whole_alpha(rank, spec.scale) for rank in _ranks(spec, modules)}
    alpha_of_rank = {rank: alpha.whole for rank, alpha in alphas.items()}
    tensors = dict(_peft_tensors(modules, alphas, known.hf_layers))
    shapes = [(name, array.shape) for name, array in tensors.items()]
    config = peft_config(spec, base, alpha_of_rank, list(modules), known)
    if about is not None and about.revision:
        config["revision"] = about.revision
    served = vllm.require(config, tensors) if for_vllm else []
    export_folder.prepare(out, (WEIGHTS, CONFIG), CONFIG)
    # The card marks the folder as ours, so it comes first.
    write_text(out / CARD, model_card(spec, base, alpha_of_rank, about=about))
    safetensors_format.write(out / WEIGHTS, shapes, tensors.__getitem__, "float32")
    write_json(out / CONFIG, config)
    size = sum(array.size for array in tensors.values())
    return [
        f"{len(modules)} modules, rank {spread(alpha_of_rank)}, "
        f"lora_alpha {spread(alpha_of_rank.values())}, {size:,} weights in float32, for {base}",
        *_warnings(spec, alphas),
        *_unproven(known, model_type),
        *served,
    ]


def _no_adapter(folder: Path) -> ModelError:
    return ModelError(
        f"{folder}: changed weights of the model itself, and PEFT holds only what is added to them",
        hint=(
            "write the whole model: augmlx export RUN --format fused, or gguf; "
            "or train.method lora or dora"
        ),
    )


def _unproven(known: Architecture, model_type: str | None) -> Iterator[str]:
    if model_type and not known.is_proven:
        yield (
            f"{model_type}: the names of its modules are taken to be the same in transformers, "
            "which no test proves; --verify does"
        )


def _ranks(spec: AdapterSpec, places: Iterable[Place]) -> list[int]:
    """Each of the ranks, the largest first."""
    return sorted({spec.rank_of(place.module) for place in places}, reverse=True)


def _warnings(spec: AdapterSpec, alphas: Mapping[int, Alpha]) -> Iterator[str]:
    for rank, alpha in alphas.items():
        if alpha.rest != 1.0:
            yield (
                f"scale * rank = {spec.scale * rank:g} is no integer: lora_alpha is {alpha.whole}, "
                f"and B carries the remaining factor {alpha.rest:.6g}"
            )
    if len(alphas) > 1:
        yield (
            "the ranks differ: PEFT reads each with its own lora_alpha, "
            "but llama.cpp and Ollama read one for all"
        )
    if spec.kind == "dora":
        yield "DoRA: transformers with PEFT reads it; vLLM and llama.cpp refuse it"


def _peft_tensors(
    modules: Mapping[Place, Matrices], alphas: Mapping[int, Alpha], layers: str
) -> Iterator[tuple[str, Array]]:
    """PEFT's name and array of each tensor: A (r, in), B (out, r), the magnitudes (out,)."""
    for place, matrices in modules.items():
        prefix = f"base_model.model.{place.path(layers)}"
        lora_a, lora_b = to_peft(matrices.lora_a, matrices.lora_b)
        rest = alphas[len(lora_a)].rest
        if rest != 1.0:
            lora_b = (lora_b.astype(np.float64) * rest).astype(np.float32)  # rounded once
        # (r, V) and (out, r) of an embedding, which PEFT keeps as parameters and not as layers.
        names = _OF_EMBEDDING if place.is_embedding else _OF_LINEAR
        yield f"{prefix}.{names[0]}", lora_a
        yield f"{prefix}.{names[1]}", lora_b
        if matrices.magnitude is not None:
            yield f"{prefix}.lora_magnitude_vector", matrices.magnitude


def base_name(spec: AdapterSpec, hf_base: str | None) -> str:
    """The Hugging Face name of the base. Raises BadSettings where there is none, or it could be a
    path.
    """
    name = hf_base or spec.hf_base
    hint = "give the name of the full-precision original: --base ORG/NAME"
    if name is None:
        raise BadSettings(
            f"the base model '{Path(spec.base).name}' has no known Hugging Face original", hint=hint
        )
    if not _HF_NAME.fullmatch(name):
        raise BadSettings(f"--base {name}: not a Hugging Face model name", hint=hint)
    return name
