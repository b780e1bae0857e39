"""An adapter of mlx-lm's naming as a PEFT folder: adapter_model.safetensors, adapter_config.json,
README.md.

Nothing but NumPy is needed: the tensors are renamed, transposed and written in float32.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import BadSettings, ModelError, storage_errors
from augmlx.core.files import make_folder, remove_stale_parts, write_json, write_text
from augmlx.core.records import AdapterSpec, Json
from augmlx.exporting.card import MARK, model_card, spread
from augmlx.models.formats import safetensors as safetensors_format

Array = npt.NDArray[np.float32]

ADAPTER, WEIGHTS, CONFIG, CARD = (
    "adapters.safetensors",
    "adapter_model.safetensors",
    "adapter_config.json",
    "README.md",
)
_NAME = re.compile(r"model\.layers\.(\d+)\.([\w.]+)\.(lora_a|lora_b|m)")
# An organisation and a name, or an old model's name alone; never something that a path could be.
_HF_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A linear module that carries an adapter: the layer's number, and its path inside the
    layer.
    """

    layer: int
    module: str

    @property
    def path(self) -> str:
        return f"model.layers.{self.layer}.{self.module}"


@dataclass(frozen=True, slots=True)
class Matrices:
    """Of one module: lora_a (in, r), lora_b (r, out) and, of DoRA, the magnitudes (out,)."""

    lora_a: Array
    lora_b: Array
    magnitude: Array | None = None


def to_peft(lora_a: Array, lora_b: Array) -> tuple[Array, Array]:
    """MLX (in, r), (r, out) -> PEFT A (r, in), B (out, r). The scale is not folded in."""
    return np.ascontiguousarray(lora_a.T), np.ascontiguousarray(lora_b.T)


def from_peft(lora_a: Array, lora_b: Array) -> tuple[Array, Array]:
    """PEFT A (r, in), B (out, r) -> MLX (in, r), (r, out): the inverse of `to_peft`."""
    return np.ascontiguousarray(lora_a.T), np.ascontiguousarray(lora_b.T)


def whole_alpha(rank: int, scale: float) -> tuple[int, float]:
    """lora_alpha and the factor left over for B, with alpha * factor = scale * rank.

    Ollama and llama.cpp read alpha as an integer, and take a zero one for scale 1.
    """
    wanted = scale * rank
    alpha = max(1, round(wanted))
    return alpha, 1.0 if math.isclose(wanted, alpha, rel_tol=1e-9) else wanted / alpha


def export_peft(
    adapter_folder: Path, spec: AdapterSpec, out: Path, *, hf_base: str | None = None
) -> list[str]:
    """Write the PEFT folder `out`; the config comes last, so that a half-written folder cannot be
    loaded.

    Args:
        adapter_folder: holds adapters.safetensors as mlx-lm names it: lora_a (in, r), lora_b (r,
            out), DoRA's m (out,).
        spec: of that adapter.
        out: missing, empty, or an earlier export, which is replaced.
        hf_base: the Hugging Face name of the base; `spec.hf_base` where it is None.

    Returns:
        What the user should know about the result, one sentence each.

    Raises:
        BadSettings: no usable name of the base, or an `out` that holds something else.
        ModelError: the adapter is missing, torn, or has no PEFT form, as a full training and
            adapters of experts.
        StorageError: the folder cannot be written.
    """
    base = _base_name(spec, hf_base)
    if spec.kind == "full":
        raise ModelError(
            f"{adapter_folder}: changed weights of the model itself, and PEFT holds only what is "
            f"added to them",
            hint=(
                "write the whole model: mlx_lm.fuse --model BASE --adapter-path ADAPTER; or "
                "train.method lora or dora"
            ),
        )
    modules = read_adapter(adapter_folder / ADAPTER, spec)
    alphas = {rank: whole_alpha(rank, spec.scale) for rank in _ranks(spec, modules)}
    _prepare(out)
    tensors = dict(_peft_tensors(modules, alphas))
    alpha = {rank: whole for rank, (whole, _) in alphas.items()}
    config = peft_config(spec, base, alpha, list(modules))
    write_text(
        out / CARD, model_card(spec, base, alpha)
    )  # it marks the folder as ours, so it comes first
    shapes = [(name, array.shape) for name, array in tensors.items()]
    safetensors_format.write(out / WEIGHTS, shapes, tensors.__getitem__, "float32")
    write_json(out / CONFIG, config)
    size = sum(array.size for array in tensors.values())
    return [
        f"{len(modules)} modules, rank {spread(alpha)}, lora_alpha {spread(alpha.values())}, "
        f"{size:,} weights in "
        f"float32, for {base}",
        *_warnings(spec, alphas),
    ]


