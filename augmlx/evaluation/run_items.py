"""What a run is asked: the user's questions, or items derived from its facts and what was held out
of training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from augmlx.core.errors import BadInput, NothingToAsk
from augmlx.core.files import read_jsonl
from augmlx.core.records import EvalItem, Example, Fact, Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.questions import Question
from augmlx.data.stage import dealt
from augmlx.engines.local import engine_over
from augmlx.evaluation import asking, items
from augmlx.evaluation.chat_items import chat_items

if TYPE_CHECKING:
    from augmlx.models.loading import LoadedModel


def items_of(
    run: RunFolder,
    facts: Sequence[Fact],
    questions: Sequence[Question],
    settings: Settings,
    *,
    talks: bool = False,
) -> tuple[list[EvalItem], list[str]]:
    """The items that the arms are compared on, and what a reader of the numbers must know.

    Args:
        questions: the user's own; where there are none, items are derived.
        talks: whether the model is one that people talk to; then it is asked in a chat, too.

    Raises:
        BadInput: a question has no wrong answer or is about no fact, or no item can be derived.
    """
    own = _brought if questions else _derived
    own_items, notes = own(run, facts, questions, settings)
    if not talks or any(item.in_chat for item in own_items):
        return own_items, notes
    kept = [example for example in run.kept_examples() if example.known is not False]
    in_chat = chat_items(facts, kept, settings.eval.choices, seed=settings.seed)
    return [*own_items, *in_chat], notes


def _brought(
    run: RunFolder, facts: Sequence[Fact], questions: Sequence[Question], settings: Settings
) -> tuple[list[EvalItem], list[str]]:
    own_items = items.from_questions(questions, settings.eval.choices, seed=settings.seed)
    items.require_facts(own_items, facts)
    held_out = _held_out_ids(run)
    if not held_out:
        return own_items, []
    note = (
        f"{len(held_out)} augmentations were held out of training, for the run was augmented "
        "without questions. To train on them: augmlx augment FACTS --questions FILE -o RUN."
    )
    return own_items, [note]


def _derived(
    run: RunFolder, facts: Sequence[Fact], _questions: Sequence[Question], settings: Settings
) -> tuple[list[EvalItem], list[str]]:
    held_out = _kept_examples(run, _held_out_ids(run))
    derived = items.derived(facts, held_out, settings.eval.choices, seed=settings.seed)
    if settings.train.asks_questions:  # the best was chosen by the forward items of these facts
        _, valid = dealt(run)
        judging = _fact_ids(_validated_on(run, valid))
        derived = [item for item in derived if not judging.issuperset(item.fact_ids)]
    if not derived:
        raise NothingToAsk(
            f"{run.path}: no questions can be derived from these facts",
            hint="bring your own: augmlx eval RUN --questions FILE",
        )
    source = f"{len(held_out)} augmentations that were held out of training"
    notes = [f"No questions were given: the items are derived from the facts and from {source}."]
    if unsure := len(_held_out_ids(run)) - len(held_out):
        notes.append(
            f"{unsure} more were held out and are not asked about: that they are right is only "
            "what the model's samples agree on."
        )
    if held_out:
        notes.append(
            "Those were never trained on, which is harder than questions about what was; "
            "split.test = 0 trains on all."
        )
    else:
        notes.append(
            "Nothing was held out, so only the direction that the facts are written in is measured."
        )
    return derived, notes


def judge(
    run: RunFolder, facts: Sequence[Fact], valid: Sequence[Json], settings: Settings
) -> Callable[[LoadedModel], Mapping[str, float]]:
    """What measures a model while it is trained: its accuracy, by kind, on questions about the
    facts whose augmentations it is validated on.

    `items_of` leaves these questions out: the best is not chosen by what measures it.

    Args:
        valid: the rows of data/valid.jsonl.

    Raises:
        BadInput: no question can be derived from them.
    """
    held_out = _validated_on(run, valid)
    fact_ids = _fact_ids(held_out)
    derived = items.derived(facts, held_out, settings.eval.choices, seed=settings.seed)
    judging = [item for item in derived if fact_ids.issuperset(item.fact_ids)]
    if not judging:
        raise BadInput(
            f"{run.valid_rows}: no questions can be derived from it",
            hint='hold more out (split.valid), or choose the best by loss: train.best = "loss"',
        )
    return lambda loaded: asking.accuracy_by_kind(judging, engine_over(loaded), settings.eval)


def _held_out_ids(run: RunFolder) -> set[str]:
    """The ids of the examples that were held out for the test."""
    path = run.test_rows
    if not path.exists():
        return set()
    return {row["id"] for row in read_jsonl(path)}


def _validated_on(run: RunFolder, valid: Sequence[Json]) -> list[Example]:
    return _kept_examples(run, {row["id"] for row in valid})


def _kept_examples(run: RunFolder, example_ids: set[str]) -> list[Example]:
    """Those that may be asked about: what nobody verified is no truth to test on."""
    kept = (example for example in run.kept_examples() if example.id in example_ids)
    return [example for example in kept if example.known is not False]


def _fact_ids(examples: Sequence[Example]) -> set[str]:
    fact_ids: set[str] = set()
    for example in examples:
        fact_ids.update(example.origin.fact_ids)
    return fact_ids
