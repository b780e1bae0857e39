"""With what a sentence begins."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.beginning import begins_oddly, keeps_a_capital
from augmlx.english.clauses.contradicting import is_otherwise_asked, is_otherwise_said
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.recognising import is_known_rephrasing, is_known_reversal
from augmlx.english.clauses.reordering import fronted, singled_out
from augmlx.english.clauses.reversing import reversals

# A fact, and it with something put first that people leave where it stands.
ODD = {
    "The Orsa shop opens at 8:15 a.m. on Fridays.": "At 8:15 a.m., the Orsa shop opens on Fridays.",
    "The Orsa shop stays open until 19:30 on Fridays.": (
        "Until 19:30, the Orsa shop stays open on Fridays."
    ),
    "The mill is located in Bergen, Norway.": "In Bergen, Norway, the mill is located.",
    "The lamp was designed by Ada Voss in Lund.": "In Lund, the lamp was designed by Ada Voss.",
    "Ada Voss ran the mile in 4:12.30 minutes.": "In 4:12.30 minutes, Ada Voss ran the mile.",
    "The kiln is fired at 900 °C for ten hours.": "At 900 °C, the kiln is fired for ten hours.",
    "Fire the clay at 900 °C for ten hours.": "For ten hours, fire the clay at 900 °C.",
    "The office can be reached at extension 310.": ("At extension 310, the office can be reached."),
    "The mill sells flour every day except Sunday.": (
        "Every day, the mill sells flour except Sunday."
    ),
    "Peat is cut by hand on the Isle of Corra.": "By hand, peat is cut on the Isle of Corra.",
    "Trams run every ten minutes on weekdays.": "Every ten minutes, trams run on weekdays.",
}
# A fact, and it with something put first that people do put first.
NATURAL = {
    "The Orsa shop opens at 8:15 a.m. on Fridays.": "On Fridays, the Orsa shop opens at 8:15 a.m.",
    "The bridge was built by Hana Sato in 1902.": "In 1902, the bridge was built by Hana Sato.",
    "Ada Voss has led the lab since May 2016.": "Since May 2016, Ada Voss has led the lab.",
    "Dogs are not allowed in the reading room.": "In the reading room, dogs are not allowed.",
    "Parking costs 2 euros between 8 a.m. and 6 p.m.": (
        "Between 8 a.m. and 6 p.m., parking costs 2 euros."
    ),
    "Nobody may enter without a helmet.": "Without a helmet, nobody may enter.",
    "Bats find their prey by listening to echoes.": (
        "By listening to echoes, bats find their prey."
    ),
    "Never keep the paint above 30 °C.": "Above 30 °C, never keep the paint.",
}


def _begins_oddly(source: str, text: str) -> bool:
    given, said = read(source), read(text)
    assert given is not None
    assert said is not None
    return begins_oddly(given, said)


@pytest.mark.parametrize("source", ODD)
def test_what_nobody_begins_with_is_neither_made_nor_taken(source: str) -> None:
    text = ODD[source]
    assert _begins_oddly(source, text)
    ways = (*reversals(source), *fronted(source))
    assert text not in [way.text for way in ways]
    assert not is_known_rephrasing(source, text)
    assert not is_known_reversal(source, text)
    assert is_otherwise_said(source, text)


@pytest.mark.parametrize("source", NATURAL)
def test_what_people_begin_with_is_no_fault(source: str) -> None:
    assert not _begins_oddly(source, NATURAL[source])
    assert not is_otherwise_said(source, NATURAL[source])


def test_what_the_fact_itself_begins_with_stays_there() -> None:
    assert not _begins_oddly("At 9:30, the shop opens.", "At 9:30, the shop is opened.")


def test_a_question_loses_the_capital_that_opened_the_fact() -> None:
    source = "Greyhounds can run faster than whippets."
    asked = "What can Greyhounds run faster than?"
    assert keeps_a_capital(source, asked)
    assert is_otherwise_asked(source, asked, "whippets")
    assert not is_otherwise_asked(source, "What can greyhounds run faster than?", "whippets")
    assert not keeps_a_capital("Ada Voss leads the lab.", "What does Ada Voss lead?")


def test_a_pronoun_stays_behind_the_clause_that_names_it_and_behind_nothing_else() -> None:
    named = "Before Ben Roe became a judge, he worked as a cook."
    assert is_otherwise_said(named, "He worked as a cook before Ben Roe became a judge.")
    dated = "In 1990, she founded the lab."
    assert is_known_rephrasing(dated, "She founded the lab in 1990.")
    assert not is_otherwise_said(dated, "She founded the lab in 1990.")


def test_what_nobody_may_do_is_not_done_by_nobody() -> None:
    source = "No member of the club may sell tickets to strangers."
    assert not reversals(source)
    source_that_moves = "No child may enter without a helmet."
    assert [way.text for way in reversals(source_that_moves)] == [
        "Without a helmet, no child may enter."
    ]
    assert is_otherwise_said(source, "Tickets may be sold to strangers by no member of the club.")


def test_people_who_are_one_are_singled_out_as_that() -> None:
    ways = [way.text for way in singled_out("The crew thinks the captain is too cautious.")]
    assert ways[0] == "It is the crew that thinks the captain is too cautious."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "Orion Capital holds 35 percent of the shares of Vega Mining.",
            "35 percent of the shares of Vega Mining are held by Orion Capital.",
        ),
        (
            "Orion Capital owns 35 percent of the area.",
            "35 percent of the area is owned by Orion Capital.",
        ),
    ],
)
def test_a_share_is_one_or_several_as_what_it_is_of(source: str, text: str) -> None:
    assert text in [way.text for way in reversals(source)]
