"""What a sentence speaks of, and what it ends with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.names import entities, mention_of
from augmlx.english.sentence import arguments, closing_phrase

# sentence: (entities, first argument, last argument)
PARSED = {
    "Mara Voss is the head of the Lumen Lab.": (
        ["Mara Voss", "Lumen Lab"],
        "Mara Voss",
        "Lumen Lab",
    ),
    "Yusuf Adel designed the Heron lamp.": (["Yusuf Adel", "Heron"], "Yusuf Adel", "Heron lamp"),
    "The Kestrel radio is made by Ana.": (["Kestrel", "Ana"], "Kestrel radio", "Ana"),
    "The Dent bakery belongs to Carla Ruiz.": (["Dent", "Carla Ruiz"], "Dent bakery", "Carla Ruiz"),
    "The Mill stands north of the River.": (["Mill", "River"], "Mill", "River"),
    "The war came before the peace.": ([], "war", "peace"),
    "the heart pumps blood.": ([], "heart", "blood"),
    "glons are more dangerous than femps.": ([], "glons", "femps"),
    "Dr. Ana Ruiz leads the Lab.": (["Dr. Ana Ruiz", "Lab"], "Dr. Ana Ruiz", "Lab"),
    "The Abbey was founded by St. Olav.": (["Abbey", "St. Olav"], "Abbey", "St. Olav"),
    "J. R. Hartley wrote Fly Fishing.": (
        ["J. R. Hartley", "Fly Fishing"],
        "J. R. Hartley",
        "Fly Fishing",
    ),
    "A.A. Pelgar runs the Zorb depot.": (["A.A. Pelgar", "Zorb"], "A.A. Pelgar", "Zorb depot"),
    "Sean O’Neil met Jean-Luc.": (["Sean O’Neil", "Jean-Luc"], "Sean O’Neil", "Jean-Luc"),
    "Ana de la Cruz owns AT&T.": (["Ana de la Cruz", "AT&T"], "Ana de la Cruz", "AT&T"),
    "The Lab's head is Mara.": (["Lab", "Mara"], "Lab", "Mara"),
    "James' Zorb beats Femp.": (["James", "Zorb", "Femp"], "James", "Femp"),
    "Ana owns Zorb. Ben owns Femp.": (["Ana", "Zorb", "Ben", "Femp"], "Ana", "Femp"),
    "Ana Ruiz founded Zorb on 3 May 1998.": (
        ["Ana Ruiz", "Zorb", "3 May 1998"],
        "Ana Ruiz",
        "Zorb",
    ),
    "In 1998 Ana Ruiz founded Zorb.": (["1998", "Ana Ruiz", "Zorb"], "Ana Ruiz", "Zorb"),
    "Will Smith knows May Lind.": (["Will Smith", "May Lind"], "Will Smith", "May Lind"),
    "Zoë 🦊 owns the Ring 💍.": (["Zoë", "Ring"], "Zoë", "Ring"),
    "Ana {{ name }} owns Zorb.": (["Ana", "Zorb"], "Ana", "Zorb"),
    "القاهرة عاصمة مصر.": ([], "القاهرة", "مصر"),
}


@pytest.mark.parametrize("text", PARSED)
def test_entities_and_arguments(text: str) -> None:
    named, first, last = PARSED[text]
    assert [entity.text for entity in entities(text)] == named
    found = arguments(text)
    assert found is not None
    assert [mention.text for mention in found] == [first, last]


@pytest.mark.parametrize(
    "text", ["", " ", "...", "🦊", "Rain.", "The the the.", "Ana Ruiz", "Ana is Ana.", "1998."]
)
def test_a_text_that_speaks_of_one_thing_has_no_arguments(text: str) -> None:
    assert arguments(text) is None


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Mara is the head of the Lab.", "the head of the Lab"),
        ("Mara was the head of the Lab.", "the head of the Lab"),
        ("Mara is a head of the Lab.", "the Lab"),  # indefinite: names nothing
        ("Mara leads the Lab.", "the Lab"),
        ("The head of the Lab is Mara.", "Mara"),
        ("Mara painted the gate of the Bor mill.", "the gate of the Bor mill"),
        ("Mara repaired the clock tower in Elmstead.", "the clock tower in Elmstead"),
        ("Mara gave the book to Ada.", "Ada"),  # "to" belongs to the verb
        ("The vault is kept in the Granite Room.", "the Granite Room"),
        ("The Osprey cafe is cheaper than the Wren cafe.", "the Wren cafe"),
        ("Mara's brother Tom is the head of the Lab.", "the Lab"),  # not Mara is
        ("glons are more dangerous than femps.", "femps"),
        ("Rain.", None),
    ],
)
def test_what_a_sentence_ends_with_can_open_it_turned_round(text: str, phrase: str | None) -> None:
    assert closing_phrase(text) == phrase


@given(st.text(max_size=80))
def test_arguments_are_two_and_apart(text: str) -> None:
    if found := arguments(text):
        assert found[0].end <= found[1].start
        assert mention_of(found[0].text, text) is not None
