"""Whom or what a pronoun stands for, and where that is not sure."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.pronouns import (
    antecedent,
    meant_by,
    open_pronouns,
    points_elsewhere,
    resolved,
    rivals,
)


def read(*sentences: str) -> str | None:
    """The last sentence with its pronouns resolved by the others; None where that is not sure."""
    *before, text = sentences
    meant = meant_by(text, before)
    return resolved(text, meant) if meant is not None else None


@pytest.mark.parametrize(
    ("sentences", "wanted"),
    [
        (
            "Ada Voss founded Orrin Mills. | She sold it in 2004.",
            "Ada Voss sold Orrin Mills in 2004.",
        ),
        ("Ada Voss sold it. | She lives in Bor. | Her son left.", "Ada Voss's son left."),
        ("Ada Voss owns a mill. | She lives in Bor. | She is a pilot.", "Ada Voss is a pilot."),
        ("The pump weighs 12 kg. | Its housing is of steel.", "The pump's housing is of steel."),
        ("A lamp hangs over the door. | It is red.", "The lamp is red."),
        ("Employees wear badges. | They keep them in the office.", None),  # badges or employees?
        ("All visitors sign in. | They wear a badge.", "All visitors wear a badge."),
        ("Ada Voss hired Omar Haddad. | He repaired the loom.", None),  # which of the two?
        ("The mill is old. | When the alarm rings, staff must reset it.", None),  # not read whole
        ("The mill is old. | Visitors may bring it.", "Visitors may bring the mill."),
        ("The first ship sank. | Many people lived on its shores.", None),
        ("The server stores backups. | They are encrypted.", None),  # "stores" was read as a noun
        ("Every visitor signs in. | He wears a badge.", None),  # any of them
        (
            "The council met in Bor. | Its looms are in the museum.",
            "The council's looms are in the museum.",
        ),
        ("Ada Voss lives in Bor. | Its looms are in the museum.", None),  # Bor is said by the way
        ("The mill is old. | It is forbidden to smoke.", "It is forbidden to smoke."),
        ("The mill is old. | It rains.", "It rains."),
        ("The mill is old. | We open at nine.", "We open at nine."),
        ("Ada Voss owns the mill. | Employees keep their badges.", "Employees keep their badges."),
        ("She sold it.", None),
        ("The Corvo 20 is a drill. | It weighs 1.3 kg.", "The Corvo 20 weighs 1.3 kg."),
        ("Clause 4 was added in 2019. | It concerns damages.", "Clause 4 concerns damages."),
        (
            "Passengers with bicycles use the last carriage. | They pay 2 euros.",
            "Passengers with bicycles pay 2 euros.",  # not all of them
        ),
        ("Students who fail the exam may take it again. | They pay 10 euros.", None),  # not all
        ("The mill on the hill, which is old, burned. | It is red.", "The mill is red."),
        ("He writes the software, and she draws the maps. | Their first app failed.", None),
        ("Ada Voss met Omar Haddad at the docks. | They were cold.", None),
        (
            "Omar Haddad and Julie Brandt founded Fernweh Maps. | They met in Leipzig.",
            "Omar Haddad and Julie Brandt met in Leipzig.",
        ),
        ("The soup keeps for three days. | It can also be frozen.", None),  # no weather
        ("Ada Voss bought the mill. | She sold it two years later.", None),  # than what?
        ("The Kestrel X2 replaces the X1. | It costs 40 euros more.", None),
        ("The mill is old. | It costs more than 40 euros.", "The mill costs more than 40 euros."),
        ("The dough must rest. | It is then cut into strips.", None),
        ("The Customer must pay. | If it fails to do so, the goods are sent back.", None),
    ],
)
def test_a_pronoun_stands_for_the_one_that_can_be_meant(sentences: str, wanted: str | None) -> None:
    assert read(*sentences.split(" | ")) == wanted


def test_where_a_subject_goes_on_as_subject_it_is_less_sure() -> None:
    (pronoun,) = open_pronouns("It meets every month.")
    named = antecedent(pronoun, ["The board approved the budget."])
    assert named is not None
    assert (named.text, named.is_sure) == ("the board", False)


def test_what_else_fits_rivals_with_a_guess_also_where_it_cannot_be_put_for_a_pronoun() -> None:
    before = ["The mill is old.", "The council bought lamps and ropes for the hall."]
    (pronoun,) = open_pronouns("They are red.")
    guess = antecedent(pronoun, before)
    assert guess is not None
    assert guess.text == "the council"
    assert {each.text for each in rivals(pronoun, guess, before)} >= {"lamps", "ropes"}


def test_an_amount_is_what_a_pronoun_in_its_own_sentence_may_mean() -> None:
    assert not open_pronouns("Adults take one tablet of 20 mg; children must not take it.")
    assert open_pronouns("The vaccine costs 38 euros and protects them for a year.")


def test_what_points_to_another_sentence_is_known() -> None:
    for text in (
        "This surprised the staff.",
        "The latter is red.",
        "Members may do so by letter.",
        "Ada Voss lives there.",
        "Two years later, the mill burned down.",
        "Then the mill was sold.",
        "The first holds novels, and the second holds maps.",
        "Both were sold.",
    ):
        assert points_elsewhere(text), text
    for text in (
        "This mill is old.",
        "The mill that Ada owns is old.",
        "The former mayor lives in Bor.",
        "Anyone who wants to cancel may do so by letter.",
        "Ada Voss founded the abbey and is buried there.",
        "There are three gates.",
        "One of the mills is old.",
        "The first app failed, but the second was a success.",
        "Most shops close at noon.",
        "The course ends a week later.",
        "Later versions need 4 GB.",
    ):
        assert not points_elsewhere(text), text
