"""Names in a sentence: what is found, what is left alone, and what no text can break."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.lexicon import STOPWORDS
from augmlx.english.names import entities, is_number, mention_of
from augmlx.english.sameness import wording
from augmlx.english.sentence import arguments, closing_phrase
from augmlx.english.stems import content_stems, stem
from augmlx.english.text import normalise, sentence_count, split_sentences, words

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
    ("text", "count"),
    [
        ("", 1),
        ("Ana owns Zorb.", 1),
        ("Ana owns Zorb. Ben owns Femp.", 2),
        ("ana owns zorb. ben owns femp.", 2),
        ("Ana owns Zorb.\nBen owns Femp", 2),
        ('"Ana owns Zorb." Ben knows.', 2),
        ("Who? Me! Yes.", 3),
        ("Dr. Ana Ruiz met St. Olav and J. R. Hartley.", 1),
        ("Zorb Inc. bought Femp Ltd. in the U.S. in 1998.", 1),
        ("It costs 3.5 crowns.", 1),
        ("東京は首都です。大阪は違う。", 2),
        ("「東京は首都です。」", 1),
    ],
)
def test_a_title_or_an_initial_ends_no_sentence(text: str, count: int) -> None:
    assert sentence_count(text) == count


@given(st.text('Aab.!?。 \n"', max_size=60))
def test_sentences_stand_where_they_say_and_leave_only_white_space_out(text: str) -> None:
    found = split_sentences(text)
    assert all(text[part.start : part.end] == part.text == part.text.strip() for part in found)
    assert "".join("".join(part.text for part in found).split()) == "".join(text.split())
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_long_text_is_split_in_linear_time() -> None:
    text = "Dr. Ana owns it. " * 20_000  # 340 kB; quadratic would take minutes
    assert len(split_sentences(text.strip())) == 20_000


SAME_STEM = """design designed designer designs
write wrote written writer writing
head heads headed
lead leads led leader
order orders ordered
use uses used user using
carry carries carried carrier
heavy heavier
large larger
agree agrees agreed
class classes
discover discovers discovered discoverer
plan plans planned planner
study studies studied
found finds found
own owns owned owner
teach taught teacher
die dies died"""


@pytest.mark.parametrize("row", SAME_STEM.splitlines())
def test_forms_of_a_word_share_a_stem(row: str) -> None:
    assert len({stem(word) for word in row.split()}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("employee", "employer"), ("founded", "found"), ("mother", "month"), ("before", "after")],
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert stem(one) != stem(other)


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


def test_a_vote_overlooks_tense_and_determiners_but_not_order_or_negation() -> None:
    said = wording("The radio was designed by Ada.")
    assert wording("A radio is designed by Ada") == said
    assert wording("Ada was designed by the radio.") != said
    assert wording("The radio was not designed by Ada.") != said


def test_contractions_negate_like_their_long_form() -> None:
    assert content_stems("Ana isn't rich.") == content_stems("Ana is not rich.")


def test_combining_marks_belong_to_their_word() -> None:
    assert normalise("कि") != normalise("का")
    assert len(words("दिल्ली")) == 1


@given(st.text(max_size=80))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or not once.isascii()  # some letters fold in two steps
    assert "  " not in once
    assert once == once.strip()


@given(st.text(max_size=80))
def test_mentions_stand_where_they_say(text: str) -> None:
    for mention in (*words(text), *entities(text), *(arguments(text) or ())):
        assert text[mention.start : mention.end] == mention.text
        assert mention.text


@given(st.text(max_size=80))
def test_arguments_are_two_and_apart(text: str) -> None:
    if found := arguments(text):
        assert found[0].end <= found[1].start
        assert mention_of(found[0].text, text) is not None


@given(st.text(min_size=1, max_size=30), st.text(max_size=80))
def test_a_mention_is_found_in_its_own_text_only(entity: str, text: str) -> None:
    mention = mention_of(entity, text)
    if mention is not None:
        assert text[mention.start : mention.end] == mention.text


@given(st.text(max_size=30))
def test_a_stem_is_its_own_stem_and_never_empties_a_word(word: str) -> None:
    found = stem(word)
    assert (
        bool(found) == bool(word.casefold().removesuffix("s").removesuffix("'").removesuffix("’"))
        or found
    )


def test_stopwords_are_lower_case_words() -> None:
    assert all(word == word.casefold() and normalise(word) == word for word in STOPWORDS)
