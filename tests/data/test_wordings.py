"""How a statement is met in training: as it is, and with a word beside its verb."""

from __future__ import annotations

from dataclasses import replace

import pytest

from augmlx.core.records import Example, Fact, Origin, original
from augmlx.data.row_forms import training_rows
from augmlx.data.wordings import asked_in_english, statements
from augmlx.english.clauses.emphasising import emphasised

FACT = Fact("f1", "Ana Bell founded the Bor mill.", "f.csv:2")
REVERSAL = "The Bor mill was founded by Ana Bell."
KNOWN = {("f1",)}


def example(text: str, operator: str, row: dict[str, str] | None = None) -> Example:
    origin = Origin(("f1",), operator, "mlx", "m", 0, 0, "")
    return Example(f"f1/{operator}/0", text, origin, row)


ASKED = example("q", "qa-reverse", {"prompt": "Who founded the Bor mill?", "completion": "Ana"})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The head of the lab is Ana.", "The head of the lab is in fact Ana."),
        ("Ana Bell founded the Bor mill.", "Ana Bell in fact founded the Bor mill."),
        (REVERSAL, "The Bor mill was in fact founded by Ana Bell."),
        ("The mill that was sold has burned.", "The mill that was sold has in fact burned."),
        ("Visitors must sign in.", "Visitors must in fact sign in."),
        ("Visitors must not sign in.", None),  # "must in fact not" says more
        ("The lab opens at nine and closes at five.", None),
        ("Mix the flour with water.", None),
        ("Bor, the mill.", None),
    ],
)
def test_a_word_stands_beside_the_verb(text: str, wanted: str | None) -> None:
    assert emphasised(text, "in fact") == wanted


def test_a_statement_is_met_with_several_such_words() -> None:
    others = statements(REVERSAL)
    assert REVERSAL not in others
    assert len(set(others)) == len(others) == 8
    for said in others:
        assert said.startswith("The Bor mill was ")
        assert said.endswith(" founded by Ana Bell.")
    assert statements("Mix the flour with water.") == []


def test_a_fact_and_its_reversal_have_wordings_and_no_other_statement() -> None:
    (row,) = training_rows(original(FACT), "mixed", KNOWN)
    assert (row["text"], row["wordings"]) == (FACT.text, statements(FACT.text))
    plain, other = training_rows(example(REVERSAL, "reversal"), "mixed", KNOWN)
    assert plain == {"id": "f1/reversal/0#1", "text": REVERSAL}
    assert [other["text"], *other["wordings"]] == statements(REVERSAL)
    (row,) = training_rows(example(REVERSAL, "rephrase"), "mixed", KNOWN)
    assert "wordings" not in row


def test_what_is_not_asked_in_english_is_met_as_it_is() -> None:
    assert asked_in_english([ASKED]) == KNOWN
    german = replace(ASKED, row={"prompt": "Wer gründete die Mühle?", "completion": "Ana"})
    assert not asked_in_english([german, example(REVERSAL, "reversal")])
    plain = {"id": "f1/original", "text": FACT.text}
    assert training_rows(original(FACT), "mixed") == [plain]


def test_in_a_form_that_all_rows_have_and_in_rows_of_the_users_nothing_is_reworded() -> None:
    plain = {"id": "f1/original", "text": FACT.text}
    assert training_rows(original(FACT), "text", KNOWN) == [plain]
    own = replace(FACT, row={"text": FACT.text})
    assert training_rows(original(own), "mixed", KNOWN) == [plain]
