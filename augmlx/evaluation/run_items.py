"""What a run is asked: the user's questions, or items derived from its facts and what was held out
of training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from augmlx.core.errors import BadInput
from augmlx.core.files import read_jsonl
from augmlx.core.records import EvalItem, Example, Fact, Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.stage import dealt
from augmlx.data.tables import Question
from augmlx.engines.local import engine_over
from augmlx.evaluation import asking, items

if TYPE_CHECKING:
    from augmlx.models.loading import LoadedModel


def items_of(
    run: RunFolder, facts: Sequence[Fact], questions: Sequence[Question], settings: Settings
) -> tuple[list[EvalItem], list[str]]:
    """The items that the arms are compared on, and what a reader of the numbers must know. Raises
    BadInput.
    """
    config, seed = settings.eval, settings.seed
    path = run.data / "test.jsonl"
    held_out = {row["id"] for row in read_jsonl(path)} if path.exists() else set()
    if questions:
        notes = []
        if held_out:
            told = (
                f"{len(held_out)} augmentations were held out of training, for the run was "
                f"augmented without"
            )
            notes = [
                f"{told} questions. To train on them: augmlx augment FACTS --questions FILE -o RUN."
            ]
        asked = items.from_questions(questions, config.choices, seed=seed)
        items.require_facts(asked, facts)
        return asked, notes
    withheld = _examples(run, held_out)
    made = items.derived(facts, withheld, config.choices, seed=seed)
    if settings.train.best == "accuracy":  # the best was chosen by the forward items of these facts
        _, judged = _judged(run, dealt(run)[1])
        made = [item for item in made if not judged.issuperset(item.fact_ids)]
    if not made:
        raise BadInput(
            f"{run.path}: no questions can be derived from these facts",
            hint="bring your own: augmlx eval RUN --questions FILE",
        )
    told = f"{len(withheld)} augmentations that were held out of training"
    notes = [f"No questions were given: the items are derived from the facts and from {told}."]
    if withheld:
        told = (
            "Those were never trained on, which is harder than questions about what was; "
            "split.test = 0 trains on all."
        )
        notes.append(told)
    else:
        notes.append(
            "Nothing was held out, so only the direction that the facts are written in is measured."
        )
    return made, notes


def judge(
    run: RunFolder, facts: Sequence[Fact], valid: Sequence[Json], settings: Settings
) -> Callable[[LoadedModel], Mapping[str, float]]:
    """The accuracy of a model, by kind, on questions about the facts whose augmentations it is
    validated on. Raises BadInput where none can be derived. `items_of` leaves these out: the best
    is not chosen by what measures it.
    """
    withheld, about = _judged(run, valid)
    made = items.derived(facts, withheld, settings.eval.choices, seed=settings.seed)
    chosen = [item for item in made if about.issuperset(item.fact_ids)]
    if not chosen:
        hint = 'hold more out (split.valid), or choose the best by loss: train.best = "loss"'
        raise BadInput(
            f"{run.data / 'valid.jsonl'}: no questions can be derived from it", hint=hint
        )
    return lambda loaded: asking.accuracy_by_kind(chosen, engine_over(loaded), settings.eval)


def _judged(run: RunFolder, valid: Sequence[Json]) -> tuple[list[Example], set[str]]:
    """The examples that are validated on, and the ids of the facts they are about."""
    withheld = _examples(run, {row["id"] for row in valid})
    return withheld, {name for example in withheld for name in example.origin.fact_ids}


def _examples(run: RunFolder, names: set[str]) -> list[Example]:
    return [example for example in run.kept_examples() if example.id in names]
