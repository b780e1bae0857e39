"""How a statement is met in training: as it is, and in other ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from augmlx.core.records import Example, Fact, Origin, original
from augmlx.data.asked import Asked
from augmlx.data.row_forms import training_rows
from augmlx.data.wordings import statements
from augmlx.english.clauses.emphasising import emphasised

FACT = Fact("f1", "Ana Bell founded the Bor mill.", "f.csv:2")
REVERSAL = "The Bor mill was founded by Ana Bell."


def example(text: str, operator: str, asked: tuple[str, str] | None = None) -> Example:
    row = {"prompt": asked[0], "completion": asked[1]} if asked else None
    origin = Origin(("f1",), operator, "mlx", "m", 0, 0, "")
    return Example(f"f1/{operator}/0", text, origin, row)


FORWARD = example("q", "qa-forward", ("What did Ana Bell found?", "the Bor mill"))
REVERSE = example("q", "qa-reverse", ("Who founded the Bor mill?", "Ana Bell"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The head of the lab is Ana.", "The head of the lab is in fact Ana."),
        ("Ana Bell founded the Bor mill.", "Ana Bell in fact founded the Bor mill."),
        (REVERSAL, "The Bor mill was in fact founded by Ana Bell."),
        ("Visitors must sign in.", "Visitors must in fact sign in."),
        ("Visitors must not sign in.", None),  # "must in fact not" says more
        ("The lab opens at nine and closes at five.", None),
        ("Mix the flour with water.", None),
        ("Bor, the mill.", None),
    ],
)
def test_a_word_stands_beside_the_verb(text: str, wanted: str | None) -> None:
    assert emphasised(text, "in fact") == wanted


def test_a_statement_is_met_as_it_is_with_such_a_word_and_as_the_question_it_answers() -> None:
    others = statements(REVERSAL, ("Who founded the Bor mill?", "Ana Bell"))
    first, question, second, again, *_ = others
    assert again == REVERSAL
    assert question == "Who founded the Bor mill? Ana Bell."
    assert first != second
    for said in (first, second):
        assert said.startswith("The Bor mill was ")
        assert said.endswith(" founded by Ana Bell.")
    in_other_words = [other for other in others if "?" in other][1:]
    assert len(set(in_other_words)) == len(in_other_words) > 3
    assert all("founded the Bor mill?" in other for other in in_other_words)


def test_what_can_neither_be_emphasised_nor_asked_for_is_met_as_it_is() -> None:
    assert statements("Mix the flour with water.", None) == []
    asked = statements("Mix the flour.", ("When is it mixed?", "at 2 p.m."))
    assert asked[0] == "When is it mixed? At 2 p.m."


def test_a_fact_and_its_reversal_answer_one_question_each() -> None:
    asked = Asked([FORWARD, REVERSE])
    (row,) = training_rows(original(FACT), "mixed", asked)
    assert "What did Ana Bell found? The Bor mill." in row["wordings"]
    (row,) = training_rows(example(REVERSAL, "reversal"), "mixed", asked)
    assert row["text"] == REVERSAL
    assert "Who founded the Bor mill? Ana Bell." in row["wordings"]


def test_without_its_own_question_a_fact_is_emphasised_alone() -> None:
    (row,) = training_rows(original(FACT), "mixed", Asked([REVERSE]))
    assert not any("?" in other for other in row["wordings"])


@pytest.mark.parametrize("operator", ["rephrase", "merge"])
def test_no_other_statement_has_wordings(operator: str) -> None:
    (row,) = training_rows(example(REVERSAL, operator), "mixed", Asked([FORWARD, REVERSE]))
    assert "wordings" not in row


def test_what_is_not_asked_in_english_is_met_as_it_is() -> None:
    german = replace(FORWARD, row={"prompt": "Was gründete Ana?", "completion": "die Mühle"})
    (row,) = training_rows(original(FACT), "mixed", Asked([german]))
    assert row == {"id": "f1/original", "text": FACT.text}


def test_in_a_form_that_all_rows_have_and_in_rows_of_the_users_nothing_is_reworded() -> None:
    asked = Asked([FORWARD, REVERSE])
    assert training_rows(original(FACT), "text", asked) == [
        {"id": "f1/original", "text": FACT.text}
    ]
    own = replace(FACT, row={"text": FACT.text})
    assert training_rows(original(own), "mixed", asked) == [
        {"id": "f1/original", "text": FACT.text}
    ]
