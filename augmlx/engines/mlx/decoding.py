"""Continuous batching: rows are decoded together; as rows end, the next ones take their place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import maybe_set_recommended_wired_limit

from augmlx.engines.mlx.prefill import Prefill, extend
from augmlx.engines.mlx.prefixes import Cache, Prefixes, Tokens, Tree
from augmlx.engines.mlx.sampling import Draw, drawn
from augmlx.engines.protocol import Request, TokenCount


@dataclass(slots=True, eq=False)
class Row:
    """One request while it is decoded. Its cache begins with `beginning`, which other rows may
    share.

    `phase`: "open" as long as it may yet turn out to be "thinking"; `spoken`: where in `tokens` the
    answer begins.
    """

    request: Request
    prompt: Tokens
    beginning: Tokens
    draw: Draw
    tokens: list[int] = field(default_factory=list)
    finish: str = ""
    phase: Literal["open", "thinking", "answer"] = "answer"
    spoken: int = 0


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
        longest = max(
            row.request.max_tokens + len(row.prompt) - self.shared * len(row.beginning)
            for row in rows
        )
        begun = sum(map(len, {row.beginning for row in rows})) if self.shared else 0
        return len(rows) <= self.rows and begun + len(rows) * longest <= self.tokens


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
        self._net, self._prefill, self._prefixes, self._count = model, prefill, prefixes, count
        self._limits, self._ahead = limits, ahead

    def run(
        self, asked: Sequence[Row], tree: Tree, ends: Callable[[Row, int], bool]
    ) -> Iterator[Row]:
        """The rows as they end: see `steps`."""
        for ended in self.steps(asked, tree, ends):
            yield from ended

    def steps(
        self, asked: Sequence[Row], tree: Tree, ends: Callable[[Row, int], bool]
    ) -> Iterator[list[Row]]:
        """Step by step, the rows that end, which `ends` decides when it is given a row and its next
        token.

        Rows are admitted in order, as far as the limits allow, but one in any case; a row's cache
        is made when it is admitted. Rows of one prompt are admitted together, and it is run once
        for them.
        """
        waiting = deque(self._groups(asked))
        rows: list[Row] = []
        cache: Cache = []
        tokens = mx.array([], dtype=mx.uint32)  # (B,) drawn, not yet read
        wired = maybe_set_recommended_wired_limit()
        try:
            while True:
                if admitted := list(self._admitted(waiting, rows)):
                    made, first = self._admit(admitted, tree)
                    rows = [*rows, *(row for group in admitted for row in group)]
                    cache, tokens = extend(cache, made), mx.concatenate([tokens, first])
                if not rows:
                    return
                following = self._step(tokens, rows, cache) if self._ahead else None
                read: list[int] = tokens.tolist()  # type: ignore[assignment]
                ended = [
                    row
                    for row, token in zip(rows, read, strict=True)
                    if not row.finish and ends(row, token)
                ]
                self._count.generated += sum(len(row.tokens) for row in ended)
                yield ended
                # To take rows out copies the caches. So rows that have ended are decoded on,
                # unheard, until they are a quarter of the batch.
                going = [index for index, row in enumerate(rows) if not row.finish]
                if 4 * (len(rows) - len(going)) >= len(rows):
                    tokens = (tokens if following is None else following)[
                        mx.array(going, dtype=mx.uint32)
                    ]
                    rows, cache = [rows[index] for index in going], _filtered(cache, going)
                    tokens = (
                        self._step(tokens, rows, cache) if rows and following is None else tokens
                    )
                else:
                    tokens = self._step(tokens, rows, cache) if following is None else following
        finally:
            if wired is not None:
                mx.synchronize()
                mx.set_wired_limit(wired)

    def _step(self, tokens: mx.array, rows: Sequence[Row], cache: Cache) -> mx.array:
        """(B,) tokens -> the (B,) that follow them."""
        following = drawn(
            self._net(tokens[:, None], cache=cache)[:, -1], [row.draw for row in rows]
        )
        mx.async_eval(following)
        return following

    def _groups(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows of each prompt, in as many groups as the limits make of them."""
        groups: dict[Tokens, list[list[Row]]] = {}
        for row in rows:
            parts = groups.setdefault(row.prompt, [[]])
            if parts[-1] and not self._limits.hold([*parts[-1], row]):
                parts.append([])
            parts[-1].append(row)
        return [part for parts in groups.values() for part in parts]

    def _admitted(self, waiting: deque[list[Row]], running: Sequence[Row]) -> Iterator[list[Row]]:
        together = list(running)
        while waiting and (not together or self._limits.hold([*together, *waiting[0]])):
            together += waiting[0]
            yield waiting.popleft()

    def _admit(self, groups: Sequence[list[Row]], tree: Tree) -> tuple[Cache, mx.array]:
        """The cache of the rows of some groups, and the first token of each."""
        before = self._count.prefilled
        heads = [group[0] for group in groups]
        suffixes = [row.prompt[len(row.beginning) :] for row in heads]
        cache, logits = self._prefill.run(
            [self._prefixes.cache(row.beginning, tree) for row in heads], suffixes
        )
        self._count.prefilled += sum(map(len, suffixes))
        run = self._count.prefilled - before
        self._count.reused += sum(len(row.prompt) for group in groups for row in group) - run
        place = [number for number, group in enumerate(groups) for _ in group]
        if len(place) > len(groups):
            cache, logits = _filtered(cache, place), logits[mx.array(place)]
        first = drawn(logits, [row.draw for group in groups for row in group])
        mx.eval(first)
        mx.clear_cache()
        return cache, first


def _filtered(cache: Cache, rows: list[int]) -> Cache:
    """The cache with these of its rows, in this order; a row may stand several times."""
    for layer in cache if rows else ():
        layer.filter(rows)
    return cache if rows else []
