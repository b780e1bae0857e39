"""What a greedy answer is worth: whether it is the expected one, and how many of its words are."""

from __future__ import annotations

from collections import Counter

from augmlx.core.records import EvalItem
from augmlx.english.lexicon import ARTICLES
from augmlx.english.text import normalise


def exact(generated: str, item: EvalItem) -> bool:
    """Whether the answer's first sentence is the expected one, or an alias, after normalisation."""
    return not _said(generated).isdisjoint(map(normalise, _expected(item)))


def f1(generated: str, item: EvalItem) -> float:
    """The token F1 of the answer's first sentence against the expected one or an alias, whichever
    it is closest to, as SQuAD counts it (Rajpurkar et al. 2016, arXiv 1606.05250): a bag of words
    without case, punctuation and the English articles. An empty answer is 0. An answer that is
    nothing but an article keeps it ("A" of four letters).
    """
    return max(
        (
            _overlap(_tokens(said), _tokens(text))
            for said in _said(generated)
            for text in _expected(item)
        ),
        default=0.0,
    )


def _said(generated: str) -> set[str]:
    """The first sentence, normalised. A period may also be a title's ("Dr. Ana Ruiz"), so it may
    end at any of them.
    """
    parts = generated.split(". ")
    return {normalise(" ".join(parts[:count])) for count in range(1, len(parts) + 1)} - {""}


def _expected(item: EvalItem) -> tuple[str, ...]:
    return (item.answer, *item.aliases)


def _tokens(text: str) -> Counter[str]:
    each = normalise(text).split()
    return Counter([word for word in each if word not in ARTICLES] or each)


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    shared = (one & other).total()
    return 2 * shared / (one.total() + other.total()) if shared else 0.0
