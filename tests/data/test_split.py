"""Leak-safe: no group stands in two parts, and every original is trained on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from augmlx.core.decimals import times
from augmlx.core.records import Example, Fact, Origin, original
from augmlx.core.settings import SplitSettings
from augmlx.data.split import AUTO_TEST, Dealt, group_of
from augmlx.data.split import deal as deal_out
from augmlx.data.split import test_share as share_of_test
from augmlx.english.text import normalise

NAMES = ["Ana", "Ben", "Carla", "Dario", "Emil", "Freya"]


def fact(number: int, group: str | None = None, text: str | None = None) -> Fact:
    said = text or f"{NAMES[number % 6]} {'Voss' if number < 6 else f'Renn {number}'} owns Zorb."
    return Fact(f"f{number}", said, f"facts.csv:{number}", group)


def augmented(facts: list[Fact], each: int = 2) -> list[Example]:
    origin = [
        Origin((f.id,), "reversal", "scripted", "script", 0, s, "")
        for f in facts
        for s in range(each)
    ]
    return [
        Example(f"{o.fact_ids[0]}/{o.sample}", f"{o.fact_ids[0]} {o.sample}", o) for o in origin
    ]


@dataclass
class Split:
    train: list[Example]
    valid: list[Example]
    test: list[Example]


def dealt(
    facts: list[Fact], made: list[Example], settings: SplitSettings, **given: Any
) -> list[Dealt]:
    return list(
        deal_out(facts, lambda: made, settings, **{"has_questions": False, "seed": 0, **given})
    )


def split(facts: list[Fact], made: list[Example], settings: SplitSettings, **given: Any) -> Split:
    parts: dict[str, list[Example]] = {"train": [], "valid": [], "test": []}
    for item in dealt(facts, made, settings, **given):
        parts[item.part].append(item.example)
    return Split(**parts)


def deal(facts: list[Fact], seed: int = 0, *, questions: bool = False, **shares: float) -> Split:
    return split(
        facts, augmented(facts), SplitSettings(**shares), has_questions=questions, seed=seed
    )


FACT_LISTS = st.lists(st.sampled_from([None, "x", "y", "z"]), min_size=1, max_size=30).map(
    lambda groups: [fact(number, group) for number, group in enumerate(groups)]
)
SHARES = st.tuples(st.floats(0, 0.6), st.floats(0, 0.39)).map(
    lambda pair: {"test": pair[0], "valid": pair[1]}
)


@given(FACT_LISTS, SHARES, st.integers(0, 5))
def test_nothing_is_lost_and_no_group_stands_in_two_parts(
    facts: list[Fact], shares: dict[str, float], seed: int
) -> None:
    parts = deal(facts, seed, **shares)
    everything = [*map(original, facts), *augmented(facts)]
    assert Counter(
        e.id for part in (parts.train, parts.valid, parts.test) for e in part
    ) == Counter(e.id for e in everything)
    assert parts.train[: len(facts)] == [original(f) for f in facts]
    home = {f.id: group_of(f) for f in facts}
    groups = [
        {home[e.origin.fact_ids[0]] for e in part if e.origin.operator != "original"}
        for part in (parts.train, parts.valid, parts.test)
    ]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert groups[0], "something that was augmented is always trained on"


@given(FACT_LISTS, SHARES, st.integers(0, 5))
def test_shares_are_shares_of_the_groups(
    facts: list[Fact], shares: dict[str, float], seed: int
) -> None:
    parts = deal(facts, seed, **shares)
    home = {f.id: group_of(f) for f in facts}
    count = len(set(home.values()))
    left = count - 1
    for part, share in ((parts.test, shares["test"]), (parts.valid, shares["valid"])):
        held = len({home[e.origin.fact_ids[0]] for e in part})
        assert held == (min(max(1, round(share * count)), left) if share else 0)
        left -= held


@given(FACT_LISTS, st.integers(0, 5))
def test_the_order_of_the_facts_does_not_matter(facts: list[Fact], seed: int) -> None:
    mixed = list(facts)
    Random(seed).shuffle(mixed)
    one, other = deal(facts, seed, test=0.3), deal(mixed, seed, test=0.3)
    assert {e.id for e in one.test} == {e.id for e in other.test}


def test_the_seed_decides_who_is_held_out() -> None:
    facts = [fact(n) for n in range(30)]
    assert deal(facts, 1) == deal(facts, 1)
    assert {e.id for e in deal(facts, 1).test} != {e.id for e in deal(facts, 2).test}


def test_a_single_group_is_trained_on_and_nothing_is_held_out() -> None:
    for facts in ([fact(0)], [fact(n, "x") for n in range(5)]):
        parts = deal(facts, test=0.5, valid=0.3)
        assert (len(parts.train), parts.valid, parts.test) == (3 * len(facts), [], [])


def test_two_groups_give_one_to_the_test_before_valid() -> None:
    parts = deal([fact(0), fact(1)], test=0.1, valid=0.1)
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (4, 0, 2)


def test_no_facts_give_an_empty_split() -> None:
    assert deal([]) == Split([], [], [])


@pytest.mark.parametrize(
    ("test", "questions", "share"),
    [("auto", False, AUTO_TEST), ("auto", True, 0.0), (0.0, False, 0.0), (0.35, True, 0.35)],
)
def test_auto_holds_out_a_fifth_unless_there_are_questions(
    test: float | str, questions: bool, share: float
) -> None:
    assert (
        share_of_test(SplitSettings.model_validate({"test": test}), has_questions=questions)
        == share
    )


def test_an_example_of_two_facts_is_held_out_with_either() -> None:
    facts = [fact(n) for n in range(6)]
    pairs = [
        Example(
            f"{a.id}+{b.id}", f"{a.id} {b.id}", Origin((a.id, b.id), "chain", "s", "s", 0, 0, "")
        )
        for a in facts
        for b in facts
    ]
    parts = split(facts, pairs, SplitSettings(test=0.3, valid=0.2), has_questions=False, seed=0)
    held = {e.origin.fact_ids[0] for e in parts.test if len(set(e.origin.fact_ids)) == 1}
    assert len(held) == 2
    assert all(held & set(e.origin.fact_ids) for e in parts.test)
    assert not any(held & set(e.origin.fact_ids) for e in [*parts.valid, *parts.train[6:]])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (fact(0, text="Ana owns Zorb."), fact(1, text="Ana knows Ben."), True),
        (fact(0, text="The Lab hired Ben."), fact(1, text="The lab owns Zorb."), True),
        (fact(0, text="Ana owns Zorb."), fact(1, text="Ben knows Ana."), False),
        (fact(0, "x", "Ana owns Zorb."), fact(1, "x", "Ben knows Emil."), True),
        (fact(0, "x", "Ana owns Zorb."), fact(1, "y", "Ana knows Emil."), False),
        (fact(0, text="Rain."), fact(1, text="Rain."), False),
        (fact(0, "f1", "Rain."), fact(1, text="Rain."), False),
    ],
)
def test_facts_share_a_group_by_the_users_word_or_by_their_subject(
    one: Fact, other: Fact, same: bool
) -> None:
    assert (group_of(one) == group_of(other)) == same


def test_what_another_fact_says_in_the_same_words_is_never_held_out() -> None:
    facts = [fact(1, text="Ana owns Zorb."), fact(2, text="Zorb is owned by Ana.")]
    turned = [
        Example(
            "f1/reversal/0", "Zorb is owned by Ana!", Origin(("f1",), "reversal", "", "", 0, 0, "")
        ),
        Example("f2/reversal/0", "Ana owns Zorb.", Origin(("f2",), "reversal", "", "", 0, 0, "")),
    ]
    parts = split(facts, turned, SplitSettings(test=0.5), has_questions=False, seed=0)
    assert parts.test == []
    assert len(parts.train) == 4


SAID = st.sampled_from(
    [
        "Zorb is Ana's.",
        "ZORB is Ana s",
        "Zorb is owned.",
        "Ben owns Zorb.",
        "Ana Voss owns Zorb.",
        "?",
    ]
)


@given(FACT_LISTS, st.data(), SHARES, st.integers(0, 5))
def test_no_text_stands_in_two_parts_and_nothing_is_lost(
    facts: list[Fact], data: st.DataObject, shares: dict[str, float], seed: int
) -> None:
    made = [Example(e.id, data.draw(SAID), e.origin) for e in augmented(facts)]
    parts = split(facts, made, SplitSettings(**shares), has_questions=False, seed=seed)
    train, valid, test = (
        {normalise(e.text) for e in part} for part in (parts.train, parts.valid, parts.test)
    )
    assert not train & valid
    assert not train & test
    assert not valid & test
    originals = [original(fact) for fact in facts]
    assert parts.train[: len(facts)] == originals
    everything = [*parts.train, *parts.valid, *parts.test]
    assert sorted(everything, key=lambda e: e.id) == sorted([*originals, *made], key=lambda e: e.id)


def test_what_another_facts_augmentation_trains_on_is_never_held_out() -> None:
    facts = [fact(n) for n in range(6)]
    same = [
        Example(e.id, "Zorb has an owner" + "!" * n, e.origin)
        for n, e in enumerate(augmented(facts))
    ]
    parts = split(facts, same, SplitSettings(test=0.3, valid=0.3), has_questions=False, seed=0)
    assert (len(parts.train), parts.valid, parts.test) == (18, [], [])


def test_what_the_test_and_valid_share_is_left_to_the_test() -> None:
    facts = [fact(n) for n in range(3)]
    plain = deal(facts, test=0.3, valid=0.3)
    held = {e.id for e in (*plain.valid, *plain.test)}
    made = [
        Example(e.id, "Shared." if e.id in held else e.text, e.origin) for e in augmented(facts)
    ]
    parts = split(facts, made, SplitSettings(test=0.3, valid=0.3), has_questions=False, seed=0)
    assert len(plain.valid) == len(plain.test) == 2
    assert {e.id for e in parts.test} == held
    assert parts.valid == []
    assert parts.train == plain.train


def test_what_every_operator_augmented_is_held_out_first() -> None:
    facts = [fact(number) for number in range(12)]
    turned = [
        Example(
            f"f{n}/{operator}/0", f"{operator} {n}", Origin((f"f{n}",), operator, "", "", 0, 0, "")
        )
        for n in range(12)
        for operator in (("reversal", "rephrase") if n in (3, 8) else ("rephrase",))
    ]
    for seed in range(5):
        parts = split(facts, turned, SplitSettings(test=0.2), has_questions=False, seed=seed)
        assert {example.origin.fact_ids[0] for example in parts.test} == {"f3", "f8"}


@given(FACT_LISTS, st.integers(1, 4), st.integers(0, 4), st.floats(0, 3), st.integers(0, 5))
@example([fact(0)], 2, 0, 1.9999999999999996, 0)  # one, not the two that a rounded product gives
@example([fact(n) for n in range(100)], 1, 0, 0.29, 0)  # 29, where floats give 28.999999999999996
def test_limits_leave_out_the_rest_and_lose_nothing(
    facts: list[Fact], each: int, per_fact: int, ratio: float, seed: int
) -> None:
    made = augmented(facts, each)
    items = dealt(facts, made, SplitSettings(test=0, per_fact=per_fact, ratio=ratio), seed=seed)
    assert [i.example for i in items] == [*map(original, facts), *made]
    taken = [i.example for i in items[len(facts) :] if i.part == "train"]
    assert all(bool(i.why) == (i.part == "left out") for i in items)
    count = Counter(e.origin.fact_ids[0] for e in taken)
    assert not per_fact or max(count.values(), default=0) <= per_fact
    most = times(ratio, len(facts))
    assert not ratio or len(taken) <= most
    expected = sum(min(each, per_fact or each) for _ in facts)
    assert len(taken) == (min(expected, int(most)) if ratio else expected)
    if taken and len(count) == len(facts):  # nobody gets a second before everybody has a first
        assert max(count.values()) - min(count.values()) <= 1


def test_a_limit_takes_each_operators_first_before_a_second() -> None:
    facts = [fact(0)]
    made = [
        Example(f"f0/{name}/{n}", f"{name} {n}", Origin(("f0",), name, "", "", 0, n, ""))
        for name in ("reversal", "rephrase")
        for n in range(3)
    ]
    items = dealt(facts, made, SplitSettings(test=0, per_fact=3))
    assert [i.example.id for i in items if i.part == "train"][1:] == [
        "f0/reversal/0",
        "f0/reversal/1",
        "f0/rephrase/0",
    ]


def test_what_states_a_question_and_its_answer_is_left_out_on_request() -> None:
    facts = [fact(n) for n in range(3)]
    made = augmented(facts, 1)
    asked = [made[1].text.upper() + "."]
    dropped = dealt(facts, made, SplitSettings(leak="drop"), asked=asked, has_questions=True)
    assert [i.example.id for i in dropped if i.part == "left out"] == [made[1].id]
    assert all(
        i.part == "train"
        for i in dealt(facts, made, SplitSettings(), asked=asked, has_questions=True)
    )


def test_a_leak_is_known_by_who_stands_in_which_relation_to_whom() -> None:
    facts = [fact(0, text="Ana Voss owns the Bor mill.")]
    origin = Origin(("f0",), "reversal", "s", "s", 0, 0, "")
    turned = Example("f0/reversal/0", "The Bor mill is owned by Ana Voss.", origin)
    same_way = Example("f0/rephrase/0", "Ana Voss is the owner of the Bor mill.", origin)
    asked = ["The Bor mill was owned by Ana Voss"]
    given = {"asked": asked, "has_questions": True}
    items = dealt(facts, [turned, same_way], SplitSettings(leak="drop"), **given)
    assert [i.example.id for i in items if i.part == "left out"] == ["f0/reversal/0"]


def test_a_question_that_is_trained_on_with_its_answer_is_no_less_a_leak() -> None:
    facts = [fact(n) for n in range(2)]
    row = {"prompt": "Who runs the Zorb depot?", "completion": "Ana"}
    text = "Question: Who runs the Zorb depot?\nAnswer: Ana"
    made = [Example("f0/qa/0", text, Origin(("f0",), "qa", "", "", 0, 0, ""), row)]
    asked = ["Who runs the Zorb depot? Ana"]
    dropped = dealt(facts, made, SplitSettings(leak="drop"), asked=asked, has_questions=True)
    assert [i.example.id for i in dropped if i.part == "left out"] == ["f0/qa/0"]
