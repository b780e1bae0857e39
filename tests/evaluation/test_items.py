"""Questions: the answer is among the choices, and an item does not depend on its neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.errors import BadInput
from augmlx.core.records import EvalItem, Example, Fact, Origin
from augmlx.data.questions import Question
from augmlx.english.text import normalise
from augmlx.evaluation.items import derived, from_questions, link

PEOPLE = [
    "Mara Voss",
    "Sean O'Neil",
    "Dr. Ana Ruiz",
    "J. R. Hartley",
    "Jean-Luc",
    "Freya Mott",
    "Ivo Marsh",
]
FACTS = [
    Fact(f"f{n}", f"{name} runs the Zorb{n} depot.", f"facts.csv:{n}")
    for n, name in enumerate(PEOPLE)
]


def held_out(fact: Fact, text: str, operator: str = "reversal") -> Example:
    return Example(
        f"{fact.id}/{operator}/0", text, Origin((fact.id,), operator, "s", "s", 0, 0, "")
    )


REVERSED = [
    held_out(f, f"The Zorb{n} depot is run by {name}.")
    for n, (f, name) in enumerate(zip(FACTS, PEOPLE, strict=True))
]


def question(n: int, answer: str, kind: str = "forward", **changed: object) -> Question:
    values: dict[str, object] = {
        "choices": (),
        "aliases": (),
        "prompt": f"Question {n}?",
        **changed,
    }
    return Question(id=f"q{n}", answer=answer, kind=kind, source=f"q.csv:{n}", **values)  # type: ignore[arg-type]


QUESTIONS = [question(n, name) for n, name in enumerate(PEOPLE)]


def test_choices_hold_the_answer_and_no_answer_twice() -> None:
    for item in from_questions(QUESTIONS, 4, seed=0):
        assert item.choices.count(item.answer) == 1
        assert len(set(map(normalise, item.choices))) == len(item.choices) == 4
        assert set(item.choices) <= set(PEOPLE)


@given(st.permutations(QUESTIONS), st.integers(2, 9), st.integers(0, 3))
def test_the_order_of_the_questions_changes_no_item(
    mixed: list[Question], choices: int, seed: int
) -> None:
    expected = {item.id: item for item in from_questions(QUESTIONS, choices, seed=seed)}
    assert {item.id: item for item in from_questions(mixed, choices, seed=seed)} == expected


def test_the_answer_does_not_always_stand_first() -> None:
    many = [question(n, f"Name{n}") for n in range(100)]
    places = [item.choices.index(item.answer) for item in from_questions(many, 4, seed=0)]
    assert all(10 < places.count(place) < 45 for place in range(4))


def test_choices_come_from_the_same_kind() -> None:
    both = [*QUESTIONS, *(question(n + 50, f"Thing {n}", "reversal") for n in range(5))]
    for item in from_questions(both, 26, seed=0):
        assert all(
            choice.startswith("Thing") == (item.kind == "reversal") for choice in item.choices
        )


def test_a_choice_is_never_an_alias_or_another_spelling_of_the_answer() -> None:
    known = question(9, "Mara Voss", aliases=("Ivo Marsh",))
    items = from_questions([known, *QUESTIONS, question(10, "MARA  VOSS!")], 26, seed=0)
    assert set(items[0].choices) == {"Mara Voss", *PEOPLE[1:6]}
    assert items[0].aliases == ("Ivo Marsh",)


def test_what_the_same_prompt_has_for_another_answer_is_no_wrong_choice() -> None:
    who = {"prompt": "Who works at Zorb?"}
    both = [
        question(10, "Ana", aliases=("Sean O'Neil",), **who),
        question(11, "Ben", "reversal", prompt="who works at  ZORB", choices=("Ben", "Emil")),
        question(12, "Carla", choices=("Carla", "Emil"), **who),
        question(13, "Ben", prompt="Who works at Kiln?"),
    ]
    items = {item.id: item for item in from_questions([*both, *QUESTIONS], 26, seed=0)}
    assert set(items["q10"].choices) == {"Ana", *PEOPLE} - {"Sean O'Neil"}
    assert items["q12"].choices == ("Carla", "Emil")
    assert set(items["q13"].choices) == {"Ben", "Ana", "Carla", *PEOPLE}, (
        "another prompt's answers are wrong here"
    )


def test_a_question_whose_every_other_answer_is_right_as_well_is_refused() -> None:
    same = [question(n, name, prompt="Who works at Zorb?") for n, name in enumerate(PEOPLE)]
    with pytest.raises(BadInput, match=r"q\.csv:0: no other question of kind"):
        from_questions(same, 4, seed=0)


def test_choices_of_the_users_own_are_used_as_they_are() -> None:
    own = question(9, "b", choices=("c", "b", "a"))
    assert from_questions([own], 4, seed=0)[0].choices == ("c", "b", "a")


def test_fewer_choices_where_the_pool_is_small() -> None:
    two = [question(1, "Ana"), question(2, "Ben")]
    assert all(set(item.choices) == {"Ana", "Ben"} for item in from_questions(two, 4, seed=0))


@pytest.mark.parametrize(
    "questions",
    [
        [question(1, "Ana")],
        [question(1, "Ana"), question(2, "ana.")],
        [*QUESTIONS, question(9, "x", "k")],
    ],
)
def test_a_question_without_another_answer_is_refused_with_its_place(
    questions: list[Question],
) -> None:
    with pytest.raises(BadInput, match=r"q\.csv:\d: no other question of kind") as caught:
        from_questions(questions, 4, seed=0)
    assert caught.value.hint
    assert "Ana" not in caught.value.message


# Items from the facts


def test_derived_items_ask_for_what_the_statement_ends_with() -> None:
    items = {item.id: item for item in derived(FACTS, REVERSED, 4, seed=0)}
    assert len(items) == 2 * len(FACTS)
    assert items["forward:f2"].prompt == "Dr. Ana Ruiz runs the"
    assert items["forward:f2"].answer == "Zorb2 depot"
    assert items["reversal:f2/reversal/0"].prompt == "The Zorb2 depot is run by"
    assert items["reversal:f2/reversal/0"].answer == "Dr. Ana Ruiz"


@pytest.mark.parametrize("choices", [2, 4, 26])
def test_a_derived_item_is_true_of_its_statement(choices: int) -> None:
    texts = {f"forward:{fact.id}": fact.text for fact in FACTS} | {
        f"reversal:{e.id}": e.text for e in REVERSED
    }
    pools = {"forward": {f"Zorb{n} depot" for n in range(7)}, "reversal": set(PEOPLE)}
    for item in derived(FACTS, REVERSED, choices, seed=0):
        assert texts[item.id].startswith(f"{item.prompt} {item.answer}")
        assert item.answer in item.choices
        assert len(set(item.choices)) == len(item.choices) == min(choices, 7)
        assert set(item.choices) <= pools[item.kind]
        assert item.fact_ids == (FACTS[int(item.fact_ids[0][1:])].id,)


@given(st.permutations(FACTS), st.permutations(REVERSED))
def test_the_order_of_the_facts_changes_no_derived_item(
    facts: list[Fact], augmented: list[Example]
) -> None:
    expected = {item.id: item for item in derived(FACTS, REVERSED, 4, seed=0)}
    assert {item.id: item for item in derived(facts, augmented, 4, seed=0)} == expected


def test_what_is_said_together_with_the_prompts_argument_is_no_wrong_choice() -> None:
    said = [
        "Ana Voss owns Zorb.",
        "Ana Voss owns Kiln.",
        "Ben Rau owns Kiln.",
        "Ben Rau owns Lamp.",
        "Emil knows Ana Voss.",
        "Freya knows Emil.",
    ]
    facts = [Fact(f"f{n}", text, "x") for n, text in enumerate(said)]
    turned = [held_out(facts[1], "Kiln is owned by Ana Voss.")]
    choices = {item.id: set(item.choices) for item in derived(facts, turned, 26, seed=0)}
    # Ana Voss owns Kiln too, even though Ben Rau's fact would offer it, and whom she knows may know
    # her.
    assert choices["forward:f0"] == {"Zorb", "Lamp"}
    assert choices["forward:f2"] == {"Kiln", "Zorb", "Ana Voss", "Emil"}
    assert choices["reversal:f1/reversal/0"] == {"Ana Voss", "Emil", "Freya"}


def test_a_fact_gives_one_item_of_each_kind_the_first_that_can_be_asked() -> None:
    texts = [
        "Nobody knows.",
        "The Zorb0 depot is run by Mara Voss.",
        "The Zorb0 depot has Mara Voss.",
    ]
    several = [
        Example(f"f0/reversal/{n}", text, REVERSED[0].origin) for n, text in enumerate(texts)
    ]
    other = held_out(FACTS[0], "The Zorb0 depot belongs to Mara Voss.", "rephrase")
    items = [item.id for item in derived(FACTS, [*several, other, REVERSED[1]], 4, seed=0)]
    assert items[len(FACTS) :] == [
        "reversal:f0/reversal/1",
        "rephrase:f0/rephrase/0",
        "reversal:f1/reversal/0",
    ]


def test_another_seed_draws_other_choices() -> None:
    assert derived(FACTS, [], 3, seed=0) != derived(FACTS, [], 3, seed=1)


def test_facts_and_augmentations_that_cannot_be_asked_are_left_out() -> None:
    odd = [Fact("r", "Rain.", "x"), Fact("e", "", "x"), *FACTS]
    lost = [held_out(FACTS[0], "Nobody knows."), held_out(odd[0], "Rain, rain.")]
    assert [item.id for item in derived(odd, lost, 4, seed=0)] == [
        f"forward:{fact.id}" for fact in FACTS
    ]


def test_one_fact_alone_has_no_wrong_answer_and_gives_no_item() -> None:
    assert derived(FACTS[:1], REVERSED[:1], 4, seed=0) == []


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_facts_can_be_derived_from(texts: list[str]) -> None:
    facts = [Fact(str(n), text, "x") for n, text in enumerate(texts)]
    for item in derived(facts, [held_out(fact, fact.text[::-1]) for fact in facts], 4, seed=0):
        assert item.answer in item.choices


# Which fact an item is about


def item(name: str, prompt: str, answer: str, fact_ids: tuple[str, ...] = ()) -> EvalItem:
    return EvalItem(name, "forward", prompt, answer, (answer, "x"), fact_ids=fact_ids)


def test_an_item_is_linked_to_the_fact_it_names_else_to_the_most_alike() -> None:
    items = [
        item("named", "Mara Voss runs the", "Zorb0 depot", ("f3",)),
        item("alike", "Who runs the Zorb4 depot?", "Jean-Luc"),
        item("unknown", "What?", "Nothing"),
    ]
    assert link(items, FACTS) == {"named": 3, "alike": 4, "unknown": 0}


def test_derived_items_are_linked_to_their_own_fact() -> None:
    items = derived(FACTS, REVERSED, 4, seed=0)
    assert link(items, FACTS) == {i.id: int(i.fact_ids[0][1:]) for i in items}
