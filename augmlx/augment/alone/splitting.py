"""Tables of facts -> the rows of a sheet in which each fact stands alone.

Nothing goes without a word: a sentence whose split is not taken stays as it is, with a note; one
that says nothing without another is left out with the reason, its text beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from augmlx.augment.alone.asking import ask
from augmlx.augment.alone.checking import Answer
from augmlx.augment.alone.sentences import ELSEWHERE, Sentence, sentences_of
from augmlx.augment.calibration.report import find_report
from augmlx.augment.journal import open_journal
from augmlx.core.counting import counted
from augmlx.core.errors import ModelError
from augmlx.core.progress import Progress
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.data.fact_sheet import SheetRow
from augmlx.data.facts import FactTable
from augmlx.engines.local import mlx_engine
from augmlx.engines.protocol import Engine
from augmlx.models import memory
from augmlx.models.store import folder as store


def split_by_model(
    tables: Sequence[FactTable], model: str, journal: Path | None, progress: Progress
) -> list[list[SheetRow]]:
    """The rows of each table's facts, by a model of the store.

    Args:
        journal: the file of what it writes; None goes on from nothing, and keeps nothing.

    Raises:
        ModelError: there is no such model, or it cannot be asked.
        RunError, StorageError: the journal cannot be used.
    """
    stored = store.find(model)
    settings = Settings(model=model)
    report = find_report(stored)
    config = report.over(settings.augment) if report else settings.augment
    with memory.limited(settings.memory, True):
        engine = mlx_engine(stored, None, width=config.batch_size)
        return split(tables, engine, journal, config, progress)


def split(
    tables: Sequence[FactTable],
    engine: Engine,
    journal: Path | None,
    settings: AugmentSettings,
    progress: Progress,
) -> list[list[SheetRow]]:
    """The same, by an engine."""
    read = [sentences_of(table) for table in tables]
    asked = [sentence for sentences in read for sentence in sentences if sentence.is_asked]
    with open_journal(journal) as opened:
        answers = ask(asked, engine, opened, settings, progress)
    _refuse_where_all_failed(engine, answers)
    taken = sum(bool(answer.statements) for answer in answers)
    total = sum(map(len, read))
    progress.say(
        f"{counted(total, 'sentence')}: {len(asked)} put to {engine.model}, {taken} taken apart or "
        "resolved as it wrote"
    )
    remaining = iter(answers)
    rows = []
    for sentences in read:
        pairs = [(each, next(remaining) if each.is_asked else None) for each in sentences]
        rows.append([row for pair in pairs for row in _rows(*pair)])
    return rows


def _refuse_where_all_failed(engine: Engine, answers: Sequence[Answer]) -> None:
    failed = [answer for answer in answers if answer.is_failed]
    if failed and len(failed) == len(answers):
        hint = "choose a model with a larger window"
        raise ModelError(
            f"{engine.model}: no sentence could be put to it: {failed[0].why}", hint=hint
        )


def _rows(sentence: Sentence, answer: Answer | None) -> Iterator[SheetRow]:
    """The rows of one sentence."""
    fact = sentence.fact
    if answer is not None and answer.statements:
        for statement in answer.statements:
            made_of = sentence.text if statement != sentence.text else ""
            yield SheetRow(statement, fact.source, sentence=made_of)
    elif sentence.is_open:
        note = answer.why if answer else ""
        yield SheetRow(sentence.text, fact.source, left_out=ELSEWHERE, note=note)
    else:
        yield SheetRow(sentence.text, fact.source, row=fact.row, note=answer.why if answer else "")
