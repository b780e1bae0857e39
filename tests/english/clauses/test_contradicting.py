"""Signs that a text says something else."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.contradicting import is_otherwise_asked, is_otherwise_said


@pytest.mark.parametrize(
    ("text", "is_otherwise"),
    [
        ("Ghentbrugge is where Nadja Verhoeven teaches.", True),  # she taught
        ("Ghentbrugge is where Nadja Verhoeven taught.", False),
        ("It was Nadja Verhoeven who taught in Ghentbrugge.", False),
    ],
)
def test_a_text_of_another_time(text: str, is_otherwise: bool) -> None:
    assert is_otherwise_said("Nadja Verhoeven taught in Ghentbrugge.", text) is is_otherwise


@pytest.mark.parametrize(
    ("source", "text", "is_otherwise"),
    [
        ("Never mix Clarasol with bleach.", "Clarasol and bleach cannot mix.", True),
        ("Never mix Clarasol with bleach.", "Clarasol must not be mixed with bleach.", False),
        ("Visitors may not take photographs.", "Visitors cannot take photographs.", False),
    ],
)
def test_what_shall_not_be_is_not_what_cannot_be(
    source: str, text: str, is_otherwise: bool
) -> None:
    assert is_otherwise_said(source, text) is is_otherwise


def test_nobody_says_who_somebody_is_twice() -> None:
    source = "Ada Voss is the painter who designed the Heron lamp."
    assert is_otherwise_said(
        source, "It is Ada Voss who is the painter who designed the Heron lamp."
    )
    assert not is_otherwise_said(source, "It is Ada Voss who designed the Heron lamp.")


@pytest.mark.parametrize(
    ("source", "question", "answer", "is_otherwise"),
    [
        ("It was designed by Petra Novak in Brno.", "Where was it designed?", "in Brno", True),
        ("The lamp was designed by Petra Novak.", "Who did the lamp design?", "Petra Novak", True),
        ("The lamp was designed by Petra Novak.", "Who designed the lamp?", "Petra Novak", False),
        ("You get a refund.", "What do you get?", "a refund", False),
        ("The hat is dry, but the coat is not.", "What is dry but not coat?", "the hat", True),
        ("Entry to the park is free in May.", "Where is the park free in May?", "Entry", True),
    ],
)
def test_what_a_pronoun_names_is_not_asked_about(
    source: str, question: str, answer: str, is_otherwise: bool
) -> None:
    assert is_otherwise_asked(source, question, answer) is is_otherwise


@pytest.mark.parametrize(
    ("source", "text", "is_otherwise"),
    [
        (
            "The Orlo is smaller than the Heron but faster.",
            "The Heron but faster is larger than the Orlo.",
            True,
        ),
        (
            "The Orlo is smaller than the Heron but faster.",
            "The Heron is larger than the Orlo but faster.",
            True,
        ),
        (
            "The Orlo is smaller than the Heron but faster.",
            "It is the Orlo that is smaller than the Heron but faster.",
            False,
        ),
        ("The Orlo is smaller than the Heron.", "The Heron is larger than the Orlo.", False),
        (
            "Expense claims older than 90 days are not paid.",
            "It is expense that claims older than 90 days are not paid.",
            True,
        ),
        (
            "Parcels up to 5 kg cost 6 francs to send.",
            "It is parcels up to 5 kg that cost 6 francs to send.",
            False,
        ),
        (
            "Lake Venn is deeper than Lake Orr, but not as long.",
            "Lake Orr is shallower than Lake Venn, but not as long.",
            True,
        ),
        (
            "Zinerol can make people drowsy, so they should not drive.",
            "Taking a Zinerol can make people drowsy, so they should not drive.",
            True,
        ),
        ("Knead the dough, then let it rest.", "Knead the dough, let it rest.", True),
        ("If it rains, then the fair is moved.", "The fair is moved if it rains.", False),
    ],
)
def test_a_phrase_torn_apart(source: str, text: str, is_otherwise: bool) -> None:
    assert is_otherwise_said(source, text) is is_otherwise


def test_a_word_that_asks_is_no_answer() -> None:
    source = "Whoever comes first locks the workshop."
    assert is_otherwise_asked(source, "Who comes first locks the workshop?", "Whoever")
