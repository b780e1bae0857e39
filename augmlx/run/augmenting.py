"""The stages that make the training set: augment (facts -> kept examples) and split (-> data/)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from augmlx.augment import anchors, edits, generate
from augmlx.augment import stage as augment_stage
from augmlx.augment.edits import Edits
from augmlx.augment.operators import exemplars
from augmlx.augment.operators.exemplars import Exemplars
from augmlx.augment.operators.schema import Operator
from augmlx.augment.plan import Plan
from augmlx.augment.stage import Earlier, Writer
from augmlx.core.errors import BadSettings
from augmlx.core.files import file_sha256
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.data import stage as split_stage
from augmlx.data.questions import Question
from augmlx.engines.local import engine_mark
from augmlx.run.checking import refuse_what_does_not_fit
from augmlx.run.line import Line
from augmlx.run.stages import AUGMENT, SPLIT, StageTask


@dataclass(frozen=True, slots=True)
class Sources:
    """What examples are made from besides the facts.

    Args:
        operators: those of the settings, checked.
        exemplars: the user's own worked examples, by operator.
        earlier: what earlier rounds left, in a later one.
        edits: what the user made of kept texts by hand.
        writer: what writes in the place of the settings' model.
    """

    operators: Sequence[Operator]
    exemplars: Exemplars
    earlier: Earlier | None
    edits: Edits
    writer: Writer | None


def read_sources(
    run: RunFolder,
    settings: Settings,
    folder: Path | None,
    earlier: Earlier | None,
    writer: Writer | None,
) -> Sources:
    """Read what the settings name, from `folder` (that of augmlx.toml) where it lies beside it, and
    the run's edits.

    Raises BadInput.
    """
    operators = generate.load_operators(settings.augment, folder)
    return Sources(
        operators=operators,
        exemplars=exemplars.read(folder, operators),
        earlier=earlier,
        edits=edits.read(run.edited),
        writer=writer,
    )


def refuse_what_training_would(line: Line, folder: Path | None) -> None:
    """Raises BadSettings and BadInput for what later stages would refuse as well, but after all
    the generating; `folder` is that of augmlx.toml.
    """
    best = line.settings.train.best
    if best != "off" and not line.settings.split.valid:
        hint = "hold some out: --set split.valid=0.1"
        raise BadSettings(f'train.best = "{best}": split.valid is 0', hint=hint)
    row_forms.form_of(line.facts, line.settings.split.form)
    anchors.own_texts(line.settings, folder)


def augment_task(line: Line, sources: Sources) -> StageTask:
    """facts -> augmented.jsonl, rejected.jsonl, journal.sqlite."""
    own = sources.exemplars
    return StageTask(
        AUGMENT,
        basis=line.augment_basis,
        inputs=[
            *([sources.writer.mark] if sources.writer else []),
            *_marks_of_rounds(line, sources.earlier),
            *([sources.edits.mark] if sources.edits.mark else []),
            *(operator.model_dump(mode="json") for operator in sources.operators),
            {name: [exemplar.model_dump() for exemplar in own[name]] for name in own},
        ],
        outputs=[line.run.augmented, line.run.rejected, line.run.journal],
        prepare=lambda: _prepare(line, sources),
    )


def split_task(line: Line, sources: Sources, questions: Sequence[Question]) -> StageTask:
    """augmented.jsonl -> data/{train,valid,test}.jsonl."""
    held = sources.earlier.held if sources.earlier else None
    asked: object = bool(questions)
    if line.settings.split.leak == "drop":
        asked = [[question.prompt, question.answer] for question in questions]
    return StageTask(
        SPLIT,
        basis=line.split_basis,
        inputs=[
            line.run.manifest()[AUGMENT.name]["fingerprint"],
            asked,
            line.form,
            *([held] if held is not None else []),
        ],
        outputs=[line.run.train_rows],
        prepare=lambda: partial(
            split_stage.write_data,
            line.run,
            line.facts,
            questions,
            line.settings,
            form=line.form,
            held=held,
        ),
    )


def _marks_of_rounds(line: Line, earlier: Earlier | None) -> list[object]:
    """What a later round depends on: its writer, and what earlier rounds left."""
    if earlier is None:
        return []
    left = [file_sha256(path) for path in (earlier.augmented, earlier.rejected)]
    return [earlier.number, engine_mark(line.model, earlier.adapter), *left]


def _prepare(line: Line, sources: Sources) -> Callable[[], Json]:
    settings, earlier = line.settings, sources.earlier
    refuse_what_does_not_fit(line)
    if sources.writer is not None:  # training is the local model's all the same
        engine = sources.writer.engine()
    else:
        engine = line.make_engine(earlier.adapter if earlier else None)
    generate.require_scores(sources.operators, engine)
    plan = Plan(
        line.facts,
        sources.operators,
        settings.augment,
        seed=settings.seed,
        engine=engine,
        own=sources.exemplars,
    )
    return partial(
        augment_stage.write,
        line.run,
        line.facts,
        plan,
        engine,
        settings,
        line.progress,
        earlier,
        sources.edits.edits,
    )


def why_nothing(counts: Json, rejected: str) -> str:
    """What is said where nothing was kept, with what to do."""
    if not counts["produced"]:
        return (
            "augment: nothing was written: no operator takes these facts; write one statement a "
            "row, or see augmlx operators"
        )
    return (
        f"augment: nothing was kept of {counts['produced']} written texts, so training is on the "
        f"facts alone; {rejected} says why, and so does augmlx preview --why. What helps: one "
        "plain statement a row (augmlx facts FILE shows how a file is read), or a larger model"
    )
