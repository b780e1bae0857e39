"""The filters of the shipped operators: a table of cases, a grid of verbs, and laws over arbitrary
text.
"""

from __future__ import annotations

import ast
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS, Candidate, judge
from augmlx.core.settings import AugmentSettings
from tests.augment.filters import cases

SETTINGS = AugmentSettings()
OPERATORS = {
    operator.name: operator for operator in operators.load(["reversal", "rephrase"], FILTERS)
}


def verdict(operator: str, source: str, text: str, finish: str = "stop") -> str:
    found = judge([Candidate(0, text, source, finish)], OPERATORS[operator].filters, SETTINGS)[0]
    return found.by or "kept"


def table(text: str) -> list[tuple[str, str, str]]:
    rows, source = [], ""
    for line in filter(str.strip, text.splitlines()):
        if line[0] != " ":
            source = line
            continue
        expected, _, candidate = line.strip().partition(" ")
        candidate = candidate.strip()
        rows.append(
            (
                source,
                ast.literal_eval(candidate) if candidate.startswith("'") else candidate,
                expected,
            )
        )
    return rows


@pytest.mark.parametrize(("source", "candidate", "expected"), table(cases.REVERSAL))
def test_a_reversal_is_kept_or_stopped_by_the_right_filter(
    source: str, candidate: str, expected: str
) -> None:
    assert verdict("reversal", source, candidate) == expected


@pytest.mark.parametrize(("source", "candidate", "expected"), table(cases.REPHRASE))
def test_a_rephrasing_is_kept_or_stopped_by_the_right_filter(
    source: str, candidate: str, expected: str
) -> None:
    assert verdict("rephrase", source, candidate) == expected


def test_the_tables_are_wide_enough() -> None:
    assert len(table(cases.REVERSAL)) + len(table(cases.REPHRASE)) >= 220


# past, participle, agent: none of them is a synonym or an inverse in the lexicon, save that some of
# its rows name the agent.
VERBS = """designed designed designer
built built builder
drove driven driver
sang sung singer
ran run runner
trained trained trainer
discovered discovered discoverer
ordered ordered orderer
edited edited editor
directed directed director
bred bred breeder
carried carried carrier
used used user
planned planned planner
sponsored sponsored sponsor
monitored monitored monitor
translated translated translator
carved carved carver
kept kept keeper"""
A_FIRST = (
    "{a} {past} {b}.",
    "{a} was the {agent} of {b}.",
    "{a} was {b}'s {agent}.",
    "{a} has {participle} {b}.",
)
B_FIRST = ("{b} was {participle} by {a}.", "The {agent} of {b} was {a}.", "{b}'s {agent} was {a}.")
NAMES = [
    ("Mara Voss", "Zorb"),
    ("Sean O'Neil", "Dr. Lee"),
    ("St. Olav", "J. R. Tate"),
    ("Jean-Luc", "Mara Lind"),
]


@pytest.mark.parametrize("verb", VERBS.splitlines(), ids=lambda verb: verb.split()[0])
@pytest.mark.parametrize(("one", "two"), NAMES)
def test_every_form_of_a_verb_is_told_from_its_swap(verb: str, one: str, two: str) -> None:
    past, participle, agent = verb.split()

    def say(form: str, a: str, b: str) -> str:
        return form.format(a=a, b=b, past=past, participle=participle, agent=agent)

    for before, after in [*product(A_FIRST, B_FIRST), *product(B_FIRST, A_FIRST)]:
        assert verdict("reversal", say(before, one, two), say(after, one, two)) == "kept", (
            before,
            after,
        )
    for forms in (A_FIRST, B_FIRST):
        for before, after in product(forms, forms):
            source, wrong = say(before, one, two), say(after, two, one)
            assert verdict("reversal", source, wrong) == "swap", (before, after)
            if before != after:
                assert verdict("rephrase", source, say(after, one, two)) == "kept", (before, after)
    for before, after in [*product(A_FIRST, B_FIRST), *product(B_FIRST, A_FIRST)]:
        assert verdict("rephrase", say(before, one, two), say(after, two, one)) == "meaning", (
            before,
            after,
        )


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("more dangerous", "less dangerous"),
        ("larger", "smaller"),
        ("heavier", "less heavy"),
        ("older", "younger"),
        ("better", "worse"),
        ("more expensive", "less expensive"),
        ("faster", "slower"),
        ("brighter", "less bright"),
    ],
)
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("glons", "femps"),
        ("Glons", "femps"),
        ("The glons", "the femps"),
        ("Lake Orrin", "Lake Pell"),
    ],
)
def test_a_comparison_turns_round_only_with_its_degree(
    more: str, less: str, one: str, two: str
) -> None:
    a, b = one, two[0].upper() + two[1:]
    low = one if one == "Lake Orrin" else one.lower()
    for up, down in ((more, less), (less, more)):
        source = f"{a} are {up} than {two}."
        assert verdict("reversal", source, f"{b} are {down} than {low}.") == "kept"
        assert verdict("reversal", source, f"{b} are {up} than {low}.") == "swap"
        assert verdict("rephrase", source, f"{a} are {down} than {two}.") == "meaning"


