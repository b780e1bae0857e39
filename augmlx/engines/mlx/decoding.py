"""Continuous batching: rows are decoded together; as rows end, the next ones take their place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import maybe_set_recommended_wired_limit

from augmlx.engines.mlx.prefill import Prefill, extend
from augmlx.engines.mlx.prefixes import Cache, CachePlan, Prefixes, Tokens
from augmlx.engines.mlx.sampling import Draw, next_tokens
from augmlx.engines.protocol import Request, TokenCount


@dataclass(slots=True, eq=False)
class Row:
    """One request while it is decoded.

    Attributes:
        prompt: its tokens.
        beginning: what of the prompt its cache begins with, which other rows may share.
        tokens: what was written so far.
        finish: "stop" or "length" once it has ended.
        phase: "open" as long as it may yet turn out to be "thinking".
        spoken: where in `tokens` the answer begins.
    """

    request: Request
    prompt: Tokens
    beginning: Tokens
    draw: Draw
    tokens: list[int] = field(default_factory=list)
    finish: str = ""
    phase: Literal["open", "thinking", "answer"] = "answer"
    spoken: int = 0

    @property
    def suffix(self) -> Tokens:
        """What of the prompt stands behind its beginning."""
        return self.prompt[len(self.beginning) :]


Ends = Callable[[Row, int], bool]  # given a row and its next token: whether that ends the row


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is decoded together: `rows`, and the `tokens` that their caches may come to hold.
    `shared`: a common beginning is held once, not once for each row.
    """

    rows: int
    tokens: int
    shared: bool

    def hold(self, rows: Sequence[Row]) -> bool:
        """Whether some rows may run together. Caches are padded to the longest row."""
        if len(rows) > self.rows:
            return False
        beginnings: set[Tokens] = set()
        if self.shared:
            beginnings = {row.beginning for row in rows}
        longest = max(self._own_tokens(row) for row in rows)
        shared_tokens = sum(map(len, beginnings))
        return shared_tokens + len(rows) * longest <= self.tokens

    def _own_tokens(self, row: Row) -> int:
        """How many tokens a row's own part of the cache may come to hold."""
        tokens = len(row.prompt) + row.request.max_tokens
        return tokens - len(row.beginning) if self.shared else tokens


@dataclass(slots=True)
class _Batch:
    """The rows that are decoded together, their cache, and (B,) tokens, drawn and not yet read."""

    rows: list[Row]
    cache: Cache
    tokens: mx.array

    def add(self, rows: Sequence[Row], cache: Cache, tokens: mx.array) -> None:
        self.rows = [*self.rows, *rows]
        self.cache = extend(self.cache, cache)
        self.tokens = mx.concatenate([self.tokens, tokens])

    def keep(self, kept: list[int]) -> None:
        """Take out all rows but those with these indices. It copies the caches."""
        self.rows = [self.rows[index] for index in kept]
        self.cache = _filtered(self.cache, kept)
        self.tokens = self.tokens[mx.array(kept, dtype=mx.uint32)]


