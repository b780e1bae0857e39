"""A PEFT adapter as mlx-lm's adapter folder, so that adapters made elsewhere run here.

mlx-lm's format knows one rank and one scale for all modules: smaller matrices are filled up with
zeros, and what a module's scale differs from the others' goes into its B.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.files import make_folder
from augmlx.core.records import AdapterSpec, Json
from augmlx.exporting.architectures import Architecture, architecture_of
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.peft import WEIGHTS, from_peft
from augmlx.exporting.peft_config import CONFIG, read_config, refuse_unknown, scale_of
from augmlx.exporting.trained_matrices import (
    EMBEDDING,
    HEAD,
    LAYERS,
    OUTSIDE,
    Array,
    Matrices,
    Place,
    read_tensors,
)
from augmlx.models.formats import adapter_folder
from augmlx.models.formats import safetensors as safetensors_format
from augmlx.models.loading import load_lazily
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel

_PARTS = {
    "lora_A.weight": "lora_a",
    "lora_B.weight": "lora_b",
    "lora_magnitude_vector": "m",
    "lora_magnitude_vector.weight": "m",  # of older versions
}
_OF_EMBEDDING = {"lora_embedding_A": "lora_a", "lora_embedding_B": "lora_b"}
_PREFIX = "base_model.model."
_OUTER = "|".join(map(re.escape, (HEAD, EMBEDDING)))
_BROUGHT = re.compile(rf"{re.escape(_PREFIX)}({_OUTER})\.base_layer\.weight")
# How far the weights that PEFT saves beside a head's adapter may be from the base's: what rounding
# to 16 bits makes of them, or quantising to 4.
_ROUNDED, _QUANTISED = 0.01, 0.25


@dataclass(frozen=True, slots=True)
class _Module:
    """What the file has of one module, and the scale that PEFT would give it."""

    matrices: Matrices
    scale: float

    @property
    def rank(self) -> int:
        return int(self.matrices.lora_a.shape[1])


def import_peft(source: Path, out: Path, *, model: str | None = None) -> AdapterSpec:
    """Write the adapter folder `out`, which says in mlx-lm what the folder `source` says in PEFT.

    Args:
        source: holds adapter_config.json and adapter_model.safetensors.
        out: missing or empty.
        model: the base in the store; by default the one that comes from the base that the
            adapter names.

    Raises:
        ModelError: no LoRA or DoRA adapter of that model; something in it that mlx-lm cannot do.
        BadSettings: `out` holds something, or no model of the store is the adapter's base.
        StorageError: a file cannot be read or written.
    """
    config = read_config(source)
    _require_weights(source)
    refuse_unknown(source / CONFIG, config)
    base = _base(config, model)
    base_model, base_config = load_lazily(base.path)
    known = architecture_of(base_config.get("model_type"))
    parts = _parts(source / WEIGHTS, known, base)
    modules = _modules(source, config, parts, known)
    _require_fitting(source, modules, base_model, base.name, known)
    _require_expressible(source, modules, base_model)
    spec = _spec(config, modules, base, len(base_model.layers))
    _prepare(out)
    tensors = dict(sorted(_mlx_tensors(modules, spec, known.layers)))
    shapes = [(name, array.shape) for name, array in tensors.items()]
    safetensors_format.write(out / adapter_folder.WEIGHTS, shapes, tensors.__getitem__, "float32")
    adapter_folder.write_config(spec, out)
    return spec


def _require_weights(source: Path) -> None:
    if not (source / WEIGHTS).is_file():
        pickled = " (adapter_model.bin is a pickle)" if list(source.glob("*.bin")) else ""
        raise ModelError(
            f"{source}: no {WEIGHTS}{pickled}", hint="only safetensors are read, never pickles"
        )


def _base(config: Json, model: str | None) -> StoredModel:
    """The adapter's base in the store. Raises BadSettings and ModelError."""
    if model is not None:
        return store.find(model)
    wanted = config.get("base_model_name_or_path")
    fitting = [stored for stored in store.list_models() if stored.hf_base == wanted]
    if not fitting:
        raise BadSettings(
            f"no model of the store comes from {wanted}, which the adapter was trained on",
            hint=f"augmlx pull {wanted}; or name the model: --model NAME",
        )
    return store.find(fitting[0].name)


