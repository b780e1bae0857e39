"""The matrices of a trained adapter by the module that they belong to, as mlx-lm's file has
them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError
from augmlx.core.records import AdapterSpec
from augmlx.models.formats import safetensors as safetensors_format

Array = npt.NDArray[np.float32]

LAYERS = "model.layers"  # where most models have them
OUTSIDE = -1  # in the place of a layer's number: a module of no layer
HEAD, EMBEDDING = "lm_head", "model.embed_tokens"  # of models whose layers are LAYERS on both sides

_NAME = re.compile(r"(\d+)\.([\w.]+)\.(lora_a|lora_b|m)")
_OUTER = re.compile(rf"({re.escape(HEAD)}|{re.escape(EMBEDDING)})\.(lora_a|lora_b|m)")
_IN_A_LAYER = re.compile(r"\.\d+\.")
_DIMENSIONS = {"lora_a": 2, "lora_b": 2, "m": 1}  # (in, r), (r, out) and (out,)
_FLOATS = ("F32", "F16", "BF16")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A module that carries an adapter: the layer's number, and its path inside the layer; of the
    head and the embedding OUTSIDE, and the path in the model.
    """

    layer: int
    module: str

    @property
    def is_outside(self) -> bool:
        return self.layer == OUTSIDE

    @property
    def is_embedding(self) -> bool:
        """Whether its matrices are looked up by token: lora_a (V, r), lora_b (r, out)."""
        return self.is_outside and self.module == EMBEDDING

    def path(self, layers: str = LAYERS) -> str:
        """Its path in the model, from that of the model's layers."""
        return self.module if self.is_outside else f"{layers}.{self.layer}.{self.module}"


@dataclass(frozen=True, slots=True)
class Matrices:
    """Of one module: lora_a (in, r), lora_b (r, out) and, of DoRA, the magnitudes (out,)."""

    lora_a: Array
    lora_b: Array
    magnitude: Array | None = None


def read_matrices(path: Path, spec: AdapterSpec, layers: str = LAYERS) -> dict[Place, Matrices]:
    """The matrices of an adapter file by module, in order of the layers, each at its own rank.

    Args:
        layers: the path of the layers in MLX's model.

    Raises:
        ModelError: names every tensor that is not part of an adapter as `spec` has it.
        StorageError: the file cannot be read.
    """
    if not path.is_file():
        raise ModelError(
            f"{path.parent}: no adapter here", hint="train one first: augmlx train RUN"
        )
    arrays = read_tensors(path)
    _refuse_experts(path, arrays)
    parts_of_module, faults = _by_module(arrays, layers)
    modules: dict[Place, Matrices] = {}
    for place in sorted(parts_of_module):
        parts = parts_of_module[place]
        matrices = _at_own_rank(parts, spec, place)
        if matrices is not None:
            modules[place] = matrices
        else:
            faults.append(f"{place.path(layers)} {_listed(parts, spec)}")
    if faults or not modules:
        raise _unfit(path, spec, faults)
    return modules


def read_tensors(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file by name, in float32 whatever float type they are kept in.

    Raises:
        ModelError: not a safetensors file, a torn one, or one with tensors that are no floats.
        StorageError: the file cannot be read.
    """
    # Before mlx reads it: a file that is too short would be noticed late, and without its name.
    header = safetensors_format.read_header(path)
    for name, tensor in header.items():
        if tensor.dtype not in _FLOATS:
            raise ModelError(
                f"{path}: {name} is of type {tensor.dtype}", hint="export a float adapter"
            )

    import mlx.core as mx  # here alone: what asks for the names of the files needs no mlx

    tensors = mx.load(str(path))
    assert isinstance(tensors, dict)
    return {name: np.array(tensor.astype(mx.float32)) for name, tensor in tensors.items()}


def _refuse_experts(path: Path, arrays: Mapping[str, Array]) -> None:
    """Raises ModelError where there are matrices of E experts: (E, r, in) and (E, out, r)."""
    experts = {name.rpartition(".")[0] for name, array in arrays.items() if array.ndim == 3}
    if experts:
        listed = ", ".join(sorted(experts))
        raise ModelError(
            f"{path}: adapters of a mixture's experts have no form in PEFT: {listed}",
            hint='train without them, such as train.targets = ["self_attn.*"]',
        )


def _by_module(
    arrays: Mapping[str, Array], layers: str
) -> tuple[dict[Place, dict[str, Array]], list[str]]:
    """The arrays of each module by what they are in it, and those that are part of no adapter."""
    parts_of_module: dict[Place, dict[str, Array]] = defaultdict(dict)
    faults = []
    for name, array in arrays.items():
        match = _NAME.fullmatch(name.removeprefix(f"{layers}."))
        outer = _OUTER.fullmatch(name) if layers == LAYERS else None
        if outer is not None:
            place, part = Place(OUTSIDE, outer[1]), outer[2]
        elif match is not None:
            place, part = Place(int(match[1]), match[2]), match[3]
        if (match or outer) is None or array.ndim != _DIMENSIONS[part]:
            faults.append(f"{name} {array.shape}")
            continue
        parts_of_module[place][part] = array
    return parts_of_module, faults


def _wanted(spec: AdapterSpec) -> set[str]:
    return {"lora_a", "lora_b", "m"} if spec.kind == "dora" else {"lora_a", "lora_b"}


def _at_own_rank(parts: Mapping[str, Array], spec: AdapterSpec, place: Place) -> Matrices | None:
    """The matrices without the zeros that fill them up to the rank of all; None where one is
    missing or left over, or they do not fit together.

    Args:
        parts: lora_a (in, largest rank), lora_b (largest rank, out) and, of DoRA, m (out,).
    """
    if parts.keys() != _wanted(spec):
        return None
    lora_a, lora_b, magnitude = parts["lora_a"], parts["lora_b"], parts.get("m")
    rank = spec.rank_of(place.module)
    if lora_a.shape[1] != spec.rank or lora_b.shape[0] != spec.rank:
        return None
    if lora_a[:, rank:].any() or lora_b[rank:].any():
        return None
    if magnitude is not None and magnitude.shape != lora_b.shape[1:]:
        return None
    return Matrices(lora_a[:, :rank], lora_b[:rank], magnitude)


def _listed(parts: Mapping[str, Array], spec: AdapterSpec) -> str:
    """A module's parts for a message: their names where some are missing, else their shapes."""
    if parts.keys() != _wanted(spec):
        return f"({', '.join(sorted(parts))})"
    return ", ".join(f"{name} {array.shape}" for name, array in sorted(parts.items()))


def _unfit(path: Path, spec: AdapterSpec, faults: list[str]) -> ModelError:
    listed = ", ".join(sorted(faults)) or "there is no tensor"
    kind = "DoRA" if spec.kind == "dora" else "LoRA"
    hint = "train it again: augmlx train RUN"
    if any(".lora_" in fault and not _IN_A_LAYER.search(fault) for fault in faults):
        hint = (
            f"of modules outside of the layers, {HEAD} and {EMBEDDING} alone are exported, of "
            "models that have them"
        )
    return ModelError(f"{path}: not {kind} matrices of rank {spec.rank}: {listed}", hint=hint)
