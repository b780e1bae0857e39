"""Which characters of a text each of its tokens stands for."""

from __future__ import annotations

from typing import Any

from augmlx.core.errors import ModelError

Span = tuple[int, int]  # characters of a text, from and to


def with_spans(text: str, tokenizer: Any, *, special: bool) -> tuple[list[int], list[Span]]:
    """The tokens of a text, and for each the characters that it stands for.

    Args:
        tokenizer: mlx-lm's wrapper.
        special: whether the tokenizer puts its own special tokens around the text; they stand for
            no character.

    Raises:
        ModelError: the tokenizer does not tell.
    """
    tokens = list(tokenizer.encode(text, add_special_tokens=special))
    backend = getattr(tokenizer, "backend_tokenizer", None)
    encoded = backend and backend.encode(text, add_special_tokens=special)
    if encoded is None or encoded.ids != tokens:
        raise ModelError(
            "the model's tokenizer does not tell which characters a token stands for",
            hint=(
                "use a model with a tokenizer.json, or rows of text that are within "
                "train.max_length"
            ),
        )
    spans = []
    done = 0
    for start, stop in encoded.offsets:
        # White space may be left out, all parts of a character may have the whole of it, special
        # tokens have nothing.
        first = min(start, done) if stop > start else done
        done = max(stop, done)
        spans.append((first, done))
    return tokens, spans
