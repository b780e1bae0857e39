"""How the rows of a batch lie in arrays: padded to the longest, or packed one behind the other.

Either way a row sees itself alone, and the loss has the same places. Padding is behind the last
token of a row, where causal attention cannot see it from any target.
"""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np

from augmlx.training.batches import Row

Arrays = dict[str, mx.array]
_SAVED = 0.05  # the share of a batch's positions that packing must save to be worth its copies


def bucket(size: int) -> int:
    """The next size of a coarse grid, at most an eighth above: a compiled step is compiled once for
    each shape.
    """
    grain = max(8, 1 << max(0, size.bit_length() - 4))
    return -(-size // grain) * grain


def positions(lengths: Sequence[int], *, packed: bool, bucketed: bool) -> int:
    """How many tokens the model computes for rows of so many input tokens, padding included."""
    if packed:
        return bucket(sum(lengths)) if bucketed else sum(lengths)
    return len(lengths) * (bucket(max(lengths)) if bucketed else max(lengths))


def worth_packing(lengths: Sequence[int], *, bucketed: bool) -> bool:
    """Whether packing spares enough of what padding would compute."""
    padded = positions(lengths, packed=False, bucketed=bucketed)
    return positions(lengths, packed=True, bucketed=bucketed) <= (1 - _SAVED) * padded


def arrays(
    rows: Sequence[Row], weight: float = 1.0, *, packed: bool = False, bucketed: bool = False
) -> Arrays:
    """A batch as the loss takes it.

    Args:
        weight: of each target in the loss.
        bucketed: fill up to sizes of `bucket`, with targets of no weight.

    Returns:
        inputs (B, T); for each of N targets the `row` and `column` that it is predicted at, its
        token (`target`) and its `weight`, each (N,). Packed, B is 1, and `grid` (rows, longest)
        says where in the one row each token of each row lies, -1 behind its end, and `flat` (T,)
        where in the grid each place of the one row is.
    """
    lengths = [len(row.tokens) - 1 for row in rows]
    starts = np.cumsum([0, *lengths])
    shape = (
        (1, positions(lengths, packed=True, bucketed=bucketed))
        if packed
        else (len(rows), max(lengths))
    )
    if bucketed and not packed:
        shape = (shape[0], bucket(shape[1]))
    inputs = np.zeros(shape, np.int32)
    index, column, target = [], [], []
    for number, row in enumerate(rows):
        line, start = (0, starts[number]) if packed else (number, 0)
        inputs[line, start : start + lengths[number]] = row.tokens[:-1]
        learnt = [place for place in range(1, len(row.tokens)) if row.mask[place]]
        index += [line] * len(learnt)
        column += [start + place - 1 for place in learnt]
        target += [row.tokens[place] for place in learnt]
    filler = bucket(len(target)) - len(target) if bucketed else 0
    made = {
        "inputs": mx.array(inputs),
        "row": _filled(index, filler),
        "column": _filled(column, filler),
        "target": _filled(target, filler),
        "weight": mx.array(np.array([weight] * len(target) + [0.0] * filler, np.float32)),
    }
    if packed:
        made |= _places(lengths, shape[1], bucketed=bucketed)
    return made


def _filled(values: Sequence[int], filler: int) -> mx.array:
    return mx.array(np.array([*values, *[0] * filler], np.int32))


def _places(lengths: Sequence[int], room: int, *, bucketed: bool) -> Arrays:
    """`grid` and `flat` of `arrays`. What fills the one row up is made into rows of its own, of no
    longer a length; with buckets there is always one, or a batch that fills its bucket would have a
    shape of its own.
    """
    width = bucket(max(lengths)) if bucketed else max(lengths)
    sizes, left = list(lengths), room - sum(lengths)
    while left or (bucketed and len(sizes) == len(lengths)):
        sizes.append(min(left, width))
        left -= sizes[-1]
    starts = np.cumsum([0, *sizes[:-1]])[:, None]
    steps = np.arange(width)[None]
    inside = steps < np.array(sizes)[:, None]  # (rows, width)
    grid = np.where(inside, starts + steps, -1).astype(np.int32)
    return {"grid": mx.array(grid), "flat": mx.array(np.flatnonzero(inside).astype(np.int32))}
