"""What a statement is known by: two texts share a mark where they state the same, the same way
round.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.records import Example, Origin
from augmlx.english.sameness import marks, said, wording
from augmlx.english.scope import telling


def alike(one: str, other: str) -> bool:
    return not set(marks(one)).isdisjoint(marks(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Bor mill is owned by Ana.", "the bor MILL, is owned by Ana"),
        ("The Bor mill was owned by Ana.", "The Bor mill is owned by Ana."),
        ("No wugs are daxes.", "No wug is a dax."),
        ("Lake Orrin is larger than Lake Pell.", "Lake Orrin is less small than Lake Pell."),
        ("The head of the Lab is Mara.", "The Lab's head is Mara."),
        (
            "The members of the Bor Club are Ana, Ole and Ida.",
            "The members of the Bor Club are Ida, Ana and Ole.",
        ),
    ],
)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Bor mill is owned by Ana.", "Ana owns the Bor mill."),
        ("Lake Orrin is larger than Lake Pell.", "Lake Pell is smaller than Lake Orrin."),
        ("The head of the Lab is Mara.", "Mara is the head of the Lab."),
        ("No wugs are daxes.", "No daxes are wugs."),
        (
            "The members of the Bor Club are Ana and Ole.",
            "Ana and Ole are the members of the Bor Club.",
        ),
    ],
)
def test_the_same_the_other_way_round_is_another_statement(one: str, other: str) -> None:
    assert not alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Bor mill is owned by Ana.", "The Bor mill isn't owned by Ana."),
        ("All wugs are daxes.", "Some wugs are daxes."),
        ("Wugs are more dangerous than daxes.", "Wugs are less dangerous than daxes."),
    ],
)
def test_little_words_that_make_it_another_statement(one: str, other: str) -> None:
    assert not alike(one, other)
    assert telling(one) != telling(other)


@given(st.text(max_size=60))
def test_any_text_is_known_by_its_words_and_the_same_each_time(text: str) -> None:
    assert list(marks(text)) == list(marks(text))
    assert alike(text, f" {text.replace(' ', '  ')}.")


def test_a_question_with_its_answer_is_said_without_the_words_around() -> None:
    origin = Origin(("f0",), "qa", "", "", 0, 0, "")
    row = {"prompt": "Who owns it?", "completion": "Ana"}
    text = "Question: Who owns it?\nAnswer: Ana"
    assert list(said(Example("x", text, origin, row))) == [text, "Who owns it? Ana"]
    assert list(said(Example("x", text, origin))) == [text]


def test_a_vote_overlooks_tense_and_determiners_but_not_order_or_negation() -> None:
    said = wording("The radio was designed by Ada.")
    assert wording("A radio is designed by Ada") == said
    assert wording("Ada was designed by the radio.") != said
    assert wording("The radio was not designed by Ada.") != said