class Decoder:
    """Decodes rows. With `ahead` the next step is launched before the last one's tokens are read,
    which keeps a GPU busy and costs a CPU a step for each row that ends.
    """

    def __init__(
        self,
        model: nn.Module,
        prefill: Prefill,
        prefixes: Prefixes,
        count: TokenCount,
        limits: Limits,
        *,
        ahead: bool,
    ) -> None:
        self._net = model
        self._prefill = prefill
        self._prefixes = prefixes
        self._count = count
        self._limits = limits
        self._ahead = ahead

    def run(self, rows: Sequence[Row], plan: CachePlan, ends: Ends) -> Iterator[Row]:
        """The rows as they end: see `steps`."""
        return chain.from_iterable(self.steps(rows, plan, ends))

    def steps(self, rows: Sequence[Row], plan: CachePlan, ends: Ends) -> Iterator[list[Row]]:
        """Step by step, the rows that end, as `ends` decides.

        Rows are admitted in order, as far as the limits allow, but one in any case; a row's cache
        is made when it is admitted. Rows of one prompt are admitted together, and it is run once
        for them.
        """
        waiting = deque(self._groups(rows))
        batch = _Batch([], [], mx.array([], dtype=mx.uint32))
        with _wired():
            while True:
                admitted = self._admitted(waiting, batch.rows)
                if admitted:
                    self._admit(admitted, batch, plan)
                if not batch.rows:
                    return
                following = self._step(batch) if self._ahead else None
                yield self._read(batch, ends)
                if following is not None:
                    batch.tokens = following
                # To take rows out copies the caches. So rows that have ended are decoded on,
                # unheard, until they are a quarter of the batch.
                going = [index for index, row in enumerate(batch.rows) if not row.finish]
                ended = len(batch.rows) - len(going)
                if 4 * ended >= len(batch.rows):
                    batch.keep(going)
                if following is None and batch.rows:
                    batch.tokens = self._step(batch)

    def _step(self, batch: _Batch) -> mx.array:
        """The (B,) tokens that follow those of the batch."""
        logits = self._net(batch.tokens[:, None], cache=batch.cache)[:, -1]  # (B, V)
        following = next_tokens(logits, [row.draw for row in batch.rows])
        mx.async_eval(following)
        return following

    def _read(self, batch: _Batch, ends: Ends) -> list[Row]:
        """Give each row its token; returns the rows that end with it."""
        tokens: list[int] = batch.tokens.tolist()  # type: ignore[assignment]
        ended = []
        for row, token in zip(batch.rows, tokens, strict=True):
            if not row.finish and ends(row, token):
                ended.append(row)
        self._count.generated += sum(len(row.tokens) for row in ended)
        return ended

    def _groups(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows of each prompt, in as many groups as the limits make of them."""
        groups_of_prompt: dict[Tokens, list[list[Row]]] = {}
        for row in rows:
            groups = groups_of_prompt.setdefault(row.prompt, [[]])
            newest = groups[-1]
            if newest and not self._limits.hold([*newest, row]):
                newest = []
                groups.append(newest)
            newest.append(row)
        return list(chain.from_iterable(groups_of_prompt.values()))

    def _admitted(self, waiting: deque[list[Row]], running: Sequence[Row]) -> list[list[Row]]:
        """Take from those that wait the groups that may run beside the rows that are running."""
        admitted = []
        rows = list(running)
        while waiting and (not rows or self._limits.hold([*rows, *waiting[0]])):
            group = waiting.popleft()
            admitted.append(group)
            rows += group
        return admitted

    def _admit(self, groups: Sequence[list[Row]], batch: _Batch, plan: CachePlan) -> None:
        """Add the rows of some groups to the batch, their prompts run and their first tokens
        drawn.
        """
        rows = list(chain.from_iterable(groups))
        cache, logits = self._run_prompts([group[0] for group in groups], rows, plan)
        if len(rows) > len(groups):
            group_of_row: list[int] = []
            for number, group in enumerate(groups):
                group_of_row += [number] * len(group)
            cache = _filtered(cache, group_of_row)
            logits = logits[mx.array(group_of_row)]
        first = next_tokens(logits, [row.draw for row in rows])
        mx.eval(first)
        mx.clear_cache()
        batch.add(rows, cache, first)

    def _run_prompts(
        self, heads: Sequence[Row], rows: Sequence[Row], plan: CachePlan
    ) -> tuple[Cache, mx.array]:
        """Of one row for each prompt its cache, and the logits (B, V) behind it; `rows`, all that
        have these prompts, are for the count.
        """
        before = self._count.prefilled
        beginnings = [self._prefixes.cache(row.beginning, plan) for row in heads]
        cache, logits = self._prefill.run(beginnings, [row.suffix for row in heads])
        self._count.prefilled += sum(len(row.suffix) for row in heads)
        run = self._count.prefilled - before
        self._count.reused += sum(len(row.prompt) for row in rows) - run
        return cache, logits


def _filtered(cache: Cache, rows: list[int]) -> Cache:
    """The cache with these of its rows, in this order; a row may stand several times."""
    if not rows:
        return []
    for layer in cache:
        layer.filter(rows)
    return cache


@contextmanager
def _wired() -> Iterator[None]:
    """Memory wired as mlx-lm recommends, where there is a GPU, and as before at the end."""
    before = maybe_set_recommended_wired_limit()
    try:
        yield
    finally:
        if before is not None:
            mx.synchronize()
            mx.set_wired_limit(before)
