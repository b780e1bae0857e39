"""A model's body in two parts, run apart: the layers below the first that is trained, and the
others. What the former give for a text stays the same as long as they are frozen.

Either part is the body's own code, run on a shell of it in which the other part's layers hand on
what they are given; so masks, positions and caches stay those of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from augmlx.models.heads import Body

_WORTH = 8  # one layer of so many, at least


class Trunk:
    """The frozen layers of a model's body, and what stands on them."""

    def __init__(self, model: nn.Module, body: nn.Module, frozen: int) -> None:
        """Args:
            frozen: how many of the layers, at least one.

        Raises:
            ValueError: the body does not hold the model's layers as one list.
        """
        layers = list(model.layers)
        self._noted = _Noted(layers[frozen])
        above = [_PassedOver(layer) for layer in layers[frozen + 1 :]]
        self._below = _with_layers(body, layers, [*layers[:frozen], self._noted, *above])
        self._given = _Given(layers[0])
        passed = [_PassedOver(layer) for layer in layers[1:frozen]]
        self._above = _with_layers(body, layers, [self._given, *passed, *layers[frozen:]])

    def states(self, tokens: mx.array, cache: Any = None) -> mx.array:
        """tokens (B, T) -> what the frozen layers give for them, (B, T, D).

        Args:
            cache: as the body takes it, with one for each of all its layers.
        """
        self._below(tokens, cache=cache)
        states: mx.array = self._noted.states
        self._noted.states = None  # or they would be kept until the next ones
        return states

    def top(self, states: mx.array, cache: Any = None) -> mx.array:
        """What the body gives for tokens of which the frozen layers give `states`: (B, T, D) ->
        (B, T, D).

        Args:
            cache: as the body takes it, with one for each of all its layers.
        """
        self._given.states = states
        try:
            hidden: mx.array = self._above(mx.zeros(states.shape[:2], mx.int32), cache=cache)
        finally:
            self._given.states = None
        return hidden


def trunk_of(model: nn.Module, body: Body) -> Trunk | None:
    """The trunk of a model below its first trainable layer; None where it is not worth it, or does
    not give to the bit what the whole body gives on a short input. Tried, not read from a table.

    Args:
        body: the model's part without a head.
    """
    frozen = _frozen_layers(model)
    if not isinstance(body, nn.Module) or body is model or frozen * _WORTH < len(model.layers):
        return None
    tokens = mx.array([[1, 2, 3, 4, 5]])
    was_training = model.training
    model.eval()
    try:
        trunk = Trunk(model, body, frozen)
        same = mx.array_equal(trunk.top(trunk.states(tokens)), body(tokens, cache=None))
        return trunk if bool(same.item()) else None
    except (AttributeError, TypeError, ValueError, IndexError):  # another layout of the parts
        return None
    finally:
        model.train(was_training)


def _frozen_layers(model: nn.Module) -> int:
    """How many of a model's first layers have nothing that is trained; 0 where something outside of
    the layers has.
    """
    own = [len(tree_flatten(layer.trainable_parameters())) for layer in model.layers]
    if sum(own) != len(tree_flatten(model.trainable_parameters())):
        return 0
    return next((number for number, count in enumerate(own) if count), 0)


class _PassedOver:
    """In the place of a layer: what it would tell of itself, but it hands on what it is given."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer

    def __call__(self, *given: Any, **_: Any) -> mx.array:
        states: mx.array = given[0]
        return states

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


class _Noted(_PassedOver):
    """Keeps what it hands on."""

    states: Any = None

    def __call__(self, *given: Any, **_: Any) -> mx.array:
        self.states = super().__call__(*given)
        return super().__call__(*given)


class _Given(_PassedOver):
    """Hands on the states that it was given before, whatever comes: an embedding, which some models
    scale.
    """

    states: Any = None

    def __call__(self, *_: Any, **__: Any) -> mx.array:
        states: mx.array = self.states
        return states


def _with_layers(body: nn.Module, own: Sequence[Any], others: Sequence[Any]) -> nn.Module:
    """A shell of the body with `others` in the place of its `own` layers. Raises ValueError."""
    lists = {name: part for name, part in body.items() if isinstance(part, list) and part}
    (named,) = [name for name, part in lists.items() if part[0] is own[0]]
    shell: nn.Module = type(body).__new__(type(body))
    dict.update(shell, body)
    vars(shell).update(vars(body))
    dict.update(shell, {named: others})
    return shell
