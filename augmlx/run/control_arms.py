"""The arms beside the run's own adapter: what they are trained on, and where each arm's adapter
lies.

finetuned has the originals alone, rephrased also the kept rephrasings (rule 8 of the method: a
control of about as many steps that only rephrases), oracle the originals and true consequences that
the user brings. All take the whole epochs that come nearest to the optimizer steps of the augmented
training, in batches of as many examples, and are held at the same anchors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from augmlx.core.arms import ARMS, AUGMENTED, FINETUNED, ORACLE, REPHRASED
from augmlx.core.errors import RunError
from augmlx.core.files import read_jsonl
from augmlx.core.records import Example, Fact, Json, consequence, fact_from_json, original
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.models.formats.adapter_folder import require_adapter_of
from augmlx.models.store.folder import StoredModel

REPHRASE = "rephrase"


def folder_of(run: RunFolder, arm: str) -> Path:
    """Where an arm is trained: a training folder of its own, laid out like the run's."""
    stage = ARMS[arm].stage
    return run.path if arm == AUGMENTED.name or not stage else run / stage


def places(run: RunFolder, model: StoredModel, settings: Settings) -> dict[str, Path | None]:
    """Each arm that is asked, with its adapter's folder; None is the base model.

    Raises BadSettings for a named adapter that is none, or is another model's.
    """
    places: dict[str, Path | None] = {}
    for arm in settings.eval.arms:
        is_trained = ARMS[arm].stage != ""
        places[arm] = folder_of(run, arm) / "adapter" if is_trained else None
    for name, path in settings.eval.adapters.items():
        require_adapter_of(Path(path), model.name, f"eval.adapters: {name}")
        places[name] = Path(path)
    return places


def same_as_augmented(run: RunFolder, arms: Iterable[str]) -> list[str]:
    """Those of some arms that would be trained on the rows of the augmented arm, which is one of
    them: where no augmentation is trained on.
    """
    asked = set(arms)
    if AUGMENTED.name not in asked or trained_on(run):
        return []
    return [arm for arm in (FINETUNED.name, REPHRASED.name) if arm in asked]


def rows(arm: str, run: RunFolder, facts: Sequence[Fact], form: row_forms.Form) -> list[Json]:
    """The training rows of a control arm: the originals, and what is its own.

    Raises RunError where there is nothing that sets it apart.
    """
    own = _OWN_EXAMPLES[arm](run)
    examples = [*map(original, facts), *own]
    return [row for example in examples for row in row_forms.training_rows(example, form)]


def _nothing_of_its_own(_run: RunFolder) -> list[Example]:
    return []


def _rephrasings(run: RunFolder) -> list[Example]:
    examples = trained_on(run, REPHRASE)
    if not examples:
        raise RunError(
            f"{run.path}: the arm rephrased needs rephrasings in the training set, and there "
            "are none",
            hint="augment with the operator rephrase, or leave the arm out of eval.arms",
        )
    return examples


def _true_consequences(run: RunFolder) -> list[Example]:
    examples = consequences(run)
    if not examples:
        raise RunError(
            f"{run.path}: the arm oracle needs consequences known to be true",
            hint="bring true consequences: augmlx eval RUN --oracle FILE",
        )
    return examples


# What a control is trained on besides the originals; every control has an entry.
_OWN_EXAMPLES: Mapping[str, Callable[[RunFolder], list[Example]]] = {
    FINETUNED.name: _nothing_of_its_own,
    REPHRASED.name: _rephrasings,
    ORACLE.name: _true_consequences,
}


def trained_on(run: RunFolder, operator: str | None = None) -> list[Example]:
    """The augmentations (of one operator) that the augmented arm is trained on."""
    ids = {row["id"] for row in read_jsonl(run.train_rows)}
    examples = [example for example in run.kept_examples() if example.id in ids]
    if operator is None:
        return examples
    return [example for example in examples if example.origin.operator == operator]


def consequences(run: RunFolder) -> list[Example]:
    """What the user says follows from the facts, as examples."""
    if not run.oracle.exists():
        return []
    given = map(fact_from_json, read_jsonl(run.oracle))
    return [consequence(fact) for fact in given]
