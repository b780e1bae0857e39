"""Every bad file of questions has one documented message (place, fault, hint)."""

from __future__ import annotations

from pathlib import Path

import pytest

from augmlx.core.errors import BadInput
from augmlx.data.questions import Question, read_questions

S = "SECRET"  # stands in every text of a bad table, and in no message


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


BAD_QUESTIONS: dict[str, tuple[str, bytes, str, str]] = {
    "no prompt column": (
        "q.csv",
        b"question,answer\nx,y\n",
        ":1: no column 'prompt'; columns found: 'question'",
        "name",
    ),
    "no answer column": (
        "q.jsonl",
        b'{"prompt": "SECRET"}\n',
        ":1: no column 'answer'; columns found: 'prompt'",
        "",
    ),
    "empty prompt": ("q.csv", b"prompt,answer\n ,SECRET\n", ":2: no text in 'prompt'", "fill"),
    "empty answer": ("q.csv", b"prompt,answer\nSECRET,\n", ":2: no text in 'answer'", "fill"),
    "number as answer": (
        "q.jsonl",
        b'{"prompt": "SECRET", "answer": 4}',
        ":1: 'answer' is a number, not a",
        "quotes",
    ),
    "answer not a choice": (
        "q.csv",
        b"prompt,answer,choices\nSECRET,b,a|B|c\n",
        ":2: the answer is not among the choices",
        "spelled",
    ),
    "one choice": (
        "q.csv",
        b"prompt,answer,choices\nSECRET,a,a\n",
        ":2: 1 choices, 1 of them different",
        "two",
    ),
    "a choice twice": (
        "q.csv",
        b"prompt,answer,choices\nS,a,a|b| a \n",
        ":2: 3 choices, 2 of them different",
        "once",
    ),
    "empty choice": (
        "q.csv",
        b"prompt,answer,choices\nSECRET,a,a||b\n",
        ":2: part 2 of 'choices' is empty",
        "fill",
    ),
    "choices no list": (
        "q.jsonl",
        b'{"prompt": "S", "answer": "a", "choices": 3}',
        ":1: 'choices' is not a list",
        "[",
    ),
    "choice no text": (
        "q.jsonl",
        b'{"prompt": "S", "answer": "a", "choices": ["a", 3]}',
        ":1: 'choices' is not a",
        "[",
    ),
    "empty alias": (
        "q.jsonl",
        b'{"prompt": "S", "answer": "a", "aliases": ["b", " "]}',
        ":1: part 2 of 'aliases'",
        "",
    ),
    "alias is a choice": (
        "q.jsonl",
        b'{"prompt": "SECRET", "answer": "a", "aliases": ["b"], "choices": ["a", "b"]}',
        ":1: an alias of the answer is a choice of its own",
        "one of the two",
    ),
    "duplicate ids": (
        "q.csv",
        b"id,prompt,answer\n1,S,a\n1,t,b\n",
        ":3: the id is already that of line 2",
        "q0001",
    ),
    "same question": (
        "q.csv",
        b"prompt,answer\nSECRET,a\n SECRET,a \n",
        ":3: the same question as on line 2",
        "delete",
    ),
    "control in a prompt": (
        "q.csv",
        b"prompt,answer\nS\x07,a\n",
        ":2: 'prompt' holds the control character U+0007",
        "",
    ),
    "header only": ("q.tsv", b"prompt\tanswer\n", ": only a header, no rows", "add"),
    "torn": ("q.jsonl", b'{"prompt": "SECRET', ":1: not valid JSON at column 12", "cut off"),
    "unsupported": ("q.md", b"SECRET", ": a file of the kind '.md' is not supported", ".csv"),
}


@pytest.mark.parametrize("case", BAD_QUESTIONS)
def test_a_bad_question_file_gets_one_message(case: str, tmp_path: Path) -> None:
    name, content, message, hint = BAD_QUESTIONS[case]
    path = written(tmp_path, name, content)
    with pytest.raises(BadInput) as caught:
        read_questions(path)
    assert caught.value.message.startswith(f"{path}{message}")
    assert hint in (caught.value.hint or "")
    assert S not in caught.value.render()


def test_the_fields_of_a_question(tmp_path: Path) -> None:
    content = (
        b'id,Prompt,answer,kind,choices,aliases,note\nx,"Q: Who?\r\nA: ",An na,forward,An  '
        b"na| Bob ,A.|Annie,n\n"
    )
    content += b",Where?,Rome,,,,\n"
    assert read_questions(written(tmp_path, "q.csv", content)) == [
        Question(
            "x", "Q: Who?\nA:", "An na", "forward", ("An na", "Bob"), ("A.", "Annie"), "q.csv:2"
        ),
        Question("q0002", "Where?", "Rome", "question", (), (), "q.csv:4"),
    ]


def test_the_same_question_in_another_kind_or_with_another_answer_is_another_question(
    tmp_path: Path,
) -> None:
    content = b"prompt,answer,kind\nx,y,forward\nx,y,control\nx,z,forward\n"
    assert len(read_questions(written(tmp_path, "q.csv", content))) == 3
