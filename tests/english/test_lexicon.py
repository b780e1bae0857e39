"""The lists of words."""

from __future__ import annotations

from augmlx.english.lexicon import STOPWORDS
from augmlx.english.text import normalise


def test_stopwords_are_lower_case_words() -> None:
    assert all(word == word.casefold() and normalise(word) == word for word in STOPWORDS)
