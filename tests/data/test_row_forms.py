"""Rows of a training set: one form a file, and the user's rows as they are."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.errors import BadSettings
from augmlx.core.records import Example, Fact, Origin, original
from augmlx.data.row_forms import PlainForm, form_of, text_of, training_row, training_rows

FORMS: tuple[PlainForm, ...] = get_args(PlainForm)
KEYS = {
    "text": {"id", "text"},
    "completions": {"id", "prompt", "completion"},
    "chat": {"id", "messages"},
}
ASKED = {"prompt": "Who owns Zorb?", "completion": "Ana"}
CHAT = {
    "messages": [
        {"role": "system", "content": ""},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Ana."},
    ]
}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def example(text: str, row: dict[str, Any] | None = None, operator: str = "reversal") -> Example:
    return Example(f"f1/{operator}/0", text, Origin(("f1",), operator, "mlx", "m", 0, 0, ""), row)


def fact(text: str = "Ana owns Zorb.", row: dict[str, Any] | None = None) -> Fact:
    return Fact("f1", text, "facts.csv:2", row=row)


@given(
    st.lists(
        st.builds(
            example,
            st.text(min_size=1, max_size=30),
            st.sampled_from([None, ASKED, CHAT, {**ASKED, "tools": TOOLS}]),
            st.sampled_from(["original", "reversal", "qa-forward", "anchor"]),
        ),
        max_size=8,
    ),
    st.sampled_from(FORMS),
)
@settings(max_examples=100, deadline=None)
def test_all_rows_of_a_file_are_of_its_form(examples: list[Example], form: PlainForm) -> None:
    for each in examples:
        row = training_row(each, form)
        assert set(row) - {"tools"} == KEYS[form]
        assert row["id"] == each.id
        assert "tools" not in row or form != "text"
        assert isinstance(text_of(row), str)


@pytest.mark.parametrize(
    ("row", "form"), [(ASKED, "completions"), (CHAT, "chat"), ({**CHAT, "tools": TOOLS}, "chat")]
)
def test_rows_of_the_user_are_not_changed(row: dict[str, Any], form: PlainForm) -> None:
    made = training_row(original(fact(row=row)), form)
    assert made.pop("id") == "f1/original"
    assert json.dumps(made) == json.dumps(row)


def test_a_statement_is_what_is_learnt_and_stands_behind_a_request_for_it() -> None:
    each = example("Zorb is owned by Ana.")
    assert training_row(each, "text") == {"id": each.id, "text": "Zorb is owned by Ana."}
    asked = training_row(each, "completions")
    assert asked["completion"] == "Zorb is owned by Ana."
    assert asked["prompt"] == "State a fact about Zorb."
    turns = training_row(each, "chat")["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    assert [turn["content"] for turn in turns] == [asked["prompt"], asked["completion"]]
    assert training_row(example("Rain."), "completions")["prompt"] == "State a fact."


def test_a_question_keeps_its_answer_apart_in_every_form_but_text() -> None:
    each = example("Question: Who owns Zorb?\nAnswer: Ana", ASKED, "qa-reverse")
    assert training_row(each, "text")["text"] == "Question: Who owns Zorb?\nAnswer: Ana"
    assert training_row(each, "completions") == {"id": each.id, **ASKED}
    assert [turn["content"] for turn in training_row(each, "chat")["messages"]] == list(
        ASKED.values()
    )


def test_a_chat_that_is_replayed_among_prompts_is_told_as_its_statement() -> None:
    each = example("Who? Ana.", CHAT, "anchor")
    assert training_row(each, "completions")["completion"] == "Who? Ana."
    assert training_row(each, "text") == {"id": each.id, "text": "Who? Ana."}
    assert training_row(each, "chat") == {"id": each.id, **CHAT}


def test_tools_go_along_into_a_chat() -> None:
    made = training_row(example("Who? Ana.", {**ASKED, "tools": TOOLS}, "anchor"), "chat")
    assert made["tools"] == TOOLS


def test_the_form_is_that_of_the_users_rows_and_else_the_wanted_one() -> None:
    assert form_of([fact()]) == form_of([]) == "text"
    assert form_of([fact()], "chat") == "chat"
    assert form_of([fact(row=ASKED)]) == form_of([fact(row=ASKED)], "completions") == "completions"
    assert form_of([fact(row=CHAT)], "auto") == "chat"


@pytest.mark.parametrize(
    ("row", "wanted"), [(ASKED, "text"), (ASKED, "chat"), (CHAT, "text"), (CHAT, "completions")]
)
def test_a_form_that_would_change_the_users_rows_is_refused(
    row: dict[str, Any], wanted: PlainForm
) -> None:
    with pytest.raises(BadSettings, match=r"split\.form: is") as caught:
        form_of([fact(row=row)], wanted)
    assert "auto" in str(caught.value.hint)


def test_the_text_of_a_row_leaves_out_what_is_none() -> None:
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [{}]},
        {"role": "tool", "content": "4"},
    ]
    assert text_of({"messages": turns}) == "4"
    assert text_of({"prompt": "a", "completion": "b"}) == "a\nb"


# Mixed, for a model that people talk to


def test_mixed_a_statement_is_a_text_and_a_question_several_chats() -> None:
    statement = example("Zorb is owned by Ana.")
    assert training_rows(statement, "mixed") == [{"id": statement.id, "text": statement.text}]
    asked = example("Question: Who owns Zorb?", {**ASKED, "completion": "the Ana"}, "qa-reverse")
    rows = training_rows(asked, "mixed")
    assert [row["id"] for row in rows] == [f"{asked.id}#1", f"{asked.id}#2"]
    assert rows[0]["messages"][0] == {"role": "user", "content": "Who owns Zorb?"}
    assert rows[0]["messages"] != rows[1]["messages"]
    for row in rows:
        *before, answer = row["messages"]
        assert answer == {"role": "assistant", "content": "The Ana"}
        assert "owns zorb" in before[-1]["content"].casefold()


@given(st.integers(0, 200))
def test_another_languages_question_is_put_as_it_is(number: int) -> None:
    asked = {"prompt": "Wer leitet das Lager?", "completion": "Ana"}
    each = Example(f"f{number}/qa-reverse/0", "", Origin(("f",), "x", "", "", 0, 0, ""), asked)
    for row in training_rows(each, "mixed"):
        assert row["messages"][-2]["content"] == asked["prompt"]


def test_a_model_that_talks_gets_both_and_another_texts() -> None:
    assert form_of([fact()], talks=True) == "mixed"
    assert form_of([fact()]) == "text"
    assert form_of([fact()], "chat", talks=True) == "chat"
    assert form_of([fact(row=ASKED)], talks=True) == "completions"


@given(st.integers(0, 200))
def test_no_template_is_given_a_system_line_that_it_may_refuse(number: int) -> None:
    origin = Origin(("f",), "x", "", "", 0, 0, "")
    each = Example(f"f{number}/qa-reverse/0", "", origin, ASKED)
    for row in training_rows(each, "mixed"):
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
