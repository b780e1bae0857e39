"""From texts to token batches. Every example is in exactly one batch of an epoch.

mlx-lm's own iterator never forms the last partial batch, so a small set of facts would lose its
tail; it also sorts by the number of dictionary keys instead of the length. Here the order comes
from the seed and the epoch alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from augmlx.core.errors import BadInput

Batch = Sequence[int]  # indices of rows

_WINDOW = 8  # batches that are sorted by length together: little padding, and still a random order


@dataclass(frozen=True, slots=True)
class Row:
    """A tokenised example. `mask[i]` says whether predicting tokens[i] carries loss; mask[0] never
    does. Of rows with the same `wording_of`, if any, each epoch has one. `places`, if any, are what
    the model is given for all tokens but the last: see frozen_states.py. `first` is what the first
    token that carries loss counts for in it, beside 1 of each other.
    """

    id: str
    tokens: tuple[int, ...]
    mask: tuple[bool, ...]
    wording_of: str = ""
    places: tuple[int, ...] = ()
    first: float = 1.0

    @property
    def targets(self) -> int:
        """How many tokens carry loss."""
        return sum(self.mask)

    @property
    def weight(self) -> float:
        """What they count for together."""
        return self.targets - 1 + self.first

    @property
    def inputs(self) -> int:
        """How many tokens the model is given: all but the last, behind which nothing is
        predicted.
        """
        return len(self.tokens) - 1

    @property
    def given(self) -> tuple[int, ...]:
        """What stands in the model's inputs."""
        return self.places or self.tokens[:-1]


def text_row(row_id: str, tokens: Sequence[int], eos: int | None, max_length: int) -> Row:
    """A row that learns a whole text and then to stop: every token but the first carries loss.

    Args:
        tokens: the text's; `eos` is put behind them where it is not there already.
        eos: the token that ends a text, if the tokenizer has one.
        max_length: in tokens, the end included.

    Raises:
        BadInput: the text is too long, or too short to learn from.
    """
    ids = list(tokens)
    if eos is not None and (not ids or ids[-1] != eos):
        ids.append(eos)
    return checked_row(row_id, ids, [True] * len(ids), max_length)


def checked_row(row_id: str, tokens: Sequence[int], learnt: Sequence[bool], max_length: int) -> Row:
    """A row that can be trained on; the first token carries no loss, for nothing stands before it.

    Args:
        learnt: for each token whether it carries loss.
        max_length: in tokens.

    Raises:
        BadInput: there are more than `max_length` tokens, or none to learn.
    """
    if len(tokens) > max_length:
        raise BadInput(
            f"example {row_id}: {len(tokens)} tokens, more than train.max_length = {max_length}",
            hint=(
                "raise train.max_length, or shorten it; "
                "texts can also be split: train.too_long = split"
            ),
        )
    mask = (False, *learnt[1:])
    if not any(mask):
        raise BadInput(f"example {row_id}: nothing to learn from", hint="delete the row")
    return Row(row_id, tuple(tokens), mask)


def epoch_batches(
    lengths: Sequence[int], batch_size: int, *, seed: int, epoch: int
) -> list[list[int]]:
    """Row indices of each batch of an epoch: a shuffle, sorted by length within windows, then
    shuffled by batch.

    Each index is in exactly one batch. The result depends on the arguments alone.

    Args:
        lengths: of the rows, in tokens.
        batch_size: rows of a batch; the last one may have fewer.
    """
    rng = Random(f"{seed}:epoch:{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    batches = []
    for window in _runs(order, batch_size * _WINDOW):
        by_length = sorted(window, key=lambda index: lengths[index])
        batches += _runs(by_length, batch_size)
    rng.shuffle(batches)
    return batches


def taking_turns(rows: Sequence[Row]) -> list[list[int]]:
    """The indices of rows, those together of which each epoch has one."""
    groups: dict[tuple[str, int], list[int]] = {}
    for index, row in enumerate(rows):
        key = (row.wording_of, 0) if row.wording_of else ("", index)
        groups.setdefault(key, []).append(index)
    return list(groups.values())


def epoch_steps(
    lengths: Sequence[int], batch_size: int, accumulate: int, *, seed: int, epoch: int
) -> list[list[list[int]]]:
    """The batches of each optimizer step of an epoch: `accumulate` of them, and in the last step
    what is left.
    """
    batches = epoch_batches(lengths, batch_size, seed=seed, epoch=epoch)
    return [batches[start : start + accumulate] for start in range(0, len(batches), accumulate)]


def _runs(indices: Sequence[int], size: int) -> list[list[int]]:
    """The indices in their order, `size` at a time."""
    return [list(indices[start : start + size]) for start in range(0, len(indices), size)]
