"""The processes that train together under mlx.launch: each takes its share of every batch, and the
first one writes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_unflatten

from augmlx.core import mlx_launch
from augmlx.core.errors import RunError

T = TypeVar("T")
PATIENCE = 60.0  # seconds that a process which was told to stop goes on waiting for the others
_PIECE = 32 * 2**20  # bytes that are exchanged at once


class Team:
    """The processes of one training; a process by itself is a team of one.

    What they exchange are sums of numbers. Where a process is lost, the exchange raises RunError.
    """

    def __init__(self, group: mx.distributed.Group | None = None) -> None:
        self._group = group
        self.rank = group.rank() if group else 0
        self.size = group.size() if group else 1
        self._begun = False
        self._waiting: float | None = None  # since when, by the monotonic clock

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def begin(self, going: bool) -> bool:
        """Whether there is a training: said by the first process, once, and waited for by the
        others.
        """
        self._begun = True
        return self.any(going)

    def release(self) -> None:
        """Let the others go, where they still wait to begin."""
        if not self._begun:
            with contextlib.suppress(RunError):  # they are gone already
                self.begin(False)

    def wait(self) -> None:
        """Until all processes have come here."""
        self.sum(0.0)

    def share(self, batch: Sequence[T]) -> Sequence[T]:
        """This process's part of a batch: rows of all lengths, so that all are busy for as long."""
        return batch[self.rank :: self.size]

    def sum_gradients(self, gradients: Any) -> Any:
        """The sum over all processes of each gradient, exchanged in a few large pieces."""
        if self.size == 1:
            return gradients
        leaves: dict[str, mx.array] = dict(tree_flatten(gradients))
        # By name: a tree that was read from a file has another order than one that was made.
        names = sorted(leaves)
        sums: list[mx.array] = []
        for piece in _pieces([leaves[name] for name in names]):
            sums += self._sum_piece(piece)
        return tree_unflatten(list(zip(names, sums, strict=True)))

    def _sum_piece(self, arrays: Sequence[mx.array]) -> list[mx.array]:
        """The sums over all processes of arrays of one type, of any shapes, in one exchange."""
        flat = mx.concatenate([array.reshape(-1) for array in arrays])  # (sum of their sizes,)
        ends = np.cumsum([array.size for array in arrays])
        parts = mx.split(self._summed(flat), ends[:-1].tolist())
        return [part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]

    def sum(self, *values: float) -> list[float]:
        """The sums over all processes of some numbers (float32)."""
        if self.size == 1:
            return list(values)
        sums = self._summed(mx.array(values, mx.float32))  # (number of values,)
        return [float(value) for value in np.array(sums)]

    def any(self, condition: bool) -> bool:
        """Whether it holds in any of the processes."""
        (count,) = self.sum(float(condition))
        return count > 0

    def from_first(self, tree: Any) -> Any:
        """The first process's arrays, on all of them. Bit for bit: the others add zeros."""
        if self.size == 1:
            return tree
        if not self.first:
            tree = tree_map(mx.zeros_like, tree)
        return self.sum_gradients(tree)

    def text_from_first(self, text: str) -> str:
        """The first process's text, in all of them."""
        if self.size == 1:
            return text
        own = text.encode() if self.first else b""
        high, low = (int(n) for n in self.sum(*map(float, divmod(len(own), _PIECE))))
        length = high * _PIECE + low
        bytes_ = mx.array(np.frombuffer(own, np.uint8).astype(np.int32))
        given = self.from_first({"text": bytes_ if self.first else mx.zeros(length, mx.int32)})
        return np.array(given["text"]).astype(np.uint8).tobytes().decode()

    def agree(self, value: int) -> bool:
        """Whether all processes hold the same number, below 2 ** 24."""
        values = [0.0] * self.size
        values[self.rank] = float(value)
        return all(other == value for other in self.sum(*values))

    def _summed(self, array: mx.array) -> mx.array:
        """The sum over all processes of an array, of the same shape in each.

        One exchange, and its end: behind a lost connection MLX fails what is under way, and waits
        for ever for what is asked for next. Nothing else is computed in it, so that no GPU waits
        for another machine.
        """
        mx.eval(array)
        self._waiting = time.monotonic()
        try:
            total = mx.distributed.all_sum(array, group=self._group)
            mx.eval(total)
        except RuntimeError as error:
            hint = "see what the other said; the same command goes on from the last checkpoint"
            raise RunError(
                "the connection to another process of this training is lost", hint=hint
            ) from error
        finally:
            self._waiting = None
        return total

    def watch(self) -> None:
        """Have signals end this process though it waits for others that will not come: a machine
        that is cut off closes no connection, and Python's own handlers run when the wait is over.
        """
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=self._end_if_stuck, args=(reading,), daemon=True).start()

    def _end_if_stuck(self, signals: int) -> None:
        """Wait for the first signal, and then for an exchange that takes too long."""
        os.read(signals, 1)
        signalled = time.monotonic()
        while True:
            since = self._waiting
            if since is not None and time.monotonic() - max(since, signalled) >= PATIENCE:
                break
            time.sleep(0.2)
        os.write(
            2, b"error: the other processes of this training do not answer; stopped without them\n"
        )
        os._exit(130)


def _pieces(arrays: Sequence[mx.array]) -> Iterator[list[mx.array]]:
    """The arrays in their order, in lists of one type and of a size to be exchanged at once."""
    piece: list[mx.array] = []
    room = 0
    for array in arrays:
        if piece and (array.nbytes > room or array.dtype != piece[0].dtype):
            yield piece
            piece, room = [], 0
        if not piece:
            room = _PIECE
        piece.append(array)
        room -= array.nbytes
    if piece:
        yield piece


def assembled() -> Team:
    """The team that mlx.launch has started this process in; a team of one where it has not. Only
    then is anything connected to: the machines that the user named to mlx.launch.

    Raises RunError where they cannot be reached.
    """
    backend = mlx_launch.backend()
    if backend is None:
        return Team()
    try:
        team = Team(mx.distributed.init(strict=True, backend=backend))
    except (RuntimeError, ValueError) as error:
        hint = "mlx.launch --verbose shows what it does; do all machines start this command?"
        raise RunError(f"no connection to the other processes: {error}", hint=hint) from error
    if team.size > 1:
        team.watch()
    return team
