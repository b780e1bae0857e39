"""Which modules of a model are trained, and as what: the settings' patterns, held against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import mlx.nn as nn
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear

from augmlx.core.errors import BadSettings
from augmlx.core.records import AdapterSpec
from augmlx.core.settings import TrainSettings
from augmlx.models.loading import LoadedModel

_EXPERTS = (SwitchLinear, QuantizedSwitchLinear)
_QUANTISED = (nn.QuantizedLinear, QuantizedSwitchLinear)
_LINEAR = (nn.Linear, *_QUANTISED, *_EXPERTS)

# The modules of a path inside the layer, one for each layer that has it.
ModulesOfPath = Mapping[str, Sequence[nn.Module]]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a module cannot be trained by a method, and what to do."""

    reason: str
    hint: str


def adapter_spec(loaded: LoadedModel, settings: TrainSettings) -> AdapterSpec:
    """Which modules are trained, and how.

    A target, and a key of `ranks`, is a module's name, its path inside the layer, or a pattern of
    either. Where several keys match a module, its path goes before its name, a name before a
    pattern, and a long pattern before a short one.

    Raises:
        BadSettings: more layers than there are; a target or a key of `ranks` that matches no
            module, where mlx-lm itself would silently train nothing; two ranks with equal right to
            a module; a module that cannot be trained by this method.
    """
    total_layers = len(loaded.model.layers)
    layers = _layers(settings, total_layers)
    if layers > total_layers:
        raise BadSettings(
            f"train.layers: {layers} asked for, the model has {total_layers}",
            hint="use -1 for all",
        )
    modules = _linear_modules(loaded.model.layers[-layers:])
    targets = _chosen(settings.targets, modules)
    _refuse_untrainable({path: modules[path] for path in targets}, settings.method)
    full = settings.method == "full"
    ranks = {path: 0 if full else _rank(path, settings) for path in targets}
    unmatched = _unmatched(settings.ranks, targets)
    if unmatched:
        raise BadSettings(
            f"train.ranks: no target is called {unmatched}",
            hint=f"the targets: {', '.join(targets)}",
        )
    largest = max(ranks.values())
    return AdapterSpec(
        base=loaded.stored.name,
        hf_base=loaded.stored.hf_base,
        rank=largest,
        scale=0.0 if full else settings.scale,
        dropout=settings.dropout,
        targets=targets,
        layers=layers,
        total_layers=total_layers,
        kind=settings.method,
        ranks=tuple((path, rank) for path, rank in ranks.items() if rank < largest),
    )


def _layers(settings: TrainSettings, total: int) -> int:
    """How many of the last layers are trained. A model that is held at anchors learns as well in
    a third of them, and the others need be computed only once: docs/LOG.md.
    """
    if settings.layers == "auto":
        return -(-total // 3) if settings.anchor else total
    return total if settings.layers == -1 else settings.layers


def _linear_modules(layers: Iterable[nn.Module]) -> dict[str, list[nn.Module]]:
    """The linear modules of some layers by their path inside the layer."""
    modules: dict[str, list[nn.Module]] = defaultdict(list)
    for layer in layers:
        for path, module in layer.named_modules():
            if isinstance(module, _LINEAR) or hasattr(module, "to_lora"):
                modules[path].append(module)
    return modules


def _chosen(patterns: Sequence[str], modules: ModulesOfPath) -> tuple[str, ...]:
    """The paths that a pattern matches, sorted. Raises BadSettings where one matches none."""
    unmatched = _unmatched(patterns, modules)
    if unmatched:
        raise BadSettings(
            f"train.targets: the model has no linear module {unmatched}",
            hint=f"its linear modules: {', '.join(sorted(modules))}",
        )
    matched = {path for pattern in patterns for path in modules if _matches(pattern, path)}
    return tuple(sorted(matched))


def _matches(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(_name(path), pattern)


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _unmatched(patterns: Iterable[str], paths: Iterable[str]) -> str:
    """The patterns that match no path, for a message."""

    def matched(pattern: str) -> bool:
        return any(_matches(pattern, path) for path in paths)

    return ", ".join(pattern for pattern in patterns if not matched(pattern))


def _rank(path: str, settings: TrainSettings) -> int:
    """The rank of a target. Their order in `ranks` decides nothing: settings that differ in it
    alone count as equal.
    """
    patterns = [pattern for pattern in settings.ranks if _matches(pattern, path)]
    if not patterns:
        return settings.rank

    def right(pattern: str) -> tuple[bool, bool, int]:
        return pattern == path, pattern == _name(path), len(pattern)

    greatest = max(right(pattern) for pattern in patterns)
    first = [pattern for pattern in patterns if right(pattern) == greatest]
    ranks = {settings.ranks[pattern] for pattern in first}
    if len(ranks) > 1:
        raise BadSettings(
            f"train.ranks: {' and '.join(first)} have equal right to {path}",
            hint=f"give {path} a rank of its own",
        )
    return ranks.pop()


def _refuse_untrainable(targets: ModulesOfPath, method: str) -> None:
    """Raises BadSettings that names every target with the first of the faults."""
    paths_of_objection: dict[Objection, list[str]] = defaultdict(list)
    for path, modules in targets.items():
        for objection in {_objection(module, method) for module in modules}:
            if objection is not None:
                paths_of_objection[objection].append(path)
    for objection, paths in paths_of_objection.items():
        raise BadSettings(
            f"train.method: {method} cannot train {', '.join(paths)}: {objection.reason}",
            hint=objection.hint,
        )


def _objection(module: nn.Module, method: str) -> Objection | None:
    """Why a module cannot be trained by a method, if it cannot."""
    quantised = isinstance(module, _QUANTISED)
    if method == "full":
        if not quantised:
            return None
        return Objection(
            f"quantised to {module.bits} bits",
            "train.method lora trains an adapter over them (QLoRA); "
            "or take the full-precision model",
        )
    if hasattr(module, "to_lora"):
        # AFM's: its matrices are lists, which load_adapters does not know.
        return Objection(
            "mlx-lm cannot load the adapter that it makes of it", "leave it out of train.targets"
        )
    hint = "train.method lora can; or leave it out of train.targets"
    if method == "dora" and isinstance(module, _EXPERTS):
        return Objection("a mixture of experts, for which mlx-lm has no DoRA", hint)
    if method == "dora" and quantised and 32 % module.bits:
        return Objection(
            f"quantised to {module.bits} bits, whose width mlx-lm's DoRA gets wrong", hint
        )
    return None
