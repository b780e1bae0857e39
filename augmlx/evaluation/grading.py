"""What a greedy answer is worth: whether it is the expected one, and how many of its words are."""

from __future__ import annotations

from collections import Counter

from augmlx.core.records import EvalItem
from augmlx.english.lexicon import ARTICLES
from augmlx.english.text import normalise


def exact(generated: str, item: EvalItem) -> bool:
    """Whether the answer's first sentence is the expected one, or an alias, after normalisation."""
    expected = map(normalise, (item.answer, *item.aliases))
    return not _first_sentences(generated).isdisjoint(expected)


def names(generated: str, choice: str) -> bool:
    """Whether an answer has a choice in it, as whole words, after normalisation."""
    return f" {normalise(choice)} " in f" {normalise(generated)} "


def runs_on(generated: str, item: EvalItem) -> bool:
    """Whether something stands behind the expected answer."""
    return normalise(generated) not in map(normalise, (item.answer, *item.aliases))


def f1(generated: str, item: EvalItem) -> float:
    """The token F1 of the answer's first sentence against the expected one or an alias, whichever
    it is closest to, as SQuAD counts it (Rajpurkar et al. 2016, arXiv 1606.05250).

    Each is a bag of words without case, punctuation and the English articles. An empty answer is 0.
    An answer that is nothing but an article keeps it ("A" of four letters).
    """
    best = 0.0
    for sentence in _first_sentences(generated):
        for expected in (item.answer, *item.aliases):
            best = max(best, _overlap(_words(sentence), _words(expected)))
    return best


def _first_sentences(generated: str) -> set[str]:
    """What the first sentence may be, normalised: a period may also be a title's ("Dr. Ana Ruiz"),
    so it may end at any of them.
    """
    parts = generated.split(". ")
    beginnings = [" ".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return set(map(normalise, beginnings)) - {""}


def _words(text: str) -> Counter[str]:
    """How often each word stands in a text, without articles where there is anything else."""
    words = normalise(text).split()
    without_articles = [word for word in words if word not in ARTICLES]
    return Counter(without_articles or words)


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    """The F1 of two bags of words."""
    shared = (one & other).total()
    if not shared:
        return 0.0
    return 2 * shared / (one.total() + other.total())