def _parts(path: Path, known: Architecture, base: StoredModel) -> dict[Place, dict[str, Array]]:
    """The arrays of each module, MLX's side up. Raises ModelError that names what is left over."""
    parts: dict[Place, dict[str, Array]] = {}
    strange = []
    for name, array in read_tensors(path).items():
        place, part = _place_of(name, known)
        if place is not None:
            parts.setdefault(place, {})[part] = array
        elif (brought := _BROUGHT.fullmatch(name)) is not None:
            _require_as_the_base(path, brought[1], array, base)
        else:
            strange.append(name.removeprefix(_PREFIX))
    if strange or not parts:
        listed = ", ".join(sorted(strange)[:8]) or "there is no tensor"
        raise ModelError(
            f"{path}: matrices of no linear module of a layer, nor of {HEAD} or {EMBEDDING}: "
            f"{listed}",
            hint="mlx-lm has no adapters of other modules",
        )
    return parts


def _place_of(name: str, known: Architecture) -> tuple[Place | None, str]:
    """The module that a tensor of PEFT's file belongs to, and what it is there in MLX."""
    for part, ours in {**_PARTS, **_OF_EMBEDDING}.items():
        path = name.removeprefix(_PREFIX).removesuffix(f".{part}")
        if name != f"{_PREFIX}{path}.{part}":
            continue
        inside = re.fullmatch(rf"{re.escape(known.hf_layers)}\.(\d+)\.([\w.]+)", path)
        if inside is not None and part in _PARTS:
            return Place(int(inside[1]), inside[2]), ours
        place = Place(OUTSIDE, path)
        is_known = path in (HEAD, EMBEDDING) and known.layers == known.hf_layers == LAYERS
        fits = ours == "m" or place.is_embedding == (part in _OF_EMBEDDING)
        if is_known and fits:
            return place, ours
    return None, ""


def _require_as_the_base(path: Path, module: str, array: Array, base: StoredModel) -> None:
    """Raises ModelError where the weights that PEFT saved of a module beside its adapter are not
    those of the base: without them, the adapter would say something else.
    """
    weights = FusedWeights(base)
    name = f"{module}.weight"
    bound = _QUANTISED if base.bits else _ROUNDED
    if name in weights.shapes and weights.shapes[name] == array.shape:
        own = weights.read(name)
        if np.linalg.norm(array - own) <= bound * np.linalg.norm(own):
            return
    raise ModelError(
        f"{path}: brings other weights of {module} than {base.name} has",
        hint="merge it into its base with PEFT (merge_and_unload), and pull that folder",
    )


def _modules(
    source: Path, config: Json, parts: Mapping[Place, Mapping[str, Array]], known: Architecture
) -> dict[Place, _Module]:
    """Each module's matrices as MLX has them. Raises ModelError where parts are missing."""
    wanted = {"lora_a", "lora_b"} | ({"m"} if config.get("use_dora") else set())
    modules = {}
    for place in sorted(parts):
        arrays = parts[place]
        if arrays.keys() != wanted:
            raise ModelError(
                f"{source / WEIGHTS}: {place.path(known.hf_layers)} has {', '.join(sorted(arrays))}"
                f", not {', '.join(sorted(wanted))}"
            )
        lora_a, lora_b = from_peft(arrays["lora_a"], arrays["lora_b"])
        magnitude = arrays["m"].reshape(-1) if "m" in arrays else None
        scale = scale_of(config, place.path(known.hf_layers), lora_a.shape[1], source / CONFIG)
        modules[place] = _Module(Matrices(lora_a, lora_b, magnitude), scale)
    return modules


