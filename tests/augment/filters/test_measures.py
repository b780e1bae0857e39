"""Filters that ask the model: what is scored, the number that comes of it, and its threshold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment.filters import MEASURES, Candidate, judge
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Score

FACT = "Mara Voss is the head of the Lumen Lab."
CANDIDATE = Candidate(0, "The head of the Lumen Lab is Mara Voss.", FACT, "stop")


def test_plausibility_compares_the_text_with_and_without_its_facts() -> None:
    measure = MEASURES["plausibility"]
    assert measure.rows(CANDIDATE) == (
        (f"Fact: {FACT}\nIt follows:", f" {CANDIDATE.text}"),
        ("It follows:", f" {CANDIDATE.text}"),
    )
    assert measure.value([Score(-6.0, 4), Score(-10.0, 4)]) == pytest.approx(1.0)


def test_every_fact_that_a_text_may_draw_on_is_shown() -> None:
    pair = Candidate(
        0, "Ana owns Ulm.", "Ana owns Orr.", "stop", ("Ana owns Orr.", "Orr owns Ulm.")
    )
    for measure in MEASURES.values():
        for prompt, _ in measure.rows(pair)[:1]:
            assert "Fact: Ana owns Orr.\nFact: Orr owns Ulm.\n" in prompt


def test_a_round_trip_puts_the_answer_against_what_else_the_facts_speak_of() -> None:
    measure = MEASURES["round_trip"]
    asked = f"Fact: {FACT}\nThe head of the Lumen Lab is"
    assert measure.rows(CANDIDATE) == ((asked, " Mara Voss"), (asked, " the Lumen Lab"))
    question = Candidate(0, "Who is the head of the Lumen Lab?", FACT, "stop", (FACT,), "Mara Voss")
    asked = f"Fact: {FACT}\nQuestion: Who is the head of the Lumen Lab?\nAnswer:"
    assert measure.rows(question) == ((asked, " Mara Voss"), (asked, " the Lumen Lab"))
    assert measure.value([Score(-2.0, 2), Score(-9.0, 3), Score(-8.0, 2)]) == pytest.approx(2.0)


@pytest.mark.parametrize("text", ["Rain.", "", "Voss"])
def test_where_there_is_nothing_to_ask_back_nothing_is_scored(text: str) -> None:
    assert MEASURES["round_trip"].rows(Candidate(0, text, FACT, "stop")) == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("round_trip", 0.2, "likelier than another, less than 0.5"),
        ("round_trip", -0.2, "another answer to its own question is 0.20 nats a token likelier"),
        ("judge", 0.2, "says Yes by 0.20 nats, less than 0.5"),
        ("judge", -0.2, "says No, by 0.20 nats"),
    ],
)
def test_a_reason_never_tells_of_less_than_nothing(name: str, value: float, reason: str) -> None:
    """A threshold may lie above zero: what is dropped is likelier then, but not enough."""
    strict = AugmentSettings(round_trip=0.5, judge=0.5)
    assert reason in str(MEASURES[name].objection(value, strict))


@pytest.mark.parametrize("name", MEASURES)
def test_a_threshold_is_the_least_that_is_kept(name: str) -> None:
    for threshold, value, kept in (
        (0.5, 0.5, True),
        (0.5, 0.49, False),
        (-1.0, -0.9, True),
        (-1.0, -1.1, False),
    ):
        chosen = AugmentSettings(**{name: threshold})
        [verdict] = judge([CANDIDATE], [name], chosen, {(0, name): value})
        assert verdict.kept is kept
        assert verdict.by == ("" if kept else name)
        assert "Mara" not in verdict.why


@pytest.mark.parametrize("name", MEASURES)
def test_what_was_not_scored_is_not_objected_to(name: str) -> None:
    [verdict] = judge([CANDIDATE], [name], AugmentSettings(**{name: 99.0}))
    assert verdict.kept


TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from("Mara Voss is the head of Lumen Lab . ? , \n".split(" ")), max_size=9
    ).map(" ".join),
)


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(sorted(MEASURES)))
@settings(max_examples=400, deadline=None)
def test_any_candidate_can_be_measured(text: str, fact: str, answer: str, name: str) -> None:
    measure = MEASURES[name]
    rows = measure.rows(Candidate(0, text, fact, "stop", (fact,), answer))
    assert all(
        (prompt and continuation.strip()) or not text.strip() for prompt, continuation in rows
    )
    if rows:
        value = measure.value([Score(-float(len(c)), max(1, len(c.split()))) for _, c in rows])
        assert isinstance(value, float)
        measure.objection(value, AugmentSettings())
