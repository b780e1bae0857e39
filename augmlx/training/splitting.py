"""A text that is too long as several rows, cut where it hurts least.

The pieces are runs of the tokens of the whole, so that all of them together learn what it would
have learnt, each token once; the end is behind the last piece alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from augmlx.core.example_id import piece
from augmlx.english.text import split_sentences
from augmlx.training.batches import Row, checked_row
from augmlx.training.token_spans import Span, with_spans

# How well a text can be cut before a token: the higher the better.
_BETWEEN_SENTENCES, _BETWEEN_WORDS, _BETWEEN_CHARACTERS, _WITHIN_CHARACTER, _NEVER = 3, 2, 1, 0, -1


def split_row(whole: Row, text: str, tokenizer: Any, max_length: int) -> list[Row]:
    """The pieces "id#1", "id#2", ... of a text, each of at most `max_length` tokens.

    Args:
        whole: the text as one row, in which every token but the first is learnt.
        tokenizer: mlx-lm's wrapper.

    Raises:
        ModelError: the tokenizer does not tell where its tokens are.
    """
    tokens, spans = with_spans(text, tokenizer, special=True)
    special = {*tokenizer.all_special_ids, tokenizer.eos_token_id}
    opening = _opening(tokens, spans, special)
    cuts = _cuts(text, spans)
    cuts += [_NEVER] * (len(whole.tokens) - len(cuts))
    for place, token in enumerate(whole.tokens):
        if token in special:  # above all the end, which nothing but the text may lead to
            cuts[place] = _NEVER
    return _pieces(whole, opening, cuts, max_length)


def _opening(tokens: Sequence[int], spans: Sequence[Span], special: set[int]) -> int:
    """How many special tokens stand before the first character."""
    count = 0
    for token, (_, end) in zip(tokens, spans, strict=True):
        if end > 0 or token not in special:
            break
        count += 1
    return count


def _cuts(text: str, spans: Sequence[Span]) -> list[int]:
    """How well a text can be cut before each token. White space of its own goes with what stands
    before it.
    """
    gaps: set[int] = set()
    for sentence, next_sentence in pairwise(split_sentences(text)):
        gaps.update(range(sentence.end, next_sentence.start + 1))
    cuts = [_WITHIN_CHARACTER]
    for (_, end), (start, stop) in pairwise(spans):
        if start < end:
            cuts.append(_WITHIN_CHARACTER)
        elif text[start:stop].isspace():
            cuts.append(_BETWEEN_CHARACTERS)
        elif end in gaps:
            cuts.append(_BETWEEN_SENTENCES)
        elif any(char.isspace() for char in text[max(0, end - 1) : end + 1]):
            cuts.append(_BETWEEN_WORDS)
        else:
            cuts.append(_BETWEEN_CHARACTERS)
    return cuts


def _pieces(whole: Row, opening: int, cuts: Sequence[int], max_length: int) -> list[Row]:
    """Rows of at most `max_length` tokens that learn the whole's tokens between them: each as far
    as the last of the best cuts.

    A row's first token carries no loss. So a piece begins as the whole does, with the first
    `opening` tokens, or where there are none with the last token of the piece before.
    """
    rows: list[Row] = []
    start = max(opening, 1)
    room = max_length - start
    while start < len(whole.tokens):
        end = len(whole.tokens)
        if end - start > room:
            reachable = range(start + 1, start + room + 1)
            end = max(reachable, key=lambda place: (cuts[place], place))
        before = whole.tokens[:opening] or whole.tokens[start - 1 : start]
        tokens = [*before, *whole.tokens[start:end]]
        learnt = [False] * len(before) + [True] * (end - start)
        rows.append(checked_row(piece(whole.id, len(rows) + 1), tokens, learnt, max_length))
        start = end
    return rows