def _spec(
    config: Json, modules: Mapping[Place, _Module], base: StoredModel, total_layers: int
) -> AdapterSpec:
    """What the folder says of itself. The scale is that of the modules with the largest rank."""
    ranks: dict[str, int] = {}
    for place, module in modules.items():
        ranks[place.module] = max(module.rank, ranks.get(place.module, 0))
    largest = max(ranks.values())
    scale = next(module.scale for module in modules.values() if module.rank == largest)
    first = min((place.layer for place in modules if not place.is_outside), default=0)
    return AdapterSpec(
        base=base.name,
        hf_base=base.hf_base or config.get("base_model_name_or_path"),
        rank=largest,
        scale=scale,
        dropout=float(config.get("lora_dropout") or 0.0),
        targets=tuple(sorted(ranks)),
        layers=total_layers - first,
        total_layers=total_layers,
        kind="dora" if config.get("use_dora") else "lora",
        ranks=tuple((path, rank) for path, rank in sorted(ranks.items()) if rank < largest),
    )


def _require_fitting(
    source: Path,
    modules: Mapping[Place, _Module],
    base_model: Any,
    name: str,
    known: Architecture,
) -> None:
    """Raises ModelError that names the modules which the base does not have, or has in another
    size: mlx-lm itself would say so of the first alone, or not at all.
    """
    present: dict[str, Any] = dict(base_model.named_modules())
    strange = []
    for place, module in modules.items():
        path = place.path(known.layers)
        sizes = (module.matrices.lora_a.shape[0], module.matrices.lora_b.shape[1])
        if path not in present or _sizes(present[path], place.is_embedding) != sizes:
            strange.append(f"{path} {sizes}")
    if strange:
        raise ModelError(
            f"{source}: not an adapter of {name}, which has no module {', '.join(strange[:8])}",
            hint="name the model that it was trained on: --model NAME",
        )


def _require_expressible(source: Path, modules: Mapping[Place, _Module], base_model: Any) -> None:
    """Raises ModelError where mlx-lm would compute something else of an embedding's adapter."""
    adapted = next((module for place, module in modules.items() if place.is_embedding), None)
    if adapted is None:
        return
    if HEAD not in dict(base_model.named_modules()):
        raise ModelError(
            f"{source}: is on {EMBEDDING}, which is the head of this model as well: mlx-lm would "
            "change both, and PEFT changes what is read alone",
            hint="merge it into its base with PEFT (merge_and_unload), and pull that folder",
        )
    if adapted.matrices.magnitude is not None:
        raise ModelError(
            f"{source}: is DoRA on {EMBEDDING}, which has no proven form in mlx-lm",
            hint="merge it into its base with PEFT (merge_and_unload), and pull that folder",
        )


def _sizes(module: Any, is_embedding: bool) -> tuple[int, int] | None:
    """(in, out) of a linear module, (V, out) of an embedding, quantised or not; None for another
    one.
    """
    if "weight" not in module or module.weight.ndim != 2:
        return None
    rows, width = module.weight.shape
    if hasattr(module, "bits"):
        width = width * 32 // module.bits
    return (rows, width) if is_embedding else (width, rows)


def _prepare(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadSettings(f"{out}: is there already; nothing was written", hint="choose another -o")
    make_folder(out)


def _mlx_tensors(
    modules: Mapping[Place, _Module], spec: AdapterSpec, layers: str
) -> Iterator[tuple[str, Array]]:
    """Name and array as mlx-lm's file has them: all of one rank, for one scale."""
    for place, module in modules.items():
        matrices = _at(module, spec)
        path = place.path(layers)
        yield f"{path}.lora_a", matrices.lora_a
        yield f"{path}.lora_b", matrices.lora_b
        if matrices.magnitude is not None:
            yield f"{path}.m", matrices.magnitude


def _at(module: _Module, spec: AdapterSpec) -> Matrices:
    """A module's matrices at the rank and the scale of all."""
    matrices = module.matrices
    if not math.isclose(module.scale, spec.scale, rel_tol=1e-9):
        wide = matrices.lora_b.astype(np.float64) * (module.scale / spec.scale)
        matrices = replace(matrices, lora_b=wide.astype(np.float32))  # rounded once
    missing = spec.rank - module.rank
    return replace(
        matrices,
        lora_a=np.pad(matrices.lora_a, ((0, 0), (0, missing))),
        lora_b=np.pad(matrices.lora_b, ((0, missing), (0, 0))),
    )
