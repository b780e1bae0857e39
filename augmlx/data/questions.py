"""Files of the user's -> questions with their answers, read as strictly as facts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augmlx.core.records import Json
from augmlx.data.cells import claim, key_of, parts_of, required, text_of
from augmlx.data.columns import question_columns
from augmlx.data.row import Row, bad_input
from augmlx.data.rows import read_rows


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the user's. Where there are `choices`, the answer is one of them."""

    id: str
    prompt: str
    answer: str
    kind: str
    choices: tuple[str, ...]
    aliases: tuple[str, ...]
    source: str
    facts: tuple[str, ...] = ()  # ids of those that it is about


def read_questions(path: Path) -> list[Question]:
    """The questions of a table (CSV, TSV, JSONL or Parquet), in the order of the file.

    Columns: prompt and answer; perhaps kind, id, choices, aliases and facts: the ids of those that
    it is about. The last three are a JSON list, or one text with "|" between the parts. A prompt
    keeps its line breaks; everything else is one line of text.

    Raises:
        BadInput: the file, or a row of it, is not what it should be.
        StorageError: the file cannot be read.
    """
    questions = []
    lines_of_ids: dict[str, int] = {}
    first_lines: dict[tuple[str, str, str], int] = {}
    for number, row in enumerate(read_rows(path, question_columns), start=1):
        question = _question(row, number, path.name)
        claim(lines_of_ids, question.id, row)
        content = (question.prompt, question.answer, question.kind)
        first = first_lines.setdefault(content, row.line)
        # Counted twice, it would narrow the intervals without adding evidence.
        if first != row.line:
            fault = f"the same question as on line {first}"
            raise bad_input(row.place, fault, "delete one of the two")
        _check_choices(row, question)
        questions.append(question)
    return questions


def _question(row: Row, number: int, file_name: str) -> Question:
    return Question(
        prompt=required(row, "prompt", lines=True),
        answer=required(row, "answer"),
        kind=text_of(row, "kind") or "question",
        id=key_of(row, "id") or f"q{number:04d}",
        choices=parts_of(row, "choices"),
        aliases=parts_of(row, "aliases"),
        source=f"{file_name}:{row.line}",
        facts=parts_of(row, "facts"),
    )


def _check_choices(row: Row, question: Question) -> None:
    choices = question.choices
    if not choices:
        return
    if len(choices) < 2 or len(set(choices)) < len(choices):
        fault = f"{len(choices)} choices, {len(set(choices))} of them different"
        raise bad_input(row.place, fault, "give at least two, each once")
    if question.answer not in choices:
        fault = "the answer is not among the choices"
        raise bad_input(row.place, fault, "add it, spelled as in 'answer'")
    other_aliases = set(question.aliases) - {question.answer}
    if other_aliases & set(choices):
        fault = "an alias of the answer is a choice of its own"
        raise bad_input(row.place, fault, "take it out of one of the two")


def question_row(question: Question) -> Json:
    """A question as `read_questions` reads it back from a .jsonl file."""
    row: Json = {
        "id": question.id,
        "prompt": question.prompt,
        "answer": question.answer,
        "kind": question.kind,
    }
    lists = {"choices": question.choices, "aliases": question.aliases, "facts": question.facts}
    return row | {name: list(texts) for name, texts in lists.items() if texts}
