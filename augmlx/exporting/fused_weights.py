"""A model's weights with an adapter worked into them, one tensor in memory at a time, under the
names that the model's own files have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from augmlx.core.errors import ModelError
from augmlx.core.records import AdapterSpec
from augmlx.exporting.architectures import architecture_of
from augmlx.exporting.trained_matrices import Array, Matrices, Place, read_matrices
from augmlx.models.formats import adapter_folder, model_folder
from augmlx.models.formats import safetensors as safetensors_format
from augmlx.models.store.folder import StoredModel

_QUANTISED = ("scales", "biases")  # what MLX's quantised weight has beside it


@dataclass(frozen=True)
class FusedWeights:
    """The weights of `model` under the adapter in the folder `adapter`, which is as `spec` says, or
    as they are; in float32. A quantised model's are dequantised.
    """

    model: StoredModel
    adapter: Path | None = None
    spec: AdapterSpec | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json of what is written: without what it says of a quantisation."""
        config = model_folder.read_config(self.model.path)
        return {key: config[key] for key in config if not key.startswith("quantization")}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of each tensor. Raises ModelError where a trained module is not among
        them.
        """
        shapes = {name: self._shape(name) for name in self._headers if self._is_whole(name)}
        return {name: shape for name, shape in shapes.items() if name not in self._tied}

    def read(self, name: str) -> Array:
        """A tensor, with what the adapter changes of it."""
        weight = self._read_base(name)
        if self.spec is None:
            return weight
        if self.spec.kind == "full":
            return self._full.get(name, weight)
        place = self._places.get(name)
        if place is None:
            return weight
        turned = place.is_embedding or self._turned
        return fuse(weight, self.matrices[place], self.spec.scale, turned)

    @cached_property
    def trained(self) -> frozenset[str]:
        """The names of the tensors that the adapter changes."""
        if self.spec is None:
            return frozenset()
        return frozenset(self._full if self.spec.kind == "full" else self._places)

    @property
    def _turned(self) -> bool:
        return architecture_of(self.config.get("model_type")).convolutions

    @cached_property
    def _files(self) -> list[Path]:
        return sorted(self.model.path.glob("model*.safetensors"))

    @cached_property
    def _headers(self) -> dict[str, Any]:
        headers: dict[str, Any] = {}
        for path in self._files:
            headers |= safetensors_format.read_header(path)
        return headers

    @cached_property
    def _arrays(self) -> Mapping[str, Any]:
        """Every tensor of the base, read when it is used."""
        import mlx.core as mx

        arrays: dict[str, Any] = {}
        for path in self._files:
            loaded = mx.load(str(path))
            assert isinstance(loaded, dict)
            arrays |= loaded
        return arrays

    @cached_property
    def _tied(self) -> frozenset[str]:
        """A head that is the embedding again; what reads a folder of a tied model wants none."""
        return frozenset({"lm_head.weight"} if self.config.get("tie_word_embeddings") else ())

    def _is_whole(self, name: str) -> bool:
        """Whether a tensor is one of its own, and not a part of a quantised one."""
        stem, _, part = name.rpartition(".")
        return part not in _QUANTISED or f"{stem}.weight" not in self._headers

    def _shape(self, name: str) -> tuple[int, ...]:
        *outer, width = self._headers[name].shape
        scales = self._headers.get(f"{name.removesuffix('.weight')}.scales")
        if scales is None or self._headers[name].dtype != "U32":
            return (*outer, width)
        return (*outer, width * 32 // int(self._quantization(name)["bits"]))

    def _quantization(self, name: str) -> Mapping[str, Any]:
        """How a tensor is quantised: as all are, or as the config says of its module."""
        config = model_folder.read_config(self.model.path)["quantization"]
        own = config.get(name.removesuffix(".weight"))
        return own if isinstance(own, dict) else config

    def _read_base(self, name: str) -> Array:
        import mlx.core as mx

        array = self._arrays[name]
        if array.dtype == mx.uint32:
            stem = name.removesuffix(".weight")
            how = self._quantization(name)
            array = mx.dequantize(
                array,
                self._arrays[f"{stem}.scales"],
                self._arrays.get(f"{stem}.biases"),
                group_size=how["group_size"],
                bits=how["bits"],
                mode=how.get("mode", "affine"),
            )
        return np.array(array.astype(mx.float32))

    @cached_property
    def matrices(self) -> dict[Place, Matrices]:
        assert self.adapter is not None
        assert self.spec is not None
        layers = architecture_of(self.config.get("model_type")).layers
        return read_matrices(self.adapter / adapter_folder.WEIGHTS, self.spec, layers)

    @cached_property
    def _full(self) -> dict[str, Array]:
        """The weights themselves, of a full training."""
        import mlx.core as mx

        assert self.adapter is not None
        loaded = mx.load(str(self.adapter / adapter_folder.WEIGHTS))
        assert isinstance(loaded, dict)
        missing = sorted(set(loaded) - set(self._headers))
        if missing:
            raise self._unknown(missing)
        return {name: np.array(array.astype(mx.float32)) for name, array in loaded.items()}

    @cached_property
    def _places(self) -> dict[str, Place]:
        """Name of a weight -> the module whose adapter changes it. Raises ModelError."""
        known = architecture_of(self.config.get("model_type"))
        # GPT-2's files leave the first part out, Gemma 3's have another one.
        roots = (known.hf_layers, known.layers, known.hf_layers.partition(".")[2])
        places, missing = {}, []
        for place in self.matrices:
            names = [f"{place.path(root)}.weight" for root in roots]
            present = [name for name in names if name in self._headers]
            if present:
                places[present[0]] = place
            else:
                missing.append(place.path(known.layers))
        if missing:
            raise self._unknown(missing)
        return places

    def _unknown(self, missing: list[str]) -> ModelError:
        return ModelError(
            f"{self.model.name}: its files have no weight of their own for "
            f"{', '.join(missing[:8])}, so nothing can be worked into it",
            hint="train without those modules, or use the adapter as it is",
        )


def fuse(weight: Array, matrices: Matrices, scale: float, turned: bool = False) -> Array:
    """W + scale * (A B)^T, of DoRA with rows of the magnitudes' lengths; summed in float64 and
    rounded once.

    Args:
        weight: (out, in); (in, out) where it is `turned`.
        matrices: lora_a (in, r), lora_b (r, out), magnitude (out,).
    """
    change = matrices.lora_a.astype(np.float64) @ matrices.lora_b.astype(np.float64)  # (in, out)
    changed = weight.astype(np.float64).T if not turned else weight.astype(np.float64)
    changed = changed + scale * change  # (in, out)
    if matrices.magnitude is not None:
        changed = changed * (matrices.magnitude / np.linalg.norm(changed, axis=0))
    fused: Array = (changed if turned else changed.T).astype(np.float32)
    return fused
