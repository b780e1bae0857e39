"""Where a row ends, and what of it is the answer: stop texts, end-of-text tokens, lengths and
thinking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from augmlx.engines.mlx.chat import ChatTemplate
from augmlx.engines.mlx.decoding import Row

_BYTE = re.compile("<0x[0-9A-F]{2}>")


class Endings:
    """Follows rows token by token."""

    def __init__(self, tokenizer: Any, template: ChatTemplate) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._tokens_of_stop: dict[str, frozenset[int]] = {}

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
        if row.phase == "thinking":
            return ""
        prompt = self.decoded(row.prompt)
        whole = self.decoded([*row.prompt, *row.tokens])
        is_behind = whole.startswith(prompt)
        text = whole[len(prompt) :] if is_behind else self.decoded(row.tokens)
        if row.spoken:
            _, _, behind_thinking = text.partition(self._template.end)
            text = behind_thinking.lstrip()
        stop = row.request.stop
        return text.split(stop, 1)[0] if stop else text

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
        text = self.text(replace(row, tokens=row.tokens[:whole]))
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")
        begun = _begun_stop(text, row.request.stop)
        return text[: len(text) - begun]

    def decoded(self, tokens: Iterable[int]) -> str:
        """The text of some tokens, as it stands."""
        text: str = self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False)
        return text

    def stop_tokens(self, stop: str) -> frozenset[int]:
        """The tokens that hold the whole of a stop text, such as ".\\n"."""
        if not stop:
            return frozenset()
        if stop not in self._tokens_of_stop:
            tokens = frozenset(token for token, text in self._vocabulary if stop in text)
            self._tokens_of_stop[stop] = tokens
        return self._tokens_of_stop[stop]

    def _is_byte(self, token: int) -> bool:
        """Whether a token is one byte of a letter, as SentencePiece falls back to."""
        name = self._tokenizer.convert_ids_to_tokens(token) or ""
        return bool(_BYTE.fullmatch(name))

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
        if row.phase == "thinking" and self._template.end in self._last(row, self._template.end):
            row.phase = "answer"
            row.spoken = len(row.tokens)
        return row.phase == "answer"

    def _last(self, row: Row, mark: str) -> str:
        """The text of the last tokens of a row, as many as a mark that ends in the last one may
        span: each token is at least a byte of text.
        """
        longest = len(mark.encode())
        return self.decoded(row.tokens[-longest:])

    def _at_stop(self, row: Row) -> bool:
        """Whether the stop text stands in the row's last token, or ends in it."""
        stop = row.request.stop
        if not stop:
            return False
        if row.spoken:
            answer = self.decoded(row.tokens[row.spoken :])
            return stop in answer.lstrip()  # blank lines part the answer from the thinking
        if row.tokens[-1] in self.stop_tokens(stop):
            return True
        return len(stop) > 1 and stop in self._last(row, stop)

    @cached_property
    def _vocabulary(self) -> list[tuple[int, str]]:
        """Every token beside its text."""
        tokens = sorted(self._tokenizer.get_vocab().values())
        texts = self._tokenizer.batch_decode([[token] for token in tokens])
        return list(zip(tokens, texts, strict=True))


def _begun_stop(text: str, stop: str) -> int:
    """How many letters at the end of a text are the beginning of a stop text."""
    for length in range(len(stop) - 1, 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
