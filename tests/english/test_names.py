"""Names, numbers and mentions: what is found, what is left alone, and what no text can break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.names import entities, is_number, mention_of
from augmlx.english.sentence import arguments
from augmlx.english.text import words


@pytest.mark.parametrize(
    ("entity", "text", "found"),
    [
        ("Zorb", "Ana owns Zorb.", "Zorb"),
        ("Zorb", "Ana owns Zorbs.", None),
        ("Zorb", "Ana owns zorb.", None),
        ("glons", "Glons sleep.", "Glons"),
        ("The", "the end", "the"),
        ("O'Neil", "Sean O’Neil", "O’Neil"),
        ("C++ (x)", "C++ (x) is old", "C++ (x)"),
        ("A.A", "AxA", None),
    ],
)
def test_a_mention_is_whole_words(entity: str, text: str, found: str | None) -> None:
    mention = mention_of(entity, text)
    assert (mention and mention.text) == found


def test_a_common_word_may_lose_its_capital_on_request() -> None:
    assert mention_of("Glons", "Femps fear glons.") is None
    assert mention_of("Glons", "Femps fear glons.", anywhere=True) is not None


@pytest.mark.parametrize("text", ["1998", "3 May 1998", "3.5", "May 3", "12"])
def test_numbers_and_dates_are_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["May", "Apollo 11", "3M", "Ana"])
def test_names_with_digits_are_not(text: str) -> None:
    assert not is_number(text)


@given(st.text(min_size=1, max_size=30), st.text(max_size=80))
def test_a_mention_is_found_in_its_own_text_only(entity: str, text: str) -> None:
    mention = mention_of(entity, text)
    if mention is not None:
        assert text[mention.start : mention.end] == mention.text


@given(st.text(max_size=80))
def test_mentions_stand_where_they_say(text: str) -> None:
    for mention in (*words(text), *entities(text), *(arguments(text) or ())):
        assert text[mention.start : mention.end] == mention.text
        assert mention.text
