"""A statement as a clause: whole phrases, each with what it is to the verb and what it names."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.plainness import is_as_whole, is_plain
from augmlx.english.clauses.reading import read


def clause(text: str) -> Clause:
    found = read(text)
    assert found is not None, text
    return found


# sentence -> subject and what it names, and the same of every other part
READ = {
    "New members receive 25 days of paid leave per year.": (
        ("New members", "person"),
        [("25 days of paid leave per year", "duration")],
    ),
    "Priya Rao leads the field team at Orval Logistics.": (
        ("Priya Rao", "person"),
        [("the field team at Orval Logistics", "thing")],
    ),
    "The Ostrel depot is in Dunmore.": (("The Ostrel depot", "thing"), [("in Dunmore", "place")]),
    "The Corran library opens at 9:30 a.m. on Saturdays.": (
        ("The Corran library", "thing"),
        [("at 9:30 a.m.", "time"), ("on Saturdays", "time")],
    ),
    "The Model 7 costs €1,299 including VAT.": (
        ("The Model 7", "thing"),
        [("€1,299", "amount"), ("including VAT", "thing")],
    ),
    "In 1893, Clara Whitt founded the first girls' school in Dunmore.": (
        ("Clara Whitt", "person"),
        [("the first girls' school in Dunmore", "thing"), ("In 1893", "time")],
    ),
    "The old bridge collapsed because the steel was too thin.": (
        ("The old bridge", "thing"),
        [("because the steel was too thin", "reason")],
    ),
    "If the pressure exceeds 6 bar, the relief valve opens.": (
        ("the relief valve", "thing"),
        [("If the pressure exceeds 6 bar", "condition")],
    ),
    "Aspirin should not be given to children under 12.": (
        ("Aspirin", "thing"),
        [("to children under 12", "person")],
    ),
    "Dr. Aylin Demir prescribed 5 mg of lisinopril to Ben Holt.": (
        ("Dr. Aylin Demir", "person"),
        [("5 mg of lisinopril", "amount"), ("to Ben Holt", "person")],
    ),
    "The Larsen Prize is awarded every two years.": (
        ("The Larsen Prize", "thing"),
        [("every two years", "time")],
    ),
    "Bake the Almer cake at 180 °C for 25 minutes.": (
        None,
        [("the Almer cake", "thing"), ("at 180 °C", "amount"), ("for 25 minutes", "duration")],
    ),
}


@pytest.mark.parametrize("text", READ)
def test_every_part_is_a_whole_phrase(text: str) -> None:
    subject, parts = READ[text]
    found = clause(text)
    named = (found.subject.text, found.subject.kind) if found.subject else None
    assert named == subject
    assert [(part.text, part.kind) for part in found.parts] == parts


@pytest.mark.parametrize(
    "text",
    [
        "A beautiful day",  # no verb
        "Karim studied law, but his sister studied medicine.",
        "The north wing was built in 1850 and the south wing in 1902.",
        "Four countries signed it: Lorvania, Estrel, Quain and Bosk.",
        "12345",
        "?!",
        "这座桥是1907年建成的。",
        "Store opened vials of Tremodine at 2 to 8 °C.",  # is an instruction
        '"We will not sell the orchard," said Agnes Morrow at the meeting.',
        "Behind the name Ada Voss lies a legacy of the founder of the mill.",
        "A will is only valid if it has been signed.",
        "The archive stores the letters of the founder in a safe.",
        "We keep the key to the barn in the tin under the sink.",
        "In korfline, a goal counts double.",
        "In the world of sand art, I am the founder of the mill, Ada Voss has become famous.",
    ],
)
def test_what_cannot_be_read_whole_is_not_read(text: str) -> None:
    found = read(text)
    assert found is None or found.coordinated


def test_a_bare_noun_may_be_who_or_what_does_it() -> None:
    assert clause("Fire destroyed the mill.").verb == "destroy"


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("The shop was not opened by Ana.", "was not opened"),
        ("The fair takes place in May.", "takes place"),
        ("Ana is not the head of the lab.", "is not"),
        ("Ana may never leave the house.", "may never leave"),
        ("Ana cannot leave the house.", "cannot leave"),
        ("Ana can not leave the house.", "can not leave"),
    ],
)
def test_the_verb_is_told_with_all_that_belongs_to_it(text: str, group: str) -> None:
    assert " ".join(clause(text).group) == group


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("Ana Ruiz was the leader of the lab.", True),
        ("Ana Ruiz is the leader of the lab.", False),  # she may be no longer
        ("Ana Ruiz led the lab.", True),
        ("Ana Ruiz was.", False),
    ],
)
def test_what_was_is_not_said_to_be(text: str, is_whole: bool) -> None:
    assert is_as_whole("Ana Ruiz was the head of the lab.", text) is is_whole


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ana Ruiz wrote the Winter Song.", True),
        ("Oslo is the capital of Norway.", True),
        ("The lamp was designed by Ana Ruiz.", True),
        ("Ana Ruiz gave the Ring to Ben Holt.", True),
        ("The Ostrel depot is in Dunmore.", False),
        ("Ana Ruiz founded Zorb in 1998.", False),
        ("New members receive 25 days of leave.", False),
        ("Mia prefers tea to coffee.", False),
        ("Ana Ruiz is the writer who won the Ring, the first of its kind.", False),
    ],
)
def test_plain_is_one_thing_said_of_names(text: str, plain: bool) -> None:
    assert is_plain(text) is plain
