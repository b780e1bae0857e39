"""The split stage over one run folder: data/, as split.deal deals it out."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from augmlx.core.errors import BadInput
from augmlx.core.files import jsonl_writer, read_jsonl
from augmlx.core.records import Fact, Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.data.questions import Question
from augmlx.data.split import Dealt, Part, deal
from augmlx.data.wordings import asked_in_english


def write_data(
    run: RunFolder,
    facts: Sequence[Fact],
    questions: Sequence[Question],
    settings: Settings,
    *,
    form: row_forms.Form,
    held: Mapping[str, Part] | None,
) -> Json:
    """Deal the run's examples out.

    Args:
        run: holds augmented.jsonl, and gets data/.
        facts: the originals.
        questions: the user's, whose answers may have to be kept out.
        settings: of the split, and the seed.
        form: how the rows are written.
        held: as in split.deal.

    Returns:
        How many examples went into each part.
    """
    config = settings.split
    dealing = deal(
        facts,
        run.kept_examples,
        config,
        asked=[f"{question.prompt} {question.answer}" for question in questions],
        held=held,
        has_questions=bool(questions),
        seed=settings.seed,
    )
    files = _files(run)
    counts: Json = dict.fromkeys(files, 0)
    in_english = asked_in_english(run.kept_examples()) if form == "mixed" else frozenset()
    with ExitStack() as stack:
        write_row = {part: stack.enter_context(jsonl_writer(path)) for part, path in files.items()}
        for item in dealing:
            counts[item.part] += 1
            for row in _rows_of(item, form, in_english):
                write_row[item.part](row)
    for part, path in files.items():
        if part != "train" and not counts[part]:
            path.unlink()  # mlx-lm takes no empty file
    return {**counts, "form": form}


def _files(run: RunFolder) -> Mapping[Part, Path]:
    return {
        "train": run.train_rows,
        "valid": run.valid_rows,
        "test": run.test_rows,
        "left out": run.left_out,
    }


def _rows_of(
    item: Dealt, form: row_forms.Form, in_english: Container[tuple[str, ...]]
) -> Sequence[Json]:
    if item.part == "left out":
        return [{"id": item.example.id, "why": item.why}]
    return row_forms.training_rows(item.example, form, in_english)


def dealt(run: RunFolder) -> tuple[list[Json], list[Json]]:
    """The rows that are trained on, and those that are validated on, which may be none.

    Raises:
        BadInput: with path:line, where a row was edited to what cannot be trained on.
        StorageError: there is no data/train.jsonl.
    """
    trained = _rows(run.train_rows)
    validated = _rows(run.valid_rows) if run.valid_rows.exists() else []
    return trained, validated


def _rows(path: Path) -> list[Json]:
    """The rows of a part, which may have been edited."""
    rows = []
    for line, row in enumerate(read_jsonl(path), start=1):
        if fault := _fault(row):
            raise BadInput(f"{path}:{line}: {fault}", hint="correct the row, or augment again")
        rows.append(row)
    return rows


def _fault(row: Json) -> str | None:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "an escape is half of a surrogate pair (U+D800 to U+DFFF)"
    return None if isinstance(row.get("id"), str) else "no id that is a text"
