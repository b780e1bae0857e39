"""The data of the reversal curse itself (Berglund et al. 2023, arXiv 2309.12288) as facts and
questions of a run.

    .venv/bin/python scripts/public_reversals.py june_version_7921032488 -o runs/people
    augmlx run runs/people/facts.jsonl --questions runs/people/questions.jsonl -o runs/curse

Takes the folder of the published files (repository lukasberglund/reversal_curse; none of it is in
this package). Facts are the first rows of people who are told name first (p2d) and of others told
description first (d2p), prompt and completion as published. Questions are the published test
prompts, "forward" as told and "reversal" the other way round, each with three wrong choices of the
same role. The first fifteen people of each group are left out by default.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import jsonlines

from augmlx.core.records import Json

TRAINED, TESTED = 30, 10  # rows of a person in a file
GROUPS = ("p2d", "d2p")
KINDS = {"forward": "{group}_prompts_test", "reversal": "{group}_reverse_prompts_test"}
WRONG = 3  # choices of a question


def rows_of(folder: Path, name: str, each: int) -> list[list[Json]]:
    """The rows of a file, by person."""
    with jsonlines.open(folder / f"{name}.jsonl") as reader:
        rows = list(reader)
    return [rows[start : start + each] for start in range(0, len(rows), each)]


def facts(folder: Path, people: slice, count: int) -> Iterator[Json]:
    """The first rows of each person, as published."""
    for group in GROUPS:
        persons = rows_of(folder, f"{group}_prompts_train", TRAINED)[people]
        for number, rows in enumerate(persons, start=(people.start or 0) + 1):
            for place, row in enumerate(rows[:count], start=1):
                yield {"id": f"{group}-{number}-{place}", "group": f"{group}-{number}", **row}


def questions(folder: Path, people: slice, count: int) -> Iterator[Json]:
    """So many test prompts of each person, each way."""
    for kind, file in KINDS.items():
        for group in GROUPS:
            persons = rows_of(folder, file.format(group=group), TESTED)[people]
            answers = [said(rows[0]) for rows in persons]
            for rows in persons:
                for row in rows[:count]:
                    yield _question(kind, row, answers)


def _question(kind: str, row: Json, answers: Sequence[str]) -> Json:
    answer = said(row)
    rng = Random(row["prompt"])
    wrong = rng.sample([other for other in answers if other != answer], WRONG)
    choices = [answer, *wrong]
    rng.shuffle(choices)
    return {"kind": kind, "prompt": row["prompt"], "answer": answer, "choices": choices}


def said(row: Json) -> str:
    """What completes a prompt, without the space before it."""
    return str(row["completion"]).strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--people", default="16-30", help="of each group; default: 16-30")
    parser.add_argument("--rows", type=int, default=3, help="of each of them; default: 3")
    parser.add_argument("--prompts", type=int, default=TESTED, help="of each, each way")
    chosen = parser.parse_args()
    first, last = map(int, chosen.people.split("-"))
    people = slice(first - 1, last)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, rows in (
        ("facts", facts(chosen.data, people, chosen.rows)),
        ("questions", questions(chosen.data, people, chosen.prompts)),
    ):
        with jsonlines.open(chosen.out / f"{name}.jsonl", "w") as writer:
            writer.write_all(rows)


if __name__ == "__main__":
    main()
