"""Whatever stands in a sentence, what is made of it is made or is not: nothing fails."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.emphasising import emphasised
from augmlx.english.clauses.reordering import fronted, singled_out
from augmlx.english.clauses.reversing import reversals

WORDS = (
    "the a its their Ada Voss Queen lab mill key dozen hand hour years 2019 340 dollars first best "
    "was is may not founded sold kept opens needs that who which if when because and or , by for "
    "in to with of at on called than what they it"
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=12), st.sampled_from(["", "."])
)
@example(["I", "found", "the", "book", "that", "he", "asked", "for"], ".")
@example(["They", "sat", "in", "the", "hut", "they", "had", "paid", "for"], ".")
def test_whatever_the_words_nothing_fails(words: list[str], stop: str) -> None:
    text = " ".join(words).replace(" ,", ",") + stop
    for ways in (asks, reversals, fronted, singled_out):
        assert isinstance(ways(text), tuple)
    assert emphasised(text, "in fact") != text
