"""Which conclusions the augmentations state, and which items stand in them word for word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.records import EvalItem, EvalResult, Example, Fact, Origin
from augmlx.evaluation.leaks import leak_notes, leaks_by_kind
from augmlx.evaluation.summary import Leak, LeakShares


def item(
    prompt: str, answer: str, *fact_ids: str, kind: str = "reversal", name: str = "0"
) -> EvalItem:
    return EvalItem(f"{kind}:{name}", kind, prompt, answer, (answer, "Lamp"), fact_ids=fact_ids)


def made(text: str, n: int = 0, **changed: object) -> Example:
    return Example(f"f0/x/{n}", text, Origin(("f0",), "x", "", "", 0, n, ""), **changed)  # type: ignore[arg-type]


def states(text: str, asked: EvalItem) -> bool:
    """Whether an augmentation that says this counts as stating the item's conclusion."""
    return bool(leaks_by_kind([asked], [], [made(text)], [])[asked.kind].generated)


FACTS = [
    Fact("f0", "Ana Voss owns the Bor mill.", "x"),
    Fact("f1", "Ida Lund designed the Kestrel radio.", "x"),
    Fact("f2", "Ole Brandt chairs the Lonn Society.", "x"),
]
MILL = item("The Bor mill is owned by", "Ana Voss", "f0", name="mill")
RADIO = item("The Kestrel radio was designed by", "Ida Lund", "f1", name="radio")
SOCIETY = item("The Lonn Society is chaired by", "Ole Brandt", "f2", name="society")


def test_a_planted_leak_is_named_a_paraphrase_is_generated_and_the_rest_is_neither() -> None:
    trained = [
        made("As everybody knows, the BOR mill is owned by Ana Voss!"),
        made("The Kestrel radio's designer is Ida Lund."),
        made("Ole Brandt is the chair of the Lonn Society."),  # the fact's own direction
        made("The Lonn Society is chaired by Mara Quist."),
    ]
    assert leaks_by_kind([MILL, RADIO, SOCIETY], FACTS, trained, [])["reversal"] == Leak(
        generated=2, not_generated=1, verbatim=("reversal:mill",), accuracy={}
    )


@pytest.mark.parametrize(
    "text",
    [
        "The Bor mill was owned by Ana Voss.",
        "Since 1998 the Bor mill in Elm has been owned by one Ana Voss.",
        "The owner of the Bor mill is Ana Voss.",
        "The Bor mill's possessor is Ana Voss.",
        "Question: Who owns the Bor mill?\nAnswer: Ana Voss",
        "Who is the Bor mill's owner?\nAna Voss.",
        "It is old. The Bor mill is owned by Ana Voss. It stands in Elm.",
    ],
)
def test_what_states_the_conclusion(text: str) -> None:
    assert states(text, MILL)


