"""Adapters: what is trained of a model, and the weights of mlx-lm's adapter folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear
from mlx_lm.tuner.utils import linear_to_lora_layers

from augmlx.core.errors import BadSettings, StorageError
from augmlx.core.files import atomic_path, make_folder
from augmlx.core.records import AdapterSpec
from augmlx.core.settings import TrainSettings
from augmlx.models.formats import adapter_folder
from augmlx.models.loading import LoadedModel

_EXPERTS = (SwitchLinear, QuantizedSwitchLinear)
_QUANTISED = (nn.QuantizedLinear, QuantizedSwitchLinear)


def plan(loaded: LoadedModel, settings: TrainSettings) -> AdapterSpec:
    """Which modules are trained, and how.

    A target, and a key of `ranks`, is a module's name, its path inside the layer, or a pattern of
    either. Where several keys match a module, its path goes before its name, a name before a
    pattern, and a long pattern before a short one.

    Raises:
        BadSettings: more layers than there are; a target or a key of `ranks` that matches no
            module, where mlx-lm itself would silently train nothing; two ranks with equal right to
            a module; a module that cannot be trained by this method.
    """
    layers = loaded.model.layers
    count = len(layers) if settings.layers == -1 else settings.layers
    if count > len(layers):
        raise BadSettings(
            f"train.layers: {count} asked for, the model has {len(layers)}", hint="use -1 for all"
        )
    linear: dict[str, list[nn.Module]] = {}
    for layer in layers[-count:]:
        for path, module in layer.named_modules():
            if isinstance(module, (nn.Linear, *_QUANTISED, *_EXPERTS)) or hasattr(
                module, "to_lora"
            ):
                linear.setdefault(path, []).append(module)
    if unknown := _unmatched(settings.targets, linear):
        raise BadSettings(
            f"train.targets: the model has no linear module {unknown}",
            hint=f"its linear modules: {', '.join(sorted(linear))}",
        )
    targets = tuple(
        sorted(
            path for path in linear if any(_matches(target, path) for target in settings.targets)
        )
    )
    _refuse_what_cannot_be({path: linear[path] for path in targets}, settings.method)
    full = settings.method == "full"
    ranks = {path: 0 if full else _rank(path, settings) for path in targets}
    if unknown := _unmatched(settings.ranks, targets):
        raise BadSettings(
            f"train.ranks: no target is called {unknown}", hint=f"the targets: {', '.join(targets)}"
        )
    largest = max(ranks.values())
    return AdapterSpec(
        base=loaded.stored.name,
        hf_base=loaded.stored.hf_base,
        rank=largest,
        scale=0.0 if full else settings.scale,
        dropout=settings.dropout,
        targets=targets,
        layers=count,
        total_layers=len(layers),
        kind=settings.method,
        ranks=tuple((path, rank) for path, rank in ranks.items() if rank < largest),
    )


def _matches(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(_name(path), pattern)


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _unmatched(patterns: Iterable[str], paths: Iterable[str]) -> str:
    return ", ".join(
        pattern for pattern in patterns if not any(_matches(pattern, path) for path in paths)
    )


def _rank(path: str, settings: TrainSettings) -> int:
    """The rank of a target. Their order in `ranks` decides nothing: settings that differ in it
    alone count as equal.
    """
    found: dict[tuple[bool, bool, int], dict[str, int]] = {}
    for pattern, rank in settings.ranks.items():
        if _matches(pattern, path):
            found.setdefault((pattern == path, pattern == _name(path), len(pattern)), {})[
                pattern
            ] = rank
    best = found[max(found)] if found else {"": settings.rank}
    if len(set(best.values())) > 1:
        raise BadSettings(
            f"train.ranks: {' and '.join(best)} have equal right to {path}",
            hint=f"give {path} a rank of its own",
        )
    return next(iter(best.values()))


def _refuse_what_cannot_be(targets: Mapping[str, Iterable[nn.Module]], method: str) -> None:
    faults: dict[tuple[str, str], list[str]] = {}
    for path, modules in targets.items():
        for fault in {_objection(module, method) for module in modules}:
            if fault is not None:
                faults.setdefault(fault, []).append(path)
    for (why, hint), paths in faults.items():
        raise BadSettings(
            f"train.method: {method} cannot train {', '.join(paths)}: {why}", hint=hint
        )


def _objection(module: nn.Module, method: str) -> tuple[str, str] | None:
    """Why a module cannot be trained by a method, if it cannot, and what to do."""
    if method == "full":
        hint = (
            "train.method lora trains an adapter over them (QLoRA); or take the full-precision "
            "model"
        )
        return (
            (f"quantised to {module.bits} bits", hint) if isinstance(module, _QUANTISED) else None
        )
    if hasattr(
        module, "to_lora"
    ):  # AFM's: its matrices are lists, which load_adapters does not know
        return "mlx-lm cannot load the adapter that it makes of it", "leave it out of train.targets"
    hint = "train.method lora can; or leave it out of train.targets"
    if method == "dora" and isinstance(module, _EXPERTS):
        return "a mixture of experts, for which mlx-lm has no DoRA", hint
    if method == "dora" and isinstance(module, _QUANTISED) and 32 % module.bits:
        return f"quantised to {module.bits} bits, whose width mlx-lm's DoRA gets wrong", hint
    return None


def attach(model: nn.Module, spec: AdapterSpec, seed: int) -> None:
    """Freeze the model save for what `spec` trains.

    LoRA and DoRA layers are fresh, the same ones for the same seed, with B at zero; they are
    float32. Of a full training, the weights and biases are.
    """
    model.freeze()
    mx.random.seed(seed % 2**64)  # all that it takes
    if spec.kind == "full":
        for layer in model.layers[-spec.layers :]:
            for path, module in layer.named_modules():
                if path in spec.targets:
                    _widen(module)
                    module.unfreeze(recurse=False)
        return
    for rank in sorted({spec.rank_of(target) for target in spec.targets}):
        keys = [target for target in spec.targets if spec.rank_of(target) == rank]
        parameters = {**adapter_folder.lora_parameters(spec), "rank": rank, "keys": keys}
        linear_to_lora_layers(model, spec.layers, parameters, use_dora=spec.kind == "dora")


def _widen(module: nn.Module) -> None:
    """Keep 16-bit weights in float32, where a small update is not lost, and compute in their own
    type as before: wide outputs would widen everything behind them.
    """
    kind, dtype = type(module), module.weight.dtype
    if dtype == mx.float32:
        return

    class Widened(kind):  # type: ignore[valid-type, misc]
        narrow = dtype

        def __call__(self, *args: Any, **named: Any) -> Any:
            plain = kind.__new__(kind)
            dict.update(plain, self)
            vars(plain).update(vars(self))
            plain.set_dtype(dtype)
            return plain(*args, **named)

    module.__class__ = Widened
    module.set_dtype(mx.float32)


def save(model: nn.Module, spec: AdapterSpec, folder: Path) -> None:
    """Write the adapter folder; the weights appear whole, and before the config that points to
    them.
    """
    make_folder(folder)
    save_arrays(_as_mlx_lm_reads(model, spec), folder / adapter_folder.WEIGHTS)
    adapter_folder.write_config(spec, folder)


def _as_mlx_lm_reads(model: nn.Module, spec: AdapterSpec) -> dict[str, mx.array]:
    """The trained arrays: widened weights in the type that they compute in, and matrices of a
    smaller rank padded with zeros to the largest, the one that mlx-lm knows; the function is the
    same.
    """
    arrays: dict[str, mx.array] = dict(tree_flatten(model.trainable_parameters()))
    for path, module in model.named_modules():
        if hasattr(module, "narrow"):
            own: dict[str, mx.array] = dict(
                tree_flatten(module.trainable_parameters(), prefix=f".{path}")
            )
            arrays |= {name: array.astype(module.narrow) for name, array in own.items()}
    if not spec.ranks:
        return arrays
    # (in, r) and (r, out); of E experts (E, r, in) and (E, out, r)
    axes = {("lora_a", 2): 1, ("lora_b", 2): 0, ("lora_a", 3): 1, ("lora_b", 3): 2}
    for name, array in arrays.items():
        axis = axes.get((_name(name), array.ndim))
        if axis is not None:
            missing = spec.rank - array.shape[axis]
            arrays[name] = mx.pad(
                array, [(0, missing if at == axis else 0) for at in range(array.ndim)]
            )
    return arrays


def save_arrays(arrays: dict[str, mx.array], path: Path) -> None:
    """Arrays to a private safetensors file that appears whole or not at all, with the names in
    sorted order.
    """
    with atomic_path(path) as beside:
        try:
            mx.save_safetensors(str(beside), dict(sorted(arrays.items())))
        except RuntimeError as error:  # mlx's own word for a write that failed
            raise StorageError(
                f"{path}: cannot be written", hint="free some space and run again; it resumes"
            ) from error
