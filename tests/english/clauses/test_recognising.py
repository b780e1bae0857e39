"""What is known to say what a statement says, and what is not."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.asking import asks
from augmlx.english.clauses.recognising import (
    is_known_question,
    is_known_rephrasing,
    is_known_reversal,
)
from augmlx.english.clauses.reordering import fronted
from augmlx.english.clauses.reversing import reversals

FACTS = (
    "Ana Ruiz defeated Ben Holt at the Battle of Garrow in 1643.",
    "The Model 7 costs €1,299 including VAT.",
    "The Corvid engine does not support Windows 7.",
    "The Corran library opens at 9:30 a.m. on Saturdays.",
    "Invoices above 5,000 euros are signed by Lena Hauk.",
)


@pytest.mark.parametrize("fact", FACTS)
def test_every_question_and_way_of_a_fact_is_known(fact: str) -> None:
    for ask in asks(fact):
        assert is_known_question(fact, ask.question, ask.answer)
        assert not is_known_question(fact, ask.question.removesuffix("?"), ask.answer)
        assert not is_known_question(fact, ask.question, "Nobody")
    for way in reversals(fact):
        assert is_known_reversal(fact, way.text)
        assert not is_known_reversal(fact, f"{way.text} Really.")
    for way in fronted(fact):
        assert is_known_rephrasing(fact, way.text)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (FACTS[0], "Ben Holt defeated Ana Ruiz at the Battle of Garrow in 1643."),
        (FACTS[0], "Ben Holt was defeated by Ana Ruiz at the Battle of Garrow in 1634."),
        (FACTS[0], "Ben Holt was defeated by Ana Ruiz at the Battle of Garrow."),
        (FACTS[0], "Ana Ruiz was defeated by Ben Holt at the Battle of Garrow in 1643."),
        (FACTS[1], "€1.299 including VAT is what the Model 7 costs."),
        (FACTS[2], "Windows 7 is supported by the Corvid engine."),
        (FACTS[4], "Lena Hauk signed invoices above 5,000 euros."),
    ],
)
def test_what_says_another_thing_is_not_known(fact: str, text: str) -> None:
    assert not is_known_reversal(fact, text)
    assert not is_known_rephrasing(fact, text)


def test_nothing_stands_behind_a_clause() -> None:
    fact = "To reset the Orlo pump, hold the side button for eight seconds."
    for behind in ("for eight seconds to reset the Orlo pump", "to reset the Orlo pump"):
        assert is_known_question(fact, f"What should you hold {behind}?", "the side button")
    astray = "What should you hold to reset the Orlo pump for eight seconds?"
    assert not is_known_question(fact, astray, "the side button")


def test_a_circumstance_may_be_left_out_of_a_question_and_a_name_may_not() -> None:
    fact = FACTS[0]
    assert is_known_question(fact, "Who did Ana Ruiz defeat?", "Ben Holt")
    assert not is_known_question(fact, "Who was defeated?", "Ben Holt")
    assert not is_known_question(fact, "Who defeated in 1643?", "Ana Ruiz")


@pytest.mark.parametrize(
    ("fact", "text", "known"),
    [
        ("Ana leads the lab in Oslo.", "Ana is the one who leads the lab in Oslo.", True),
        ("Ana leads the lab in Oslo.", "Ana was the one who leads the lab in Oslo.", False),
        ("All wugs are glons.", "All wugs is the one who are glons.", False),
        ("Rex is a wug.", "Rex is is the one who a wug.", False),
        ("Ana Ruiz leads the lab in Oslo.", "It is Ana Ruiz who leads the lab in Oslo.", True),
        ("Fever is found early.", "Early, Fever is found.", False),
        ("Ana Ruiz leads the lab in Oslo.", "Ana Ruiz heads the lab in Oslo.", True),
        ("Ana Ruiz leads the lab in Oslo.", "Ana Ruiz led the lab in Oslo.", False),
        ("Ana Ruiz leads the lab in Oslo.", "Ana Ruiz leads a lab in Bergen.", False),
        ("Ana Ruiz leads the lab in Oslo.", "Ana Ruiz may lead the lab in Oslo.", False),
        ("Ana Ruiz leads the lab in Oslo.", "Ana Ruiz leads the lab in Oslo.", False),
        ("Ana Ruiz leads the lab in Oslo.", "The lab in Oslo leads Ana Ruiz.", False),
        ("The red mill makes flour in May.", "Red mill makes flour in May.", False),
    ],
)
def test_other_words_for_the_same(fact: str, text: str, known: bool) -> None:
    assert is_known_rephrasing(fact, text) is known


def test_the_name_stays_in_a_question() -> None:
    fact = "Samira Haddad plays the oboe in the Tarnow Philharmonic."
    assert is_known_question(
        fact, "Who plays the oboe in the Tarnow Philharmonic?", "Samira Haddad"
    )
    assert not is_known_question(fact, "Who plays the oboe?", "Samira Haddad")


def test_a_condition_is_not_left_out_of_a_question() -> None:
    fact = "The battery lasts up to 22 hours with noise cancelling switched on."
    question = "How long does the battery last{}?"
    said = question.format(" with noise cancelling switched on")
    assert is_known_question(fact, said, "up to 22 hours")
    assert not is_known_question(fact, question.format(""), "up to 22 hours")


def test_what_is_inserted_is_closed_before_more() -> None:
    fact = "The mill was built by Ada Voss, our head of sales, in 2014."
    said = "It was the mill that was built by Ada Voss, our head of sales{} in 2014."
    assert is_known_rephrasing(fact, said.format(","))
    assert not is_known_rephrasing(fact, said.format(""))


def test_what_is_inserted_is_closed_in_a_reversal() -> None:
    fact = "Ariana Lockwood founded the travel company, StarPath."
    assert is_known_reversal(fact, "The travel company, StarPath, was founded by Ariana Lockwood.")
    assert not is_known_reversal(
        fact, "The travel company, StarPath was founded by Ariana Lockwood."
    )