@pytest.mark.parametrize(
    "text",
    [
        "Ana Voss owns the Bor mill.",
        "Question: What does Ana Voss own?\nAnswer: the Bor mill",
        "The Bor mill is not owned by Ana Voss.",
        "The Bor mill was painted by Ana Voss.",
        "The Bor mill is owned by Ana Lund.",
        "The Bor tower is owned by Ana Voss.",
        # two sentences do not make it together
        "Ida Lund owns the Bor mill. The radio is Ana Voss's.",
        "",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not states(text, MILL)


def test_a_recognised_form_is_the_same_in_other_words_but_not_the_other_way_round() -> None:
    smaller = item("Lake Orrin is larger than", "Lake Pell")
    assert states("Lake Orrin is less small than Lake Pell.", smaller)
    assert not states("Lake Pell is smaller than Lake Orrin.", smaller)
    assert not states("Lake Orrin is less large than Lake Pell.", smaller)
    every = item("All wugs are", "daxes")
    assert states("Every wug is a dax.", every)
    assert not states("No wugs are daxes.", every)
    assert not states("Some wugs are daxes.", every)
    assert not states("All daxes are wugs.", every)


def test_a_choice_that_is_a_whole_statement_is_met_without_its_prompt() -> None:
    chosen = item("Of wugs and daxes it is known:", "All wugs are daxes.")
    assert states("Every wug is a dax.", chosen)
    assert not states("Some wugs are daxes.", chosen)


def test_a_comparative_is_met_by_its_own_end_of_the_scale() -> None:
    danger = item("Wugs are", "less dangerous than daxes")
    assert states("It is said that wugs are less dangerous than daxes.", danger)
    assert not states("Wugs are more dangerous than daxes.", danger)
    assert not states("Daxes are more dangerous than wugs.", danger)


def test_an_alias_states_it_as_well() -> None:
    asked = EvalItem(
        "q", "qa", "Who owns the Bor mill?", "Ana Voss", ("Ana Voss", "x"), aliases=("Mrs. Voss",)
    )
    assert states("Question: Who owns the Bor mill?\nAnswer: Mrs. Voss", asked)
    assert states("The Bor mill's owner is Mrs. Voss.", asked)
    assert not states("The Bor mill's owner is Mrs. Lund.", asked)


def verbatim(items: list[EvalItem], trained: list[Example], facts: list[Fact] = FACTS) -> list[str]:
    return [
        name for kind in leaks_by_kind(items, facts, trained, []).values() for name in kind.verbatim
    ]


def test_a_question_is_verbatim_as_it_is_asked_and_in_a_row_of_its_own() -> None:
    asked = item("Who owns the Bor mill?", "Ana Voss", kind="qa")
    assert verbatim([asked], [made("Question: Who owns the Bor mill?\nAnswer: Ana Voss")]) == [
        "qa:0"
    ]
    row = {"prompt": "Who owns the Bor mill?", "completion": "Ana Voss"}
    assert verbatim([asked], [made("Of the mill.", row=row)]) == ["qa:0"]


def test_words_that_only_begin_alike_and_texts_that_only_follow_each_other_are_not_verbatim() -> (
    None
):
    assert verbatim([MILL], [made("The Bor mill is owned by Ana Vossberg.")]) == []
    assert verbatim([MILL], [made("The Bor mill is owned by"), made("Ana Voss")]) == []


def test_an_item_that_restates_its_own_fact_is_no_leak_but_one_that_restates_another_is() -> None:
    copied = [made("Ana Voss owns the Bor mill, they say.")]
    own = item("Ana Voss owns the", "Bor mill", "f0", kind="forward")
    other = item("Ana Voss owns the", "Bor mill", "f1", kind="forward")
    unnamed = item("Ana Voss owns the", "Bor mill", kind="forward")
    assert verbatim([own], copied) == verbatim([unnamed], copied) == []
    assert verbatim([other], copied) == ["forward:0"]
    assert leaks_by_kind([own], FACTS, copied, [])["forward"].generated == 1


def test_scripts_without_spaces_or_capitals_are_met_word_for_word() -> None:
    asked = item("オストレルの首都は", "ヴェン です")
    assert verbatim([asked], [made("オストレルの首都は ヴェン です。")]) == ["reversal:0"]
    assert verbatim([asked], [made("オストレルの首都は ボル です。")]) == []


def answered(arm: str, of: EvalItem, correct: bool) -> EvalResult:
    return EvalResult(
        of.id, arm, of.kind, (-1.0, -2.0), (1, 1), 0 if correct else 1, correct, "", False
    )


def test_accuracy_is_told_apart_for_what_was_generated_and_what_was_not() -> None:
    items = [MILL, RADIO, SOCIETY, item("Ana Voss owns the", "Bor mill", "f0", kind="forward")]
    trained = [
        made("The owner of the Bor mill is Ana Voss."),
        made("The Kestrel radio's designer is Ida Lund."),
    ]
    results = [
        answered("icl", i, ok) for i, ok in zip(items, (True, False, True, True), strict=True)
    ]
    results += [answered("base", i, False) for i in items]
    found = leaks_by_kind(items, FACTS, trained, results)
    assert found["reversal"].accuracy == {
        "icl": LeakShares(generated=0.5, not_generated=1.0),
        "base": LeakShares(generated=0.0, not_generated=0.0),
    }
    assert found["forward"].accuracy["icl"] == LeakShares(generated=None, not_generated=1.0)
    assert list(found) == ["reversal", "forward"]


def test_what_stands_word_for_word_is_told_with_its_ids_and_a_way_out() -> None:
    def notes(**verbatim: list[str]) -> list[str]:
        return leak_notes({kind: Leak(9, 0, tuple(names), {}) for kind, names in verbatim.items()})

    (note,) = notes(reversal=[f"q{n}" for n in range(8)], forward=[])
    assert note.startswith(
        "8 reversal questions stand word for word in the training set: q0, q1, q2 (and 5 more);"
    )
    assert 'split.leak = "drop"' in note
    assert notes(forward=["q0"])[0].startswith(
        "1 forward question stands word for word in the training set: q0;"
    )
    assert notes(reversal=[], forward=[]) == []


NAMES = ["Ana Voss", "Ida Lund", "the Bor mill", "the Kestrel radio"]
VERBS = [
    "owns",
    "is owned by",
    "designed",
    "was not designed by",
    "is the owner of",
    "is larger than",
]
STATEMENT = st.tuples(st.sampled_from(NAMES), st.sampled_from(VERBS), st.sampled_from(NAMES))
TEXTS = st.lists(STATEMENT.map(" ".join), min_size=1, max_size=2).map(
    lambda each: ". ".join(each) + "."
)
ITEMS = st.lists(STATEMENT, min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.lists(TEXTS, max_size=6))
def test_the_index_finds_what_each_item_finds_by_itself(
    statements: list[tuple[str, str, str]], texts: list[str]
) -> None:
    items = [
        item(f"{one} {verb}", other, name=str(n)) for n, (one, verb, other) in enumerate(statements)
    ]
    found = leaks_by_kind(items, [], [made(text, n) for n, text in enumerate(texts)], [])[
        "reversal"
    ]
    assert found.generated == sum(any(states(text, i) for text in texts) for i in items)
    assert found.generated + found.not_generated == len(items)


@settings(max_examples=60, deadline=None)
@given(STATEMENT, TEXTS, TEXTS)
def test_a_statement_between_any_others_is_always_met(
    statement: tuple[str, str, str], before: str, after: str
) -> None:
    one, verb, other = statement
    asked = item(f"{one} {verb}", other)
    assert states(f"{before} {one} {verb} {other}. {after}", asked)
    assert verbatim([asked], [made(f"{before} {one} {verb} {other}. {after}")], []) == [
        "reversal:0"
    ]
