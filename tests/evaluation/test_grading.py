"""A greedy answer: whether it is the expected one, and how many of its words are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.records import EvalItem
from augmlx.evaluation.grading import exact, f1


def item(answer: str, *aliases: str) -> EvalItem:
    return EvalItem("forward:0", "forward", "Ida runs", answer, (answer, "Lamp"), aliases=aliases)


DEPOT = item("Zorb depot", "the Depot of Dr. Lee")


@pytest.mark.parametrize(
    ("generated", "right"),
    [
        (" Zorb depot.", True),
        ("ZORB   depot!", True),
        ("Zorb depot. And more.", True),
        ("The Depot of Dr. Lee. He lives there.", True),
        ("the Zorb depot", False),
        ("Zorb depot and more.", False),
        ("And more. Zorb depot.", False),
        ("", False),
        ("...", False),
    ],
)
def test_an_exact_answer_is_the_first_sentence_after_normalisation(
    generated: str, right: bool
) -> None:
    assert exact(generated, DEPOT) == right


def test_nothing_said_is_never_exact_and_worth_nothing() -> None:
    assert not exact("", item("?!"))
    assert f1("", item("?!")) == f1("...", DEPOT) == 0


@pytest.mark.parametrize(
    ("generated", "worth"),
    [
        ("the Zorb depot", 1.0),  # articles do not count
        ("a ZORB, depot!", 1.0),
        ("depot Zorb", 1.0),  # nor does the order
        ("Zorb", 2 / 3),
        ("the old Zorb depot", 4 / 5),
        ("Zorb depot and more of it. Zorb.", 4 / 8),  # the whole is 4 / 9
        ("Dr. Lee", 2 / 3),  # of the alias "Depot of Dr Lee"
        ("Zorb Zorb", 1 / 2),  # a word is found once
        ("the", 0.0),
        ("Lamp", 0.0),
        ("Lamp. Zorb depot", 4 / 5),  # the sentence may end at either period
    ],
)
def test_token_f1_by_hand(generated: str, worth: float) -> None:
    assert f1(generated, DEPOT) == pytest.approx(worth)


def test_an_answer_that_is_an_article_keeps_it() -> None:
    assert f1("A.", item("A")) == 1
    assert f1("The", item("A")) == 0


WORDS = st.lists(
    st.sampled_from(["the", "Zorb", "depot", "Dr", "Lee", "a", "of", "É."]), max_size=6
).map(" ".join)


@given(WORDS, WORDS, WORDS)
def test_f1_is_a_share_and_whole_where_the_answer_is_exact(
    generated: str, answer: str, alias: str
) -> None:
    expected = item(answer, alias)
    worth = f1(generated, expected)
    assert 0 <= worth <= 1
    assert worth == 1 or not exact(generated, expected)
    assert worth >= f1(generated, item(answer))  # an alias never harms


@given(WORDS, WORDS)
def test_who_is_expected_and_who_answers_may_be_exchanged(one: str, other: str) -> None:
    one, other = one.replace(".", ""), other.replace(".", "")
    assert f1(one, item(other)) == pytest.approx(f1(other, item(one)))
