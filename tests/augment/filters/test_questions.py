"""Questions and their answers, held to the fact they were made from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS, Candidate, judge
from augmlx.augment.filters.questions import declarative, objection
from augmlx.augment.operators import answer_of
from augmlx.core.settings import AugmentSettings

SETTINGS = AugmentSettings()
OPERATORS = {o.name: o for o in operators.load(["qa-forward", "qa-reverse"], FILTERS)}


def verdict(operator: str, fact: str, question: str) -> str:
    answer = answer_of(OPERATORS[operator], fact)
    [found] = judge(
        [Candidate(0, question, fact, "stop", (fact,), answer)],
        OPERATORS[operator].filters,
        SETTINGS,
    )
    return found.by or "kept"


HEAD = "Mara Voss is the head of the Lumen Lab."
MADE = "Yusuf Adel designed the Heron lamp."
BUILT = "The old bridge was built by Hana Sato."
LARGER = "Lake Orrin is larger than Lake Pell."
LIVES = "Julia Stone lives in Redcliff."
# (operator, fact, question): whether it is kept
CASES = {
    ("qa-forward", HEAD, "Who is Mara Voss?"): "kept",
    ("qa-reverse", HEAD, "Who is the head of the Lumen Lab?"): "kept",
    ("qa-forward", HEAD, "Who is the head of the Lumen Lab?"): "question",  # the other one's
    ("qa-reverse", HEAD, "Who is Mara Voss?"): "question",
    ("qa-reverse", HEAD, "Who owns the Lumen Lab?"): "question",  # another relation
    ("qa-reverse", HEAD, "Who is the head of the Heron Lab?"): "question",
    (
        "qa-reverse",
        HEAD,
        "Is Mara Voss the head of the Lumen Lab?",
    ): "question",  # gives its answer away
    ("qa-reverse", HEAD, "Mara Voss is the head of the Lumen Lab."): "form",
    ("qa-reverse", HEAD, "The Lumen Lab has a head."): "question",
    ("qa-reverse", HEAD, ""): "form",
    ("qa-forward", MADE, "What did Yusuf Adel design?"): "kept",
    ("qa-reverse", MADE, "Who designed the Heron lamp?"): "kept",
    ("qa-reverse", MADE, "Who did the Heron lamp design?"): "question",  # a swap
    ("qa-forward", MADE, "Who designed Yusuf Adel?"): "question",
    ("qa-forward", MADE, "What did Yusuf Adel not design?"): "question",
    ("qa-forward", BUILT, "By whom was the old bridge built?"): "kept",
    ("qa-forward", BUILT, "Who was the old bridge built by?"): "kept",
    ("qa-reverse", BUILT, "What was built by Hana Sato?"): "kept",
    ("qa-reverse", BUILT, "What built Hana Sato?"): "question",
    ("qa-forward", LARGER, "What is Lake Orrin larger than?"): "kept",
    ("qa-reverse", LARGER, "What is larger than Lake Pell?"): "kept",
    ("qa-reverse", LARGER, "What is smaller than Lake Pell?"): "question",
    ("qa-forward", LARGER, "What is larger than Lake Orrin?"): "question",
    ("qa-forward", LIVES, "Where does Julia Stone live?"): "kept",
    ("qa-reverse", LIVES, "Who lives in Redcliff?"): "kept",
    ("qa-reverse", LIVES, "Who lives in Redcliff in 1998?"): "question",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[2]}")
def test_a_question_is_kept_or_stopped(case: tuple[str, str, str]) -> None:
    assert verdict(*case) == CASES[case]


DECLARED = {
    (
        "Who composed the Winter Song?",
        "Ben Okafor",
        "the Winter Song",
    ): "Ben Okafor composed the Winter Song.",
    (
        "What did Ben Okafor compose?",
        "the Winter Song",
        "Ben Okafor",
    ): "Ben Okafor compose the Winter Song.",
    (
        "What is Lake Orrin larger than?",
        "Lake Pell",
        "Lake Orrin",
    ): "Lake Orrin is larger than Lake Pell.",
    (
        "By whom was the bridge built?",
        "Hana Sato",
        "The bridge",
    ): "the bridge was built by Hana Sato.",
    (
        "Who is Ruth Adler?",
        "the chair of Maple House",
        "Ruth Adler",
    ): "Ruth Adler is the chair of Maple House.",
    (
        "Which lake is larger than Lake Pell?",
        "Lake Orrin",
        "Lake Pell",
    ): "Lake Orrin is larger than Lake Pell.",
    ("Who composed it", "Ben", "it"): None,
    ("Is Ruth Adler here?", "Ben", "Ruth Adler"): None,
    ("?", "Ben", "Ruth Adler"): None,
}


@pytest.mark.parametrize("asked", DECLARED, ids=lambda asked: str(asked[0]))
def test_a_question_and_its_answer_make_a_statement(asked: tuple[str, str, str]) -> None:
    assert declarative(*asked) == DECLARED[asked]


def test_a_candidate_without_an_answer_is_no_question() -> None:
    assert (
        objection(Candidate(0, "Who is Mara Voss?", HEAD, "stop"), [], SETTINGS) == "has no answer"
    )


@pytest.mark.parametrize("text", ["Who is the head of the Lumen Lab, Mara Voss?"])
def test_a_question_that_holds_its_answer_is_told_so(text: str) -> None:
    found = objection(Candidate(0, text, HEAD, "stop", (HEAD,), "Mara Voss"), [], SETTINGS)
    assert found == "gives its answer away"


WORDS = [*"Who What is was did by the Mara Voss Lumen Lab head of ? than larger".split(), "", "."]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_any_question_gets_a_verdict_that_quotes_nothing(text: str, fact: str, answer: str) -> None:
    why = objection(Candidate(0, text, fact, "stop", (fact,), answer), [], SETTINGS)
    assert why is None or (why and "Lumen" not in why)


@given(TEXTS, st.sampled_from([HEAD, MADE, LARGER]), st.sampled_from(["first", "last"]))
@settings(max_examples=300, deadline=None)
def test_a_kept_question_never_holds_its_answer(text: str, fact: str, side: str) -> None:
    operator = OPERATORS["qa-reverse" if side == "first" else "qa-forward"]
    answer = answer_of(operator, fact)
    if objection(Candidate(0, text, fact, "stop", (fact,), answer), [], SETTINGS) is None:
        assert answer not in text
        assert text.strip().endswith("?")