def test_every_exemplar_of_the_reversal_passes_its_own_filters() -> None:
    for exemplar in OPERATORS["reversal"].exemplars:
        assert verdict("reversal", exemplar.fact, exemplar.result) == "kept", exemplar.fact


def test_a_text_cut_off_at_the_token_limit_is_not_kept() -> None:
    assert verdict("reversal", "Ana owns Zorb", "Zorb is owned by Ana", finish="length") == "form"


# Votes: what is left after logic is counted.


def judged(*texts: str, source: str = "Ana owns Zorb.", **changed: float) -> list[str]:
    candidates = [Candidate(sample, text, source, "stop") for sample, text in enumerate(texts)]
    verdicts = judge(candidates, OPERATORS["reversal"].filters, AugmentSettings(**changed))
    return [verdict.by or "kept" for verdict in verdicts]


def test_a_swap_cannot_win_the_vote() -> None:
    swap, right = "Zorb owns Ana.", "Zorb is owned by Ana."
    assert judged(swap, swap, swap, right) == ["swap", "swap", "swap", "kept"]


def test_a_vote_share_lies_where_it_is_written() -> None:
    """Fourteen of 25 are 0.56 of them, though 0.56 * 25 is 14.000000000000002 in floats."""
    said = ["Zorb is owned by Ana."] * 14 + ["Zorb is kept by Ana."] * 11
    candidates = [Candidate(n, text, "Ana owns Zorb.", "stop") for n, text in enumerate(said)]
    settings = AugmentSettings(vote_share=0.56, keep=25)
    kept = [verdict.kept for verdict in judge(candidates, ["vote"], settings)]
    assert kept == [True] * 14 + [False] * 11


def test_the_minority_is_outvoted_and_another_tense_is_dropped() -> None:
    texts = ("Zorb is owned by Ana.", "Zorb was owned by Ana.", "Zorb belongs to Ana.")
    assert judged(*texts) == ["kept", "turned", "kept"]
    again = (texts[0], texts[0], texts[2])
    assert judged(*again) == ["kept", "duplicate", "vote"]


def test_no_more_than_the_limit_is_kept() -> None:
    texts = ("Zorb is owned by Ana.", "Zorb belongs to Ana.", "The owner of Zorb is Ana.")
    assert judged(*texts, vote_share=0.0) == ["kept", "kept", "keep"]
    assert judged(*texts, vote_share=0.0, keep=1) == ["kept", "keep", "keep"]


# Laws

WORDS = (
    "Ana Zorb Ben the a of by is was owns owned owner not more less than larger 3.5 's . , { "
    "} {{ }} \n"
).split(" ")
SENTENCES = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join)
)
NAME_LISTS = st.lists(st.sampled_from(sorted(FILTERS)), max_size=6)


@given(SENTENCES, st.lists(SENTENCES, max_size=5), NAME_LISTS, st.sampled_from(["stop", "length"]))
@settings(max_examples=400, deadline=None)
def test_any_text_gets_one_verdict_in_order_and_never_an_exception(
    source: str, texts: list[str], names: list[str], finish: str
) -> None:
    candidates = [Candidate(sample, text, source, finish) for sample, text in enumerate(texts)]
    verdicts = judge(candidates, names, SETTINGS)
    assert [v.candidate for v in verdicts] == candidates
    assert all(v.kept == (v.why == "") for v in verdicts)
    assert sum(v.kept for v in verdicts) <= SETTINGS.keep


@given(SENTENCES, SENTENCES)
@settings(max_examples=300, deadline=None)
def test_judging_twice_and_in_between_gives_the_same(source: str, text: str) -> None:
    before = verdict("reversal", source, text)
    verdict("reversal", text, source)
    verdict("rephrase", source, text)
    assert verdict("reversal", source, text) == before


SECRET = "Xyzzyqua"


@given(st.lists(st.sampled_from([*WORDS, SECRET]), max_size=10).map(" ".join), st.data())
@settings(max_examples=200, deadline=None)
def test_a_reason_never_quotes_the_user(text: str, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([f"{SECRET} owns Zorb.", f"Ana knows {SECRET}.", SECRET]))
    for operator in OPERATORS.values():
        for found in judge([Candidate(0, text, source, "stop")], operator.filters, SETTINGS):
            assert SECRET.lower() not in found.why.lower()
