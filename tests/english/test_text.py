"""Words and sentences, and what no text can break."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.stems import content_stems
from augmlx.english.text import normalise, sentence_count, split_sentences, words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("Ana owns Zorb.", 1),
        ("Ana owns Zorb. Ben owns Femp.", 2),
        ("ana owns zorb. ben owns femp.", 2),
        ("Ana owns Zorb.\nBen owns Femp", 2),
        ('"Ana owns Zorb." Ben knows.', 2),
        ('The painter of "Dusk." is Bo Lind.', 1),
        ("Who? Me! Yes.", 3),
        ("Dr. Ana Ruiz met St. Olav and J. R. Hartley.", 1),
        ("Zorb Inc. bought Femp Ltd. in the U.S. in 1998.", 1),
        ("It costs 3.5 crowns.", 1),
        ("東京は首都です。大阪は違う。", 2),
        ("「東京は首都です。」", 1),
    ],
)
def test_a_title_or_an_initial_ends_no_sentence(text: str, count: int) -> None:
    assert sentence_count(text) == count


@given(st.text('Aab.!?。 \n"', max_size=60))
def test_sentences_stand_where_they_say_and_leave_only_white_space_out(text: str) -> None:
    found = split_sentences(text)
    assert all(text[part.start : part.end] == part.text == part.text.strip() for part in found)
    assert "".join("".join(part.text for part in found).split()) == "".join(text.split())
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_long_text_is_split_in_linear_time() -> None:
    text = "Dr. Ana owns it. " * 20_000  # 340 kB; quadratic would take minutes
    assert len(split_sentences(text.strip())) == 20_000


def test_contractions_negate_like_their_long_form() -> None:
    assert content_stems("Ana isn't rich.") == content_stems("Ana is not rich.")


def test_combining_marks_belong_to_their_word() -> None:
    assert normalise("कि") != normalise("का")
    assert len(words("दिल्ली")) == 1


@given(st.text(max_size=80))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or not once.isascii()  # some letters fold in two steps
    assert "  " not in once
    assert once == once.strip()
