"""People of the public data become facts as published, and questions with choices of their role."""

from __future__ import annotations

import sys
from pathlib import Path

import jsonlines

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import public_reversals  # isort: skip

PEOPLE = range(6)


def published(folder: Path) -> None:
    """Files of the public data's form: 30 rows of a person to train on, 10 to ask each way."""
    for group in public_reversals.GROUPS:
        for name, each, is_name in (
            (f"{group}_prompts_train", 30, group == "d2p"),
            (f"{group}_prompts_test", 10, group == "d2p"),
            (f"{group}_reverse_prompts_test", 10, group == "p2d"),
        ):
            rows = [
                {"prompt": f"{name} {who}.{n}", "completion": f" {'N' if is_name else 'D'}{who}"}
                for who in PEOPLE
                for n in range(each)
            ]
            with jsonlines.open(folder / f"{name}.jsonl", "w") as writer:
                writer.write_all(rows)


def test_facts_are_the_first_rows_of_the_people_asked_for(tmp_path: Path) -> None:
    published(tmp_path)
    rows = list(public_reversals.facts(tmp_path, slice(1, 5), 2))
    assert [row["id"] for row in rows[:3]] == ["p2d-2-1", "p2d-2-2", "p2d-3-1"]
    assert rows[0]["prompt"] == "p2d_prompts_train 1.0"
    assert rows[0]["completion"] == " D1"
    assert len(rows) == 2 * 4 * 2


def test_choices_are_of_the_answers_role_and_of_people_that_are_told(tmp_path: Path) -> None:
    published(tmp_path)
    asked = list(public_reversals.questions(tmp_path, slice(1, 5), 3))
    assert [question["kind"] for question in asked].count("reversal") == len(asked) / 2 == 24
    for question in asked:
        assert question["answer"] in question["choices"]
        assert len(set(question["choices"])) == 4
        assert {choice[0] for choice in question["choices"]} == {question["answer"][0]}
        assert {choice[1] for choice in question["choices"]} <= set("1234")
