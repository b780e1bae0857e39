"""How the rows of a batch lie in arrays: padded to the longest, packed one behind the other, or
behind what they all begin with.

Either way a row sees itself alone, and the loss has the same places. Padding is behind the last
token of a row, where causal attention cannot see it from any target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

import mlx.core as mx
import numpy as np

from augmlx.training.batches import Row
from augmlx.training.shared_prefix import sharing

Arrays = dict[str, mx.array]
_SAVED = 0.05  # the share of a batch's positions that packing must save to be worth its copies


class Part(NamedTuple):
    """Rows of a batch that are computed together: their places in it, and how many tokens of their
    beginning are computed once for all.
    """

    places: Sequence[int]
    shared: int = 0


@dataclass(frozen=True, slots=True)
class BatchLayout:
    """How the batches of one training are laid out.

    Args:
        packing: whether batches are packed; "auto": those where it saves enough.
        shares: whether rows that begin alike may share the beginning.
        bucketed: sizes are rounded up to those of `bucket`.
        longest: the most tokens that a packed row may have; a batch with more is padded.
    """

    packing: Literal["auto", "always", "never"] = "never"
    bucketed: bool = False
    longest: float = math.inf
    shares: bool = False

    def parts(self, rows: Sequence[Row], held: int = 0) -> list[Part]:
        """A batch as it is computed: whole; or those that begin alike, and then the others, where
        that is worth it. So many of the rows, the last ones, are anchors: they are computed with
        the others where that is no more work than by themselves.
        """
        whole = self._parts(rows)
        count = len(rows) - held
        if not held or not count:
            return whole
        anchors = [
            Part([count + place for place in part.places], part.shared)
            for part in self._parts(rows[count:])
        ]
        apart = [*self._parts(rows[:count]), *anchors]
        return min(whole, apart, key=lambda parts: self._computed(rows, parts))

    def _parts(self, rows: Sequence[Row]) -> list[Part]:
        whole = [Part(range(len(rows)))]
        alike, shared = sharing(rows) if self.shares else ([], 0)
        if not alike:
            return whole
        others = [place for place in range(len(rows)) if place not in alike]
        parts = [Part(alike, shared), *([Part(others)] if others else [])]
        is_worth_it = self._computed(rows, parts) <= (1 - _SAVED) * self._computed(rows, whole)
        return parts if is_worth_it else whole

    def packs(self, rows: Sequence[Row]) -> bool:
        """Whether a batch of these rows is packed."""
        lengths = [row.inputs for row in rows]
        if positions(lengths, packed=True, bucketed=self.bucketed) > self.longest:
            return False
        if self.packing != "auto":
            return self.packing == "always"
        return worth_packing(lengths, bucketed=self.bucketed)

    def arrays(self, rows: Sequence[Row], shared: int = 0, held: int = 0) -> Arrays:
        """The rows of a part as one batch: see `arrays`."""
        packed = not shared and self.packs(rows)
        return arrays(rows, packed=packed, bucketed=self.bucketed, shared=shared, held=held)

    def positions(self, rows: Sequence[Row], held: int = 0) -> int:
        """How many tokens the model computes for a batch of these rows, padding included."""
        return self._computed(rows, self.parts(rows, held))

    def tokens(self, rows: Sequence[Row], held: int = 0) -> int:
        """How many of them are tokens of a row."""
        return sum(
            part.shared + sum(rows[place].inputs - part.shared for place in part.places)
            for part in self.parts(rows, held)
        )

    def _computed(self, rows: Sequence[Row], parts: Sequence[Part]) -> int:
        return sum(self._of_part([rows[place] for place in p.places], p.shared) for p in parts)

    def _of_part(self, rows: Sequence[Row], shared: int) -> int:
        lengths = [row.inputs - shared for row in rows]
        packed = not shared and self.packs(rows)
        return shared + positions(lengths, packed=packed, bucketed=self.bucketed)


def bucket(size: int) -> int:
    """The next size of a coarse grid, at most an eighth above: a compiled step is compiled once for
    each shape.
    """
    grain = max(8, 1 << max(0, size.bit_length() - 4))
    return -(-size // grain) * grain


def positions(lengths: Sequence[int], *, packed: bool, bucketed: bool) -> int:
    """How many tokens the model computes for rows of so many input tokens, padding included."""
    size = sum(lengths) if packed else max(lengths)
    if bucketed:
        size = bucket(size)
    return size if packed else len(lengths) * size


def worth_packing(lengths: Sequence[int], *, bucketed: bool) -> bool:
    """Whether packing rows of so many input tokens spares enough of what padding would compute."""
    padded = positions(lengths, packed=False, bucketed=bucketed)
    packed = positions(lengths, packed=True, bucketed=bucketed)
    return packed <= (1 - _SAVED) * padded


def arrays(
    rows: Sequence[Row],
    weight: float = 1.0,
    *,
    packed: bool = False,
    bucketed: bool = False,
    shared: int = 0,
    held: int = 0,
) -> Arrays:
    """A batch of B rows as the loss takes it.

    Args:
        weight: of each target in the loss; of a row's first, `Row.first` times as much.
        packed: the rows one behind the other in a single one, instead of each in its own.
        bucketed: fill up to sizes of `bucket`, with targets of no weight.
        shared: so many tokens that all begin with are no part of them, but stand in `prefix`.
        held: so many of the rows, the last ones, are anchors: they have places and no targets.

    Returns:
        inputs (B, T); of N targets the tokens (`target`) and their `weight`, each (N,); and the
        `row` and `column` that each is predicted at, and behind them those of the M places of
        anchors, each (N + M,). Packed, the inputs are one row of L places,
        (1, L); `grid` (R, T) says where in it each token of the R rows of at most T tokens lies, -1
        behind a row's end, and `flat` (L,) where in the grid each place of the one row is. With P
        shared tokens, these are `prefix` (1, P), and inputs and columns are those behind them.
    """
    lengths = [row.inputs - shared for row in rows]
    size = positions(lengths, packed=packed, bucketed=bucketed)
    lines = 1 if packed else len(rows)
    inputs = np.zeros((lines, size // lines), np.int32)  # (B, T)
    starts = list(accumulate(lengths, initial=0))
    places: list[list[tuple[int, int]]] = [[], []]  # (row, column): of targets, and of anchors
    targets: list[int] = []
    weights: list[float] = []
    for number, row in enumerate(rows):
        line, start = (0, starts[number]) if packed else (number, 0)
        inputs[line, start : start + lengths[number]] = row.given[shared:]
        learnt = [place for place in range(1, len(row.tokens)) if row.mask[place]]
        is_anchor = number >= len(rows) - held
        places[is_anchor] += [(line, start + place - 1 - shared) for place in learnt]
        if not is_anchor:
            targets += [row.tokens[place] for place in learnt]
            weights += [weight * row.first] * bool(learnt) + [weight] * (len(learnt) - 1)
    if bucketed:
        for some in places:
            some += [(0, 0)] * (bucket(len(some)) - len(some))
    at = np.array([*places[0], *places[1]], np.int32).reshape(-1, 2)  # (N + M, 2)
    batch = {
        "inputs": mx.array(inputs),
        "row": mx.array(at[:, 0]),
        "column": mx.array(at[:, 1]),
        "target": mx.array(filled(targets, len(places[0]), np.int32)),
        "weight": mx.array(filled(weights, len(places[0]), np.float32)),
    }
    if shared:
        batch["prefix"] = mx.array([rows[0].given[:shared]])
    if packed:
        batch |= _places(lengths, size, bucketed=bucketed)
    return batch


def filled(values: Sequence[float], size: int, kind: type[np.generic]) -> np.ndarray:
    """(size,) of the values and zeros behind them."""
    whole = np.zeros(size, kind)
    whole[: len(values)] = values
    return whole


def _places(lengths: Sequence[int], size: int, *, bucketed: bool) -> Arrays:
    """`grid` (rows, longest) and `flat` (T,) of `arrays`, for rows in one row of T = `size` tokens.

    What fills the one row up is made into rows of its own, of no longer a length; with buckets
    there is always one, or a batch that fills its bucket would have a shape of its own.
    """
    width = bucket(max(lengths)) if bucketed else max(lengths)
    sizes = list(lengths)
    left = size - sum(lengths)
    while left or (bucketed and len(sizes) == len(lengths)):
        filler = min(left, width)
        sizes.append(filler)
        left -= filler
    ends = np.cumsum(sizes)[:, None]  # (rows, 1)
    starts = ends - np.array(sizes)[:, None]
    places = starts + np.arange(width)[None]  # (rows, width)
    inside = places < ends
    grid = np.where(inside, places, -1).astype(np.int32)
    flat = np.flatnonzero(inside).astype(np.int32)
    return {"grid": mx.array(grid), "flat": mx.array(flat)}
