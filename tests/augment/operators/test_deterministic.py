"""Operators that need no model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment.operators.deterministic import FUNCTIONS, entity_reversal, identity_bridge
from augmlx.english.names import entities, is_number
from augmlx.english.text import words

REVERSED = {
    "Ana de la Cruz owns the Kestrel radio.": "radio Kestrel the owns Ana de la Cruz",
    "Mara Voss was born on 3 May 1998.": "3 May 1998 on born was Mara Voss",
    "glons are larger than femps": "femps than larger are glons",
    "Rain.": "",
    "": "",
}


@pytest.mark.parametrize("text", REVERSED)
def test_words_stand_from_last_to_first_and_names_as_they_are_read(text: str) -> None:
    assert entity_reversal(text) == [said for said in [REVERSED[text]] if said]


def test_each_name_is_said_once_and_numbers_are_none() -> None:
    assert identity_bridge("Ana Ruiz, in 1998, met Bo Lind and Ana Ruiz.") == [
        "The name of Ana Ruiz is Ana Ruiz.",
        "The name of Bo Lind is Bo Lind.",
    ]
    assert identity_bridge("glons are larger than femps in 1998") == []


TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from("Ana de Cruz owns the 3 May 1998 of lamp . , ' \n {{ é 日本".split(" ")),
        max_size=12,
    ).map(" ".join),
)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_reversal_keeps_every_word_and_name(text: str) -> None:
    for turned in entity_reversal(text):
        assert sorted(word.text for word in words(turned)) == sorted(
            word.text for word in words(text)
        )
        for entity in entities(text):
            assert entity.text in turned


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_a_bridge_speaks_of_names_of_the_fact_alone(text: str) -> None:
    names = [entity.text for entity in entities(text) if not is_number(entity.text)]
    assert identity_bridge(text) == [
        f"The name of {name} is {name}." for name in dict.fromkeys(names)
    ]


@given(TEXTS, st.sampled_from(sorted(FUNCTIONS)))
def test_the_same_text_gives_the_same(text: str, name: str) -> None:
    assert FUNCTIONS[name](text) == FUNCTIONS[name](text)
