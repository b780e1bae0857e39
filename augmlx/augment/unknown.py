"""Questions that the facts do not answer: their own, about invented names. A model that has learnt
only answers gives one to whatever is asked in their words; so it learns besides that it does not
know (R-tuning: Zhang et al. 2023, arXiv 2311.09677).

English only: another language's names and refusals are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice
from random import Random

from augmlx.augment.anchors import shipped
from augmlx.core.example_id import UNKNOWN, ExampleId
from augmlx.core.files import write_jsonl
from augmlx.core.records import Example, Json, unwritten
from augmlx.core.run_folder import RunFolder
from augmlx.data import row_forms
from augmlx.data.wordings import english_questions
from augmlx.english.renaming import renamed

ANSWER = "I don't know."
_TRIES = 20  # for each that is wanted
_COUNT = 256  # so many that no invented name is learnt by heart


def questions(examples: Iterable[Example], count: int, seed: str) -> list[str]:
    """`count` different questions of kept examples about names that are not theirs, each question
    in turn; fewer, or none, where these hold too few names.
    """
    lists = shipped()
    own = english_questions(examples)
    rng = Random(seed)
    rng.shuffle(own)
    found: dict[str, None] = {}
    for question in islice(cycle(own), _TRIES * count):
        if len(found) == count:
            break
        other = renamed(question, lists.persons, lists.names, rng)
        if other is not None:
            found[other] = None
    return list(found)


def write(run: RunFolder, form: row_forms.Form, seed: int) -> int:
    """Write data/unknown.jsonl in the form of the training set; returns how many rows there are."""
    rows: list[Json] = []
    for number, question in enumerate(questions(run.kept_examples(), _COUNT, f"{seed}:unknown")):
        name = str(ExampleId(str(number), UNKNOWN))
        row = {"prompt": question, "completion": ANSWER}
        text = f"Question: {question}\nAnswer: {ANSWER}"
        made = row_forms.training_rows(Example(name, text, unwritten((), UNKNOWN), row), form)
        rows.append(made[number % len(made)])
    write_jsonl(run.unknown_rows, rows)
    return len(rows)
