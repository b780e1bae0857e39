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
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.data.split import Part, deal
from augmlx.data.tables import Question


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
    """Deal the run's examples out and mix replay in; returns the counts.

    Args:
        form: how the rows are written.
        replay: gives so many examples of replay, or fewer.
        held: as in split.deal.
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
    counts = dict.fromkeys(("train", "valid", "test", "left out"), 0)
    with ExitStack() as stack:
        files = {
            part: stack.enter_context(jsonl_writer(run.data / f"{part.replace(' ', '_')}.jsonl"))
            for part in counts
        }
        for item in dealing:
            counts[item.part] += 1
            if item.part == "left out":
                files[item.part]({"id": item.example.id, "why": item.why})
            else:
                files[item.part](row_forms.training_row(item.example, form))
        wanted = replay_needed(counts["train"], config.replay_share) if config.replay else 0
        mixed = replay(wanted)
        if len(mixed) < wanted:
            progress.say(
                f"replay: {len(mixed)} texts, fewer than the {wanted} that split.replay_share "
                f"asks for"
            )
        for example in mixed:
            files["train"](row_forms.training_row(example, form))
    for part in ("valid", "test", "left out"):
        if not counts[part]:
            (run.data / f"{part.replace(' ', '_')}.jsonl").unlink()  # mlx-lm takes no empty file
    return {**counts, "replay": len(mixed), "form": form}


def replay_needed(trained: int, share: float) -> int:
    """How many rows of replay make up `share` of a set of which `trained` are not replay."""
    return round(trained * share / (1 - share))


def dealt(run: RunFolder) -> tuple[list[Json], list[Json]]:
    """The rows that are trained on, and those that are validated on."""
    train, valid = (run.data / f"{part}.jsonl" for part in ("train", "valid"))
    return _rows(train), _rows(valid) if valid.exists() else []


def _rows(path: Path) -> list[Json]:
    """The rows of a part, which may have been edited. Raises BadInput, with path:line."""
    rows = []
    for line, row in enumerate(read_jsonl(path), start=1):
        fault = None if isinstance(row.get("id"), str) else "no id that is a text"
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            fault = "an escape is half of a surrogate pair (U+D800 to U+DFFF)"
        if fault:
            raise BadInput(f"{path}:{line}: {fault}", hint="correct the row, or augment again")
        rows.append(row)
    return rows
