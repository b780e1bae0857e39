"""The stage that compares the arms: items -> eval/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.arms import ARMS, AUGMENTED
from augmlx.core.records import EvalItem, Json, to_json
from augmlx.data.questions import Question
from augmlx.engines.local import engine_mark
from augmlx.evaluation import run_items
from augmlx.evaluation import stage as evaluation_stage
from augmlx.evaluation.overclaims import Probe, probes
from augmlx.evaluation.summary import TrainingSize
from augmlx.run import control_arms
from augmlx.run.anchoring import unknown_rows
from augmlx.run.line import Line
from augmlx.run.stages import EVAL, StageTask


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked of whom.

    Args:
        items: the questions, the same for all arms.
        notes: what a reader of the numbers must know.
        probes: what no fact answers.
        places: each arm with its adapter's folder; None is the base model.
    """

    items: Sequence[EvalItem]
    probes: Sequence[Probe]
    notes: Sequence[str]
    places: Mapping[str, Path | None]


def comparison(line: Line, questions: Sequence[Question]) -> Comparison:
    """The comparison that the settings ask for, without the arms that do not differ. Raises
    BadInput and BadSettings.
    """
    places = control_arms.places(line.run, line.model, line.settings)
    same = control_arms.same_as_augmented(line.run, places) if not unknown_rows(line) else []
    talks = line.form in ("mixed", "chat")
    items, notes = run_items.items_of(line.run, line.facts, questions, line.settings, talks=talks)
    for arm in same:
        del places[arm]
        note = (
            f"{arm} is not compared: nothing was kept that {AUGMENTED.name} would be trained on "
            "besides the facts, so that any difference between the two would be chance"
        )
        line.progress.say(f"eval: {note}")
        notes = [*notes, note]
    asked: Sequence[Probe] = ()
    if talks and line.settings.eval.overclaims:
        asked = probes(line.facts, line.run.kept_examples(), line.settings.seed)
    return Comparison(items, asked, notes, places)


def eval_task(line: Line, asked: Comparison, trained_fingerprint: str) -> StageTask:
    """The arms on the same items -> eval/summary.json, results.jsonl, items.jsonl."""
    marks = {arm: engine_mark(line.model, place) for arm, place in asked.places.items()}
    return StageTask(
        EVAL,
        basis=line.eval_basis,
        inputs=[
            [to_json(item) for item in asked.items],
            [list(probe) for probe in asked.probes],
            trained_fingerprint,
            marks,
            evaluation_stage.mark(line.settings),
        ],
        outputs=[line.run.eval / name for name in evaluation_stage.FILES],
        prepare=lambda: lambda: _compare(line, asked, marks),
        computes=line.answers_by_mlx,
    )


def _compare(line: Line, asked: Comparison, marks: Mapping[str, str]) -> Json:
    return evaluation_stage.compare(
        line.run,
        asked.items,
        line.facts,
        line.settings,
        arms_of=list(asked.places),
        engine_of=lambda arm: line.make_engine(asked.places[arm]),
        mark_of=marks.__getitem__,
        progress=line.progress,
        about=evaluation_stage.About(
            derived=not line.run.questions.exists(),
            model=line.model.name,
            trained=_trained(line, asked.places),
            notes=asked.notes,
        ),
        trained=control_arms.trained_on(line.run),
        probes=asked.probes,
    )


def _trained(line: Line, places: Mapping[str, Path | None]) -> dict[str, TrainingSize]:
    """Of each trained arm, on how much it was trained."""
    manifest = line.run.manifest()
    stages = {name: ARMS[name].stage for name in places if name in ARMS}
    counts = {name: manifest[stage]["counts"] for name, stage in stages.items() if stage}
    return {
        name: TrainingSize(of_arm["examples"], of_arm["steps"], of_arm["tokens"])
        for name, of_arm in counts.items()
    }
