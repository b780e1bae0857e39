"""How the modules of an architecture are called in transformers, where MLX calls them otherwise,
and which of them an adapter may be on: a row of architectures.toml for each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from augmlx.core.errors import ModelError

_FILE = "architectures.toml"


@dataclass(frozen=True, slots=True)
class Architecture:
    """One model_type of config.json.

    Args:
        name: the models that are known by it, in words; "" where none is proven.
        layers: the path of the layers in MLX's model.
        hf_layers: the same in transformers' model.
        towers: it has other parts with modules of the same names, so each must be named in full.
        convolutions: transformers keeps the weights as GPT-2's Conv1D does, (in, out).
        trains: the modules inside of a layer that PEFT can adapt, each a pattern.
        because: why it cannot adapt the others.
    """

    name: str = ""
    layers: str = "model.layers"
    hf_layers: str = "model.layers"
    towers: bool = False
    convolutions: bool = False
    trains: tuple[str, ...] = ("*",)
    because: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether a test exports an adapter of it and compares PEFT's logits with MLX's."""
        return bool(self.name)

    def require(self, targets: Iterable[str], model_type: str) -> None:
        """Raises ModelError that names the modules which have no counterpart for PEFT."""
        unmapped = [target for target in targets if not self._may_be_trained(target)]
        if unmapped:
            raise ModelError(
                f"{model_type}: {', '.join(unmapped)} cannot be exported to PEFT: {self.because}",
                hint=f"train without, such as train.targets = {list(self.trains)}; "
                "or export --format fused",
            )

    def _may_be_trained(self, target: str) -> bool:
        return any(fnmatchcase(target, pattern) for pattern in self.trains)


@cache
def architectures() -> Mapping[str, Architecture]:
    """Each model_type that is known, in the order of the file."""
    text = resources.files(__package__).joinpath(_FILE).read_text("utf-8")
    return {model_type: _read(row) for model_type, row in tomllib.loads(text).items()}


def _read(row: Mapping[str, Any]) -> Architecture:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    values: dict[str, Any] = {**row, **lists}
    return Architecture(**values)


def architecture_of(model_type: str | None) -> Architecture:
    """The row of a model_type; where there is none, names are taken to be the same on both sides,
    which nothing proves.
    """
    return architectures().get(model_type or "", Architecture())
