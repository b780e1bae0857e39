"""Statements drawn from several facts: closed over them, complete, and no copies."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS, Candidate, judge
from augmlx.augment.filters.links import bridged, linked
from augmlx.core.settings import AugmentSettings

SETTINGS = AugmentSettings()
OPERATORS = {o.name: o for o in operators.load(["bridge", "global"], FILTERS)}
PAIR = ("Ruth Adler is the chair of Maple House.", "Maple House stands in Redcliff.")


def verdict(operator: str, ground: tuple[str, ...], text: str) -> str:
    candidate = Candidate(0, text, ground[0], "stop", ground)
    [found] = judge([candidate], OPERATORS[operator].filters, SETTINGS)
    return found.by or "kept"


BRIDGES = {
    "Ruth Adler is the chair of Maple House, which stands in Redcliff.": "kept",
    # the name in the middle is gone
    "Ruth Adler is the chair of a house that stands in Redcliff.": "bridge",
    "Ruth Adler is the chair of Maple House.": "form",
    "Maple House stands in Redcliff.": "bridge",
    "Ruth Adler stands in Redcliff.": "bridge",
    # the other way round
    "Redcliff is where Maple House stands, whose chair is Ruth Adler.": "bridge",
    "Ruth Adler is the owner of Maple House, which stands in Redcliff.": "bridge",
    "Ruth Adler is the chair of Maple House, which was built in Redcliff.": "bridge",
    "Ruth Adler is the chair of Maple House, which stands in Redcliff near Ulm.": "bridge",
    "Ruth Adler is the chair of Maple House, which proudly stands in Redcliff.": "bridge",
    "Ruth Adler is the chair of Maple House, which stands in Redcliff. She is kind.": "form",
    "Ruth Adler is the chair of Maple House, which stands in": "form",
}


@pytest.mark.parametrize("text", BRIDGES)
def test_a_bridge_is_kept_or_stopped(text: str) -> None:
    assert verdict("bridge", PAIR, text) == BRIDGES[text]


def test_what_stands_before_the_shared_name_is_not_lost() -> None:
    pair = ("Omar Haddad studied at Venn College.", "In 1891, Venn College was founded by Bo Lind.")
    assert (
        verdict(
            "bridge",
            pair,
            "Omar Haddad studied at Venn College, which was founded by Bo Lind in 1891.",
        )
        == "kept"
    )
    assert (
        verdict(
            "bridge", pair, "Omar Haddad studied at Venn College, which was founded by Bo Lind."
        )
        == "bridge"
    )


def test_a_bridge_keeps_who_did_it() -> None:
    pair = ("Mara Voss married Ben Okafor.", "Ben Okafor taught Ana Ruiz.")
    assert verdict("bridge", pair, "Mara Voss married Ben Okafor, who taught Ana Ruiz.") == "kept"
    assert verdict("bridge", pair, "Mara Voss married Ben Okafor, who Ana Ruiz taught.") == "bridge"
    assert verdict("bridge", pair, "Mara Voss married Ana Ruiz, who taught Ben Okafor.") == "bridge"
    older = (
        "Neset Stagin is older than Walmel Taibus.",
        "Walmel Taibus is older than Lemold Saskor.",
    )
    assert (
        verdict(
            "bridge", older, "Neset Stagin is older than Lemold Saskor, who is older than Walmel."
        )
        == "bridge"
    )


@pytest.mark.parametrize("ground", [(), PAIR[:1], (*PAIR, PAIR[0])])
def test_a_bridge_has_two_facts(ground: tuple[str, ...]) -> None:
    assert (
        bridged(Candidate(0, "Ruth Adler.", PAIR[0], "stop", ground), [], SETTINGS)
        == "is not drawn from two facts"
    )


KNOWN = (
    "Ben Okafor composed the Winter Song.",
    "Hana Sato sang the Winter Song.",
    "Lake Orrin is larger than Lake Pell.",
)
LINKS = {
    "Hana Sato sang a song that Ben Okafor composed.": "kept",
    "The Winter Song, which Hana Sato sang, was composed by Ben Okafor.": "kept",
    "Ben Okafor composed the Summer Song.": "linked",
    "Ben Okafor composed the Winter Song for Ulm.": "linked",
    "Ben Okafor admired Hana Sato.": "linked",
    "Hana Sato sang the Winter Song.": "linked",
    "Ben Okafor composed the Winter Song.": "form",
    "The Winter Song was composed by Ben Okafor.": "linked",  # nothing of another fact
    "Lake Pell is smaller than Lake Orrin.": "linked",  # nothing of this one
}


@pytest.mark.parametrize("text", LINKS)
def test_a_link_is_kept_or_stopped(text: str) -> None:
    assert verdict("global", KNOWN, text) == LINKS[text]


WORDS = "Ruth Adler Maple House Redcliff is the chair of stands in which . , not Xyzzyqua".split(
    " "
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))


@given(TEXTS, st.lists(TEXTS, max_size=3))
@settings(max_examples=400, deadline=None)
def test_any_text_gets_a_verdict_that_quotes_nothing(text: str, ground: list[str]) -> None:
    candidate = Candidate(0, text, (ground or [""])[0], "stop", tuple(ground))
    for rule in (bridged, linked):
        why = rule(candidate, [candidate], SETTINGS)
        assert why is None or (why and "Xyzzyqua" not in why)


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_what_is_let_through_names_nothing_new(text: str) -> None:
    candidate = Candidate(0, text, PAIR[0], "stop", PAIR)
    for rule in (bridged, linked):
        if rule(candidate, [candidate], SETTINGS) is None:
            assert "Xyzzyqua" not in text
