"""What the frozen layers of a model give for the rows of a training: computed once, and not anew in
each epoch. Where only the last third of the layers is trained, a step costs about half.

Rows that begin alike have the same states there, which are kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from augmlx.core.progress import Progress
from augmlx.models.heads import Head
from augmlx.models.trunk import Trunk, trunk_of
from augmlx.training import shared_prefix
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
        *,
        shares: bool = False,
    ) -> Self | None:
        """Those of all rows; None where the model has no frozen layers that could be run apart, or
        they would not fit MOST_BYTES.

        Args:
            shares: what rows begin with may be computed once: see shared_prefix.py.
        """
        trunk = trunk_of(model, head.body)
        if trunk is None:
            return None
        opening, alike, others = _sorted(rows, shares=shares)
        places = _places([*([opening] if opening else []), *alike, *others])
        count = 1 + max(max(own) for own in places.values())
        if count * trunk.states(mx.array([[1]])).nbytes > MOST_BYTES:
            return None
        table = _Table(trunk, places)
        was_training = model.training
        model.eval()
        with progress.task(label, len(alike) + len(others)) as task:
            if opening:
                table.add([opening])
                caches = shared_prefix.caches(model, trunk.states, mx.array([opening]))
            for texts, length in ((alike, len(opening)), (others, 0)):
                for start in range(0, len(texts), _TOGETHER):
                    some = texts[start : start + _TOGETHER]
                    table.add(some, length, caches if length else None)
                    task.advance(len(some))
        model.train(was_training)
        return cls(trunk, places, table.states())

    def placed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows, with places in the table in place of tokens as what the model is given."""
        return [replace(row, places=self._places[row.tokens[:-1]]) for row in rows]

    def put(self, batch: Arrays) -> Arrays:
        """A batch that gives places -> the same with the states there, as `body` takes them."""
        names = batch.keys() & {"inputs", "prefix"}
        return batch | {name: self._table[batch[name]] for name in names}


def _sorted(rows: Sequence[Row], *, shares: bool) -> tuple[_Tokens, list[_Tokens], list[_Tokens]]:
    """What many rows begin with, the different inputs that do, and the others; each by length."""
    alike, length = shared_prefix.sharing(rows) if shares else ([], 0)
    opening = rows[alike[0]].tokens[:length] if alike else ()
    inputs = sorted({row.tokens[:-1] for row in rows}, key=lambda tokens: (len(tokens), tokens))
    begun = [tokens for tokens in inputs if opening and tokens[:length] == opening]
    return opening, begun, [tokens for tokens in inputs if tokens not in set(begun)]


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


class _Table:
    """The states of texts, put behind each other in the order of their places."""

    def __init__(self, trunk: Trunk, places: dict[_Tokens, _Tokens]) -> None:
        self._trunk, self._places = trunk, places
        self._parts: list[mx.array] = []
        self._known = 0  # places that have their states

    def add(self, texts: Sequence[_Tokens], begun: int = 0, caches: Any = None) -> None:
        """Texts, of which so many tokens were computed before, and stand in the caches."""
        width = max(len(tokens) for tokens in texts) - begun
        inputs = np.zeros((len(texts), max(1, width)), np.int32)
        for number, tokens in enumerate(texts):
            inputs[number, : len(tokens) - begun] = tokens[begun:]
        states = self._trunk.states(mx.array(inputs), caches)  # (B, T, D)
        for number, tokens in enumerate(texts):
            old = sum(place < self._known for place in self._places[tokens])
            self._parts.append(states[number, old - begun : len(tokens) - begun])
            self._known += len(tokens) - old
        mx.eval(self._parts)

    def states(self) -> mx.array:
        """(N, D)"""
        return mx.concatenate(self._parts)
