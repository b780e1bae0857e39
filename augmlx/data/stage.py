"""The split stage over one run folder: data/, as split.deal deals it out, with replay mixed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from augmlx.core.errors import BadInput
from augmlx.core.files import jsonl_writer, read_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings, SplitSettings
from augmlx.data import row_forms
from augmlx.data.questions import Question
from augmlx.data.split import Dealt, Part, deal


def write_data(
    run: RunFolder,
    facts: Sequence[Fact],
    questions: Sequence[Question],
    settings: Settings,
    progress: Progress,
    *,
    form: row_forms.Form,
    replay: Callable[[int], Sequence[Example]],
    held: Mapping[str, Part] | None,
) -> Json:
    """Deal the run's examples out and mix replay in.

    Args:
        run: holds augmented.jsonl, and gets data/.
        facts: the originals.
        questions: the user's, whose answers may have to be kept out.
        settings: of the split, and the seed.
        progress: is told of replay that falls short.
        form: how the rows are written.
        replay: gives so many examples of replay, or fewer.
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
    with ExitStack() as stack:
        write_row = {part: stack.enter_context(jsonl_writer(path)) for part, path in files.items()}
        for item in dealing:
            counts[item.part] += 1
            write_row[item.part](_row(item, form))
        mixed = _replay(replay, counts["train"], config, progress)
        for example in mixed:
            write_row["train"](row_forms.training_row(example, form))
    for part, path in files.items():
        if part != "train" and not counts[part]:
            path.unlink()  # mlx-lm takes no empty file
    return {**counts, "replay": len(mixed), "form": form}


def _files(run: RunFolder) -> Mapping[Part, Path]:
    return {
        "train": run.train_rows,
        "valid": run.valid_rows,
        "test": run.test_rows,
        "left out": run.left_out,
    }


def _row(item: Dealt, form: row_forms.Form) -> Json:
    if item.part == "left out":
        return {"id": item.example.id, "why": item.why}
    return row_forms.training_row(item.example, form)


def _replay(
    replay: Callable[[int], Sequence[Example]],
    trained: int,
    config: SplitSettings,
    progress: Progress,
) -> Sequence[Example]:
    wanted = replay_needed(trained, config.replay_share) if config.replay else 0
    mixed = replay(wanted)
    if len(mixed) < wanted:
        progress.say(
            f"replay: {len(mixed)} texts, fewer than the {wanted} that split.replay_share asks for"
        )
    return mixed


def replay_needed(trained: int, share: float) -> int:
    """How many rows of replay make up `share` of a set of which `trained` are not replay."""
    return round(trained * share / (1 - share))


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
