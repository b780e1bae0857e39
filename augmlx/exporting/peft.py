"""An adapter of mlx-lm's naming as a PEFT folder: adapter_model.safetensors, adapter_config.json, README.md.

Nothing but NumPy is needed: the tensors are renamed, transposed and written in float32.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augmlx.errors import BadSettings, ModelError, storage_errors
from augmlx.exporting.card import MARK, model_card
from augmlx.files import make_folder, remove_stale_parts, write_json, write_text
from augmlx.models import safetensors_file
from augmlx.records import AdapterSpec, Json

Array = npt.NDArray[np.float32]

ADAPTER, WEIGHTS, CONFIG, CARD = "adapters.safetensors", "adapter_model.safetensors", "adapter_config.json", "README.md"
_NAME = re.compile(r"model\.layers\.(\d+)\.([\w.]+)\.lora_(a|b)")
# An organisation and a name, or an old model's name alone; never something that a path could be.
_HF_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A linear module that carries an adapter: the layer's number, and its path inside the layer."""

    layer: int
    module: str

    @property
    def path(self) -> str:
        return f"model.layers.{self.layer}.{self.module}"


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


def export_peft(adapter_folder: Path, spec: AdapterSpec, out: Path, *, hf_base: str | None = None) -> list[str]:
    """Write the PEFT folder `out`; the config comes last, so that a half-written folder cannot be loaded.

    Args:
        adapter_folder: holds adapters.safetensors as mlx-lm names it: lora_a (in, r), lora_b (r, out).
        spec: of that adapter.
        out: missing, empty, or an earlier export, which is replaced.
        hf_base: the Hugging Face name of the base; `spec.hf_base` where it is None.

    Returns:
        What the user should know about the result, one sentence each.

    Raises:
        BadSettings: no usable name of the base, or an `out` that holds something else.
        ModelError: the adapter is missing, torn, or has no PEFT form.
        StorageError: the folder cannot be written.
    """
    base = _base_name(spec, hf_base)
    if spec.kind != "lora":
        raise ModelError(f"{adapter_folder}: an adapter of kind '{spec.kind}' cannot be exported", hint="train a LoRA")
    modules = read_adapter(adapter_folder / ADAPTER, spec.rank)
    alpha, rest = whole_alpha(spec.rank, spec.scale)
    _prepare(out)
    tensors = dict(_peft_tensors(modules, rest))
    config = peft_config(spec, base, alpha, list(modules))
    write_text(out / CARD, model_card(spec, base, alpha))  # it marks the folder as ours, so it comes first
    shapes = [(name, array.shape) for name, array in tensors.items()]
    safetensors_file.write(out / WEIGHTS, shapes, tensors.__getitem__, "float32")
    write_json(out / CONFIG, config)
    size = sum(array.size for array in tensors.values())
    notes = [f"{len(modules)} modules, rank {spec.rank}, lora_alpha {alpha}, {size:,} weights in float32, for {base}"]
    if rest != 1.0:
        notes.append(
            f"scale * rank = {spec.scale * spec.rank:g} is no integer: lora_alpha is {alpha}, "
            f"and B carries the remaining factor {rest:.6g}"
        )
    return notes


def read_adapter(path: Path, rank: int) -> dict[Place, tuple[Array, Array]]:
    """The matrices lora_a (in, r) and lora_b (r, out) of an adapter file, by module, in order of the layers.

    Raises:
        ModelError: names every tensor that is not half of a LoRA pair of this rank.
        StorageError: the file cannot be read.
    """
    if not path.is_file():
        raise ModelError(f"{path.parent}: no adapter here", hint="train one first: augmlx train RUN")
    arrays = read_tensors(path)
    pairs: dict[Place, dict[str, Array]] = {}
    bad = []
    for name, array in arrays.items():
        match = _NAME.fullmatch(name)
        if match is None or array.ndim != 2 or array.shape[1 if match[3] == "a" else 0] != rank:
            bad.append(f"{name} {array.shape}")
        else:
            pairs.setdefault(Place(int(match[1]), match[2]), {})[match[3]] = array
    bad += [f"{place.path} (half of its pair)" for place, pair in pairs.items() if len(pair) != 2]
    if bad or not pairs:
        listed = ", ".join(sorted(bad)) or "there is no tensor"
        raise ModelError(f"{path}: not LoRA pairs of rank {rank}: {listed}", hint="train it again: augmlx train RUN")
    return {place: (pairs[place]["a"], pairs[place]["b"]) for place in sorted(pairs)}


def read_tensors(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, widened to float32. NumPy has no bfloat16, so the bits are read by hand."""
    header = safetensors_file.read_header(path)
    with storage_errors(path):
        data = path.read_bytes()
    start = len(data) - max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    types = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    arrays = {}
    for name, tensor in header.items():
        if tensor["dtype"] not in types:
            raise ModelError(f"{path}: {name} is of type {tensor['dtype']}", hint="export a float adapter")
        first, end = tensor["data_offsets"]
        raw = np.frombuffer(data[start + first : start + end], dtype=types[tensor["dtype"]])
        if tensor["dtype"] == "BF16":  # the upper half of a float32
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = raw.astype(np.float32).reshape(tensor["shape"])
    return arrays


def peft_config(spec: AdapterSpec, base: str, alpha: int, places: list[Place]) -> Json:
    """adapter_config.json: only what PEFT, vLLM, Ollama and llama.cpp need; nothing of this machine."""
    layers = sorted({place.layer for place in places})
    modules = sorted({place.module for place in places})
    config: Json = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": spec.rank,
        "lora_alpha": alpha,
        "lora_dropout": spec.dropout,
        "bias": "none",
        "use_dora": False,
    }
    if len(places) != len(layers) * len(modules):
        # Hybrid models: not every layer has every module. PEFT warns of a module that it adapts and finds no weights
        # for, so each is named in full.
        return {**config, "target_modules": [place.path for place in places]}
    config["target_modules"] = sorted({module.rpartition(".")[2] for module in modules})
    if layers != list(range(spec.total_layers)):
        config |= {"layers_to_transform": layers, "layers_pattern": "layers"}
    return config


def _peft_tensors(modules: Mapping[Place, tuple[Array, Array]], rest: float) -> Iterator[tuple[str, Array]]:
    for place, (mlx_a, mlx_b) in modules.items():
        lora_a, lora_b = to_peft(mlx_a, mlx_b)
        if rest != 1.0:
            lora_b = (lora_b.astype(np.float64) * rest).astype(np.float32)  # rounded once
        yield f"base_model.model.{place.path}.lora_A.weight", lora_a
        yield f"base_model.model.{place.path}.lora_B.weight", lora_b


def _base_name(spec: AdapterSpec, given: str | None) -> str:
    """The Hugging Face name of the base. Raises BadSettings where there is none, or it could be a path."""
    name = given or spec.hf_base
    hint = "give the name of the full-precision original: --base ORG/NAME"
    if name is None:
        raise BadSettings(f"the base model '{Path(spec.base).name}' has no known Hugging Face original", hint=hint)
    if not _HF_NAME.fullmatch(name):
        raise BadSettings(f"--base {name}: not a Hugging Face model name", hint=hint)
    return name


def _prepare(out: Path) -> None:
    """Make `out`, or clear an earlier export of ours. Raises BadSettings where it holds anything else."""
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
