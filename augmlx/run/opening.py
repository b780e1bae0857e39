"""A run folder made or reopened for a table of facts, and locked while its pipeline is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augmlx.augment.stage import Writer
from augmlx.core import settings_file
from augmlx.core.progress import Progress, Silent
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.facts import read_facts
from augmlx.run.line import MakeEngine
from augmlx.run.pipeline import Pipeline


@contextmanager
def open_pipeline(
    run: Path,
    facts: Path,
    *,
    questions: Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    column: str | None = None,
    operators_folder: Path | None = None,
    make_engine: MakeEngine | None = None,
    writer: Writer | None = None,
    edited: Path | None = None,
) -> Iterator[Pipeline]:
    """A pipeline over a run folder that holds the facts and questions, locked until the block ends.

    Args:
        run: the folder; made if missing.
        facts: a table, a text or a training set, as the command `augmlx augment` takes it.
        questions: a table of questions; those given earlier are used where it is None.
        settings: by default those of the run where it has some, else the defaults.
        progress: hears what of the facts is left out, and how far a stage is.
        column: the column that holds the facts; by default fact or text.
        edited: the run's augmented.csv, edited by hand; see Pipeline.take_edits.

    Raises:
        BadInput: a file cannot be read as what it should be, with path:line.
        RunError: the folder is in use, is none of a run, or holds a run over other facts.
    """
    table = read_facts(facts, column=column)
    folder = RunFolder(run)
    folder.create(facts, questions)
    progress = progress or Silent()
    if settings is None:
        settings = settings_file.load(folder.settings if folder.settings.exists() else None)
    with folder.lock():
        pipeline = Pipeline(
            folder,
            settings,
            progress,
            operators_folder=operators_folder,
            make_engine=make_engine,
            writer=writer,
        )
        _ = pipeline.model  # refused before anything in the folder is replaced
        for note in table.notes:
            progress.say(note)
        for repeat in table.duplicates:
            progress.say(f"{repeat}; only the first is used")
        pipeline.refuse_others(table.facts)  # before anything in the folder is replaced
        pipeline.take_edits(edited)  # compared with what the folder holds, and so before the facts
        pipeline.take_questions(questions)
        pipeline.take_facts(table.facts)
        yield pipeline
