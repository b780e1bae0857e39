"""Where a model's body ends and its LM head begins, so that logits are made only for the positions
that need them.

At a 150k vocabulary the logits of a whole batch are the peak of memory, and most of them are of no
use.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from itertools import pairwise
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn

# Called with tokens (B, T), or what stands for them, and `cache` -> (B, T, D).
Body = Callable[..., mx.array]
LOGITS_BYTES = 256 << 20  # of float32 logits that are to be in memory at a time


class Head:
    """Logits of a model at chosen positions, through its body and head apart where that is exact.

    Whether it is exact is tried once, not assumed.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._body: Body = model
        self._behind: _Behind | None = None
        self._vocabulary = self._try()

    @property
    def body(self) -> Body:
        """What `hidden` runs: the part without a head, or all of the model."""
        return self._body

    def on(self, body: Body) -> Head:
        """The same head on another body."""
        other = copy(self)
        other._body = body
        return other

    @property
    def split(self) -> bool:
        """Whether body and head can be run apart."""
        return self._behind is not None

    @property
    def positions(self) -> int:
        """How many positions' float32 logits fit LOGITS_BYTES; at least 1."""
        return max(1, LOGITS_BYTES // (4 * self._vocabulary))

    def slices(self, count: int, *, copies: int = 1) -> list[slice]:
        """`count` positions cut into parts of about one size, so that `copies` of a part's logits
        fit LOGITS_BYTES.
        """
        fitting = max(1, self.positions // copies)
        parts = max(1, -(-count // fitting))
        ends = [count * part // parts for part in range(parts + 1)]
        return [slice(start, end) for start, end in pairwise(ends)]

    def logits(
        self, tokens: mx.array, rows: mx.array, columns: mx.array, cache: Any = None
    ) -> mx.array:
        """tokens (B, T), and N positions as rows (N,) and columns (N,) -> logits (N, V) in
        float32.
        """
        return self.project(self.hidden(tokens, rows, columns, cache))

    def hidden(
        self, tokens: mx.array, rows: mx.array, columns: mx.array, cache: Any = None
    ) -> mx.array:
        """What `project` makes logits of at N positions: (N, D), or the logits themselves where the
        head is not split off.
        """
        chosen: mx.array = self._body(tokens, cache=cache)[rows, columns]
        return chosen

    def project(self, hidden: mx.array) -> mx.array:
        """(N, D) of `hidden` -> logits (N, V) in float32, each row by itself."""
        logits = hidden if self._behind is None else self._behind(hidden)
        return logits.astype(mx.float32)

    def _try(self) -> int:
        """Split the head off if head(body(x)) is model(x) on a short input, to the bit: a tolerance
        would let a cap of the logits pass, which is next to nothing on small ones. Returns the
        number of logits.

        Tried without dropout: it would make any two passes differ, and a resumed training must
        decide as the first did.
        """
        tokens = mx.array([[1, 2, 3, 4]])
        training = self._model.training
        self._model.eval()
        try:
            whole: mx.array = self._model(tokens)
            for inner in (
                self._model,
                cast(nn.Module, getattr(self._model, "language_model", None)),
            ):
                try:
                    behind = _Behind(inner)
                    if mx.array_equal(behind(inner.model(tokens, cache=None)[0]), whole[0]):
                        self._behind, self._body = behind, inner.model
                        break
                except (AttributeError, TypeError, ValueError):  # another layout of the parts
                    continue
            return whole.shape[-1]
        finally:
            self._model.train(training)


class _Behind:
    """What a model does behind its body, with the caps and scales that some put on their logits.

    It is the model's own code, run on a shell of the model: the same parts, save that its body
    hands back the hidden states that it is given.
    """

    def __init__(self, model: nn.Module) -> None:
        """Raises AttributeError where there is no body by that name."""
        self._body = _Given(model.model)
        self._shell = type(model).__new__(type(model))
        rest = {name: part for name, part in model.items() if name != "model"}
        dict.update(self._shell, rest)
        vars(self._shell).update(vars(model), model=self._body)

    def __call__(self, hidden: mx.array) -> mx.array:
        """(N, D) -> (N, V)"""
        self._body.hidden = hidden[None]
        try:
            logits: mx.array = self._shell(mx.zeros((1, hidden.shape[0]), mx.int32))
        finally:
            self._body.hidden = None  # or they would be kept until the next ones
        return logits.squeeze(0)


class _Given:
    """In the place of a body: its parts are the body's (a tied head is its embedding), its result
    is given.
    """

    def __init__(self, body: nn.Module) -> None:
        self.body = body
        self.hidden: mx.array | None = None

    def __call__(self, *_: Any, **__: Any) -> mx.array | None:
        return self.hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self.body, name)
