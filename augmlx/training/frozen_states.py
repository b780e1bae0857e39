"""What the frozen layers of a model give for the rows of a training: computed once, and not anew in
each epoch. Where only the upper half of the layers is trained, a step costs half.

Rows that begin alike have the same states there, which are kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from augmlx.core.progress import Progress
from augmlx.models.heads import Head
from augmlx.models.trunk import Trunk, trunk_of
from augmlx.training.batches import Row
from augmlx.training.layout import Arrays

MOST_BYTES = 1 << 30  # of states that are kept
_TOGETHER = 16  # texts in one pass
_Tokens = tuple[int, ...]


class FrozenStates:
    """The states (N, D) of N tokens, each behind what stands before it, in the type that the model
    computes in.
    """

    def __init__(self, trunk: Trunk, places: dict[_Tokens, _Tokens], table: mx.array) -> None:
        self.body = trunk.top
        self._places = places
        self._table = table

    @classmethod
    def of(
        cls,
        model: nn.Module,
        head: Head,
        rows: Sequence[Row],
        progress: Progress,
        label: str,
    ) -> Self | None:
        """Those of all rows; None where the model has no frozen layers that could be run apart, or
        they would not fit MOST_BYTES.
        """
        trunk = trunk_of(model, head.body)
        if trunk is None:
            return None
        inputs = sorted({row.tokens[:-1] for row in rows}, key=lambda tokens: (len(tokens), tokens))
        places = _places(inputs)
        count = 1 + max(max(own) for own in places.values())
        if count * trunk.states(mx.array([[1]])).nbytes > MOST_BYTES:
            return None
        with progress.task(label, len(inputs)) as task:
            parts: list[mx.array] = []
            for start in range(0, len(inputs), _TOGETHER):
                some = inputs[start : start + _TOGETHER]
                parts += _new_states(trunk, some, places, sum(part.shape[0] for part in parts))
                mx.eval(parts)
                task.advance(len(some))
        return cls(trunk, places, mx.concatenate(parts))

    def placed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows, with places in the table in place of tokens as what the model is given."""
        return [replace(row, places=self._places[row.tokens[:-1]]) for row in rows]

    def put(self, batch: Arrays) -> Arrays:
        """A batch that gives places -> the same with the states there, as `body` takes them."""
        names = batch.keys() & {"inputs", "prefix"}
        return batch | {name: self._table[batch[name]] for name in names}


def _places(texts: Sequence[_Tokens]) -> dict[_Tokens, _Tokens]:
    """For each of the texts the places of its tokens: the same where all before is the same too,
    and numbered as they come.
    """
    known: dict[tuple[int, int], int] = {}  # (place of what stands before, token) -> place
    places: dict[_Tokens, _Tokens] = {}
    for tokens in texts:
        before = -1
        own: list[int] = []
        for token in tokens:
            before = known.setdefault((before, token), len(known))
            own.append(before)
        places[tokens] = tuple(own)
    return places


def _new_states(
    trunk: Trunk, texts: Sequence[_Tokens], places: dict[_Tokens, _Tokens], known: int
) -> list[mx.array]:
    """The states (n, D) of each text's tokens that are the first at their places.

    Args:
        known: so many places have their states already.
    """
    width = max(len(tokens) for tokens in texts)
    inputs = np.zeros((len(texts), width), np.int32)
    for number, tokens in enumerate(texts):
        inputs[number, : len(tokens)] = tokens
    states = trunk.states(mx.array(inputs))  # (B, T, D)
    found: list[mx.array] = []
    for number, tokens in enumerate(texts):
        old = sum(place < known for place in places[tokens])
        found.append(states[number, old : len(tokens)])
        known += len(tokens) - old
    return found