def _ranks(spec: AdapterSpec, places: Iterable[Place]) -> list[int]:
    """Each of the ranks, the largest first."""
    return sorted({spec.rank_of(place.module) for place in places}, reverse=True)


def _warnings(spec: AdapterSpec, alphas: Mapping[int, tuple[int, float]]) -> Iterator[str]:
    for rank, (alpha, rest) in alphas.items():
        if rest != 1.0:
            yield (
                f"scale * rank = {spec.scale * rank:g} is no integer: lora_alpha is {alpha}, "
                f"and B carries the remaining factor {rest:.6g}"
            )
    if len(alphas) > 1:
        yield (
            "the ranks differ: PEFT reads each with its own lora_alpha, but llama.cpp and "
            "Ollama read one for all"
        )
    if spec.kind == "dora":
        yield "DoRA: transformers with PEFT reads it; vLLM and llama.cpp refuse it"


def read_adapter(path: Path, spec: AdapterSpec) -> dict[Place, Matrices]:
    """The matrices of an adapter file by module, in order of the layers, each at its own rank.

    Raises:
        ModelError: names every tensor that is not part of an adapter as `spec` has it.
        StorageError: the file cannot be read.
    """
    if not path.is_file():
        raise ModelError(
            f"{path.parent}: no adapter here", hint="train one first: augmlx train RUN"
        )
    arrays = read_tensors(path)
    if experts := sorted(
        {name.rpartition(".")[0] for name, array in arrays.items() if array.ndim == 3}
    ):
        raise ModelError(
            f"{path}: adapters of a mixture's experts have no form in PEFT: {', '.join(experts)}",
            hint='train without them, such as train.targets = ["self_attn.*"]',
        )
    parts: dict[Place, dict[str, Array]] = {}
    bad = []
    for name, array in arrays.items():
        match = _NAME.fullmatch(name)
        # (in, r), (r, out) and (out,)
        if match is None or (array.ndim != 1 if match[3] == "m" else array.ndim != 2):
            bad.append(f"{name} {array.shape}")
        else:
            parts.setdefault(Place(int(match[1]), match[2]), {})[match[3]] = array
    wanted = {"lora_a", "lora_b", "m"} if spec.kind == "dora" else {"lora_a", "lora_b"}
    modules = {}
    for place in sorted(parts):
        part = parts[place]
        if part.keys() != wanted:
            bad.append(f"{place.path} ({', '.join(sorted(part))})")
        elif found := _cut(part, spec.rank, spec.rank_of(place.module)):
            modules[place] = found
        else:
            bad.append(
                f"{place.path} "
                f"{', '.join(f'{name} {array.shape}' for name, array in sorted(part.items()))}"
            )
    if bad or not modules:
        listed = ", ".join(sorted(bad)) or "there is no tensor"
        kind = "DoRA" if spec.kind == "dora" else "LoRA"
        raise ModelError(
            f"{path}: not {kind} matrices of rank {spec.rank}: {listed}",
            hint="train it again: augmlx train RUN",
        )
    return modules


def _cut(part: Mapping[str, Array], saved: int, rank: int) -> Matrices | None:
    """The matrices without the zeros that fill them up to the rank of all; None where they do not
    fit together.
    """
    lora_a, lora_b, magnitude = part["lora_a"], part["lora_b"], part.get("m")
    if (
        lora_a.shape[1] != saved
        or lora_b.shape[0] != saved
        or lora_a[:, rank:].any()
        or lora_b[rank:].any()
    ):
        return None
    if magnitude is not None and magnitude.shape != lora_b.shape[1:]:
        return None
    return Matrices(lora_a[:, :rank], lora_b[:rank], magnitude)


