"""Where a row ends, and what of it is the answer: stop texts, end-of-text tokens, lengths and
thinking.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import Any

from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.decoding import Row

_BYTE = re.compile("<0x[0-9A-F]{2}>")


class Endings:
    """Follows rows token by token."""

    def __init__(self, tokenizer: Any, template: ChatTemplate) -> None:
        self._tokenizer, self._template = tokenizer, template
        self._stops: dict[str, frozenset[int]] = {}

    def ends(self, row: Row, token: int) -> bool:
        """Add a token to a row and say whether that ends it."""
        if token in self._tokenizer.eos_token_ids:  # which is no text
            row.finish = "stop"
            return True
        row.tokens.append(token)
        if self._answering(row) and self._at_stop(row):
            row.finish = "stop"
        elif len(row.tokens) == row.request.max_tokens:
            row.finish = "length"
        return bool(row.finish)

    def text(self, row: Row) -> str:
        """What the row answered, up to its stop text. Decoded behind its prompt: a tokenizer of the
        SentencePiece kind drops the space before a text's first word.
        """
        before = self.decoded(row.prompt)
        text = self.decoded([*row.prompt, *row.tokens])
        text = text[len(before) :] if text.startswith(before) else self.decoded(row.tokens)
        if row.phase == "thinking":
            return ""
        if row.spoken:
            text = text.partition(self._template.end)[2].lstrip()
        return text.split(row.request.stop, 1)[0] if row.request.stop else text

    def settled(self, row: Row) -> str:
        """The part of a row's answer that nothing which it may yet write will change."""
        if row.finish:
            return self.text(row)
        if row.phase != "answer":
            return ""
        whole = len(row.tokens)
        # A letter may take several tokens of one byte each; until it is whole, a tokenizer may
        # decode all before it as if it were none.
        while whole > row.spoken and self._is_byte(row.tokens[whole - 1]):
            whole -= 1
        text = self.text(replace(row, tokens=row.tokens[:whole])).rstrip(
            "\N{REPLACEMENT CHARACTER}"
        )
        stop = row.request.stop
        begun = next((n for n in range(len(stop) - 1, 0, -1) if text.endswith(stop[:n])), 0)
        return text[: len(text) - begun]

    def _is_byte(self, token: int) -> bool:
        return bool(_BYTE.fullmatch(self._tokenizer.convert_ids_to_tokens(token) or ""))

    def decoded(self, tokens: Any) -> str:
        text: str = self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False)
        return text

    def _answering(self, row: Row) -> bool:
        """Whether the row's last token is of its answer; a stop text within the thinking before it
        stops nothing.
        """
        if row.phase == "open":
            text = self.decoded(row.tokens)
            if self._template.thinks(text):
                row.phase = "thinking"
            elif not self._template.may_think(text):
                row.phase = "answer"
        if row.phase == "thinking" and (end := self._template.end) in self.decoded(
            row.tokens[-len(end.encode()) :]
        ):
            row.phase, row.spoken = "answer", len(row.tokens)
        return row.phase == "answer"

    def _at_stop(self, row: Row) -> bool:
        """Whether the stop text stands in the row's last token, or ends in it."""
        stop = row.request.stop
        if row.spoken:  # blank lines part the answer from the thinking
            return bool(stop) and stop in self.decoded(row.tokens[row.spoken :]).lstrip()
        if row.tokens[-1] in self.stop_tokens(stop):
            return True
        # Each token is at least a byte of text, so the stop spans no more tokens than it has bytes.
        return len(stop) > 1 and stop in self.decoded(row.tokens[-len(stop.encode()) :])

    def stop_tokens(self, stop: str) -> frozenset[int]:
        """The tokens that hold the whole of a stop text, such as ".\\n"."""
        if stop not in self._stops:
            self._stops[stop] = frozenset(
                token for token, text in self._vocabulary if stop and stop in text
            )
        return self._stops[stop]

    @cached_property
    def _vocabulary(self) -> list[tuple[int, str]]:
        """Every token beside its text."""
        ids = sorted(self._tokenizer.get_vocab().values())
        return list(zip(ids, self._tokenizer.batch_decode([[token] for token in ids]), strict=True))
