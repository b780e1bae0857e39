"""The question whether a statement holds, and whom it names."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.whether import agreed, names_in, of_another, whether, which

ASKED = {
    "Yusuf Adel designed the Heron lamp.": (
        "Did Yusuf Adel design the Heron lamp?",
        "Yes, Yusuf Adel designed the Heron lamp.",
    ),
    "The Ferrow depot is in Dunmore.": (
        "Is the Ferrow depot in Dunmore?",
        "Yes, the Ferrow depot is in Dunmore.",
    ),
    "Visitors must wear a yellow badge in the Ashby laboratory.": (
        "Must visitors wear a yellow badge in the Ashby laboratory?",
        "Yes, visitors must wear a yellow badge in the Ashby laboratory.",
    ),
    "Fox & Co was set up by Lina Moss in 1990.": (
        "Was Fox & Co set up by Lina Moss in 1990?",
        "Yes, Fox & Co was set up by Lina Moss in 1990.",
    ),
}


@pytest.mark.parametrize("text", ASKED)
def test_whether_it_holds(text: str) -> None:
    assert (whether(text), agreed(text)) == ASKED[text]


@pytest.mark.parametrize(
    "text",
    [
        "The museum has not been renovated since 1990.",
        "Press Ctrl+S to save.",
        "If it rains, the match is cancelled.",
        "Ana Bell founded the mill and sold it.",
        "wugs",
    ],
)
def test_of_what_cannot_be_turned_nothing_is_asked(text: str) -> None:
    assert whether(text) is None


def test_a_name_is_what_does_something_or_has_something_done_to_it() -> None:
    assert names_in("Yusuf Adel designed the Heron lamp.") == ["Yusuf Adel", "the Heron lamp"]
    assert names_in("The Bor mill was founded by Ana Bell.") == ["the Bor mill", "Ana Bell"]
    assert names_in("The warranty lasts two years.") == []


def test_another_is_one_of_whom_the_like_is_told() -> None:
    lamp = "Yusuf Adel designed the Heron lamp."
    assert of_another(lamp, "Greta Holm designed the Kestrel radio.") == (
        "Greta Holm designed the Heron lamp."
    )
    assert of_another(lamp, "Freya Mott wrote the Bluefin manual.") is None
    assert of_another(lamp, lamp) is None
    head = "Mara Voss is the head of the Lumen Lab."
    assert of_another(head, "Otto Lane is the owner of the Falcon garage.") is None
    assert of_another(head, "Tobias Renn is the head of the Harbour Team.") is not None


def test_a_thing_is_asked_for_by_its_noun() -> None:
    lamp = which("What did Yusuf Adel design?", "The Heron lamp.")
    assert lamp == "Which lamp did Yusuf Adel design?"
    assert which("What did Yusuf Adel design?", "Heron") is None
    assert which("What is Mara Voss the head of?", "the Lumen lab") is None
    assert which("Who designed the Heron lamp?", "Yusuf Adel") is None