def read_tensors(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, widened to float32. NumPy has no bfloat16, so the bits are
    read by hand.
    """
    header = safetensors_format.read_header(path)
    with storage_errors(path):
        data = path.read_bytes()
    start = len(data) - max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    types = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    arrays = {}
    for name, tensor in header.items():
        if tensor["dtype"] not in types:
            raise ModelError(
                f"{path}: {name} is of type {tensor['dtype']}", hint="export a float adapter"
            )
        first, end = tensor["data_offsets"]
        raw = np.frombuffer(data[start + first : start + end], dtype=types[tensor["dtype"]])
        if tensor["dtype"] == "BF16":  # the upper half of a float32
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = raw.astype(np.float32).reshape(tensor["shape"])
    return arrays


def peft_config(
    spec: AdapterSpec, base: str, alpha: Mapping[int, int], places: list[Place]
) -> Json:
    """adapter_config.json: only what PEFT, vLLM, Ollama and llama.cpp need; nothing of this
    machine.

    `alpha` is that of each rank. PEFT takes the keys of its patterns for the ends of modules'
    names, of which one may end another: whole names cannot be mistaken.
    """
    largest = max(alpha)
    smaller = {
        place.path: rank for place in places if (rank := spec.rank_of(place.module)) < largest
    }
    layers = sorted({place.layer for place in places})
    modules = sorted({place.module for place in places})
    config: Json = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": largest,
        "lora_alpha": alpha[largest],
        "lora_dropout": spec.dropout,
        "bias": "none",
        "use_dora": spec.kind == "dora",
    }
    if smaller:
        config |= {
            "rank_pattern": smaller,
            "alpha_pattern": {path: alpha[rank] for path, rank in smaller.items()},
        }
    if len(places) != len(layers) * len(modules):
        # Hybrid models: not every layer has every module. PEFT warns of a module that it adapts and
        # finds no weights for, so each is named in full.
        return {**config, "target_modules": [place.path for place in places]}
    # A name alone means every module of that name; where there are modules inside of modules, such
    # as shared experts, others may have it too.
    plain = all(module.count(".") == 1 for module in modules)
    config["target_modules"] = sorted(
        {module.rpartition(".")[2] if plain else module for module in modules}
    )
    if layers != list(range(spec.total_layers)):
        config |= {"layers_to_transform": layers, "layers_pattern": "layers"}
    return config


def _peft_tensors(
    modules: Mapping[Place, Matrices], alphas: Mapping[int, tuple[int, float]]
) -> Iterator[tuple[str, Array]]:
    for place, ours in modules.items():
        lora_a, lora_b = to_peft(ours.lora_a, ours.lora_b)
        _, rest = alphas[len(lora_a)]
        if rest != 1.0:
            lora_b = (lora_b.astype(np.float64) * rest).astype(np.float32)  # rounded once
        yield f"base_model.model.{place.path}.lora_A.weight", lora_a
        yield f"base_model.model.{place.path}.lora_B.weight", lora_b
        if ours.magnitude is not None:
            yield f"base_model.model.{place.path}.lora_magnitude_vector", ours.magnitude


def _base_name(spec: AdapterSpec, given: str | None) -> str:
    """The Hugging Face name of the base. Raises BadSettings where there is none, or it could be a
    path.
    """
    name = given or spec.hf_base
    hint = "give the name of the full-precision original: --base ORG/NAME"
    if name is None:
        raise BadSettings(
            f"the base model '{Path(spec.base).name}' has no known Hugging Face original", hint=hint
        )
    if not _HF_NAME.fullmatch(name):
        raise BadSettings(f"--base {name}: not a Hugging Face model name", hint=hint)
    return name


def _prepare(out: Path) -> None:
    """Make `out`, or clear an earlier export of ours. Raises BadSettings where it holds anything
    else.
    """
    if out.exists() and not out.is_dir():
        raise BadSettings(f"{out}: is a file", hint="choose another folder with -o")
    make_folder(out)
    with storage_errors(out):
        remove_stale_parts(out)
        names = {path.name for path in out.iterdir()}
        ours = not names or (names <= {CARD, WEIGHTS, CONFIG} and CARD in names)
        if not ours or (names and MARK not in (out / CARD).read_text("utf-8", errors="replace")):
            raise BadSettings(
                f"{out}: holds files that are not an export of augmlx; nothing was written",
                hint="choose an empty folder with -o",
            )
        # Without its config the folder cannot be loaded while its weights are being replaced.
        (out / CONFIG).unlink(missing_ok=True)
