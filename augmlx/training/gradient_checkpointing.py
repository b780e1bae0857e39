"""Gradient checkpointing: what a layer computes on the way forward is dropped and computed again on
the way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
import mlx.nn as nn


@contextmanager
def layers_recomputed(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Inside, each of the model's layers is recomputed on the way back, if `wanted`; other models
    are not touched.

    mlx-lm changes the class of the layers, so that every model of that kind is changed, and twice
    by a second call. Here these layers alone become of a class of their own, and are of their old
    one behind. Nor does it draw the same dropout again on the way back; here each drop-out of these
    layers does.
    """
    layers = [layer for layer in model.layers if wanted and not hasattr(layer, "recomputed")]
    classes = [(module, type(module)) for module in (*layers, *_dropouts(layers))]
    classes_inside: dict[type, type] = {nn.Dropout: _Dropout}
    for module, kind in classes:
        if kind not in classes_inside:
            classes_inside[kind] = _recomputed_class(kind)
        module.__class__ = classes_inside[kind]
    try:
        yield
    finally:
        for module, kind in classes:
            module.__class__ = kind


def _dropouts(layers: list[nn.Module]) -> list[nn.Module]:
    """The drop-outs in some layers, of mlx's own class."""
    modules = [module for layer in layers for module in layer.modules()]
    return [module for module in modules if type(module) is nn.Dropout]


def _recomputed_class(kind: type) -> type:
    """A class of layers that are as those of `kind`, but recomputed on the way back."""
    body = {"__call__": _recomputed(kind), "__module__": kind.__module__, "recomputed": True}
    return type(f"Recomputed{kind.__name__}", (kind,), body)


def _recomputed(kind: type) -> Any:
    """What calls a layer of that class, so that all between its inputs and its outputs is
    recomputed.
    """

    def call(layer: nn.Module, *given: Any, **named: Any) -> Any:
        dropouts = [module for module in layer.modules() if isinstance(module, _Dropout)]
        keys = [mx.random.randint(0, 2**31, (2,), dtype=mx.uint32) for _ in dropouts]

        def inner(parameters: Any, keys: list[mx.array], *given: Any, **named: Any) -> Any:
            layer.update(parameters)
            for dropout, key in zip(dropouts, keys, strict=True):
                vars(dropout)["key"] = mx.stop_gradient(key)
            try:
                return kind.__call__(layer, *given, **named)
            finally:
                for dropout in dropouts:
                    del vars(dropout)["key"]

        # Parameters go in as an argument: mx.checkpoint gives no gradient to what a function holds
        # by itself. So do the keys, which mx.compile loses otherwise.
        return mx.checkpoint(inner)(layer.trainable_parameters(), keys, *given, **named)

    return call


class _Dropout(nn.Dropout):
    """Drops the same for the same key; mlx draws anew at every call."""

    key: mx.array

    def __call__(self, x: mx.array) -> mx.array:
        """x of any shape -> of the same one, with a share of zeros."""
        share_kept = self._p_1
        if share_kept == 1 or not self.training:
            return x
        kept = mx.random.bernoulli(share_kept, x.shape, key=self.key)
        return kept * x * (1 / share_kept)
