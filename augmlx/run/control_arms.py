"""The arms beside the run's own adapter: what they are trained on, and where each arm's adapter
lies.

finetuned has the originals alone, rephrased also the kept rephrasings (rule 8 of the method: a
control of about as many steps that only rephrases), oracle the originals and true consequences that
the user brings. All take the whole epochs that come nearest to the optimizer steps of the augmented
training, in batches of as many examples, without replay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from augmlx.augment import generate
from augmlx.augment.stage import augmented
from augmlx.core.errors import BadSettings, RunError
from augmlx.core.files import read_jsonl
from augmlx.core.records import Example, Fact, Json, Origin, fact_from_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import row_forms
from augmlx.models.store.folder import StoredModel
from augmlx.run.stages import CONTROLS

REPHRASE = "rephrase"


def folder_of(run: RunFolder, arm: str) -> Path:
    """Where an arm is trained: a training folder of its own, laid out like the run's."""
    return run.path if arm == "augmented" else run / CONTROLS[arm]


def places(run: RunFolder, model: StoredModel, settings: Settings) -> dict[str, Path | None]:
    """Each arm that is asked, with its adapter's folder; None is the base model.

    Raises BadSettings for a named adapter that is none, or is another model's.
    """
    trained = {"augmented", *CONTROLS}
    found: dict[str, Path | None] = {
        arm: folder_of(run, arm) / "adapter" if arm in trained else None
        for arm in settings.eval.arms
    }
    for name, path in settings.eval.adapters.items():
        found[name] = _checked(name, Path(path), model)
    return found


def _checked(name: str, folder: Path, model: StoredModel) -> Path:
    place = f"eval.adapters: {name}"
    try:
        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        base = config["augmlx"]["base"] if "augmlx" in config else model.name
        if "fine_tune_type" not in config or not (folder / "adapters.safetensors").is_file():
            raise ValueError(folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        hint = (
            "name the folder that holds adapters.safetensors and adapter_config.json, as "
            "mlx-lm writes them"
        )
        raise BadSettings(f"{place}: {folder} is no adapter", hint=hint) from error
    if base != model.name:
        raise BadSettings(
            f"{place}: {folder} was trained on {base}, not on {model.name}", hint="leave it out"
        )
    return folder


def rows(arm: str, run: RunFolder, facts: Sequence[Fact], form: row_forms.Form) -> list[Json]:
    """The training rows of a control arm. Raises RunError where there is nothing that sets it
    apart.
    """
    examples = [generate.original(fact) for fact in facts]
    if arm == "rephrased":
        examples += trained_on(run, REPHRASE)
        hint = "augment with the operator rephrase, or leave the arm out of eval.arms"
        fault = "the arm rephrased needs rephrasings in the training set, and there are none"
    elif arm == "oracle":
        examples += consequences(run)
        hint = "bring true consequences: augmlx eval RUN --oracle FILE"
        fault = "the arm oracle needs consequences known to be true"
    if arm != "finetuned" and len(examples) == len(facts):
        raise RunError(f"{run.path}: {fault}", hint=hint)
    return [row_forms.training_row(example, form) for example in examples]


def trained_on(run: RunFolder, operator: str | None = None) -> list[Example]:
    """The augmentations (of one operator) that the augmented arm is trained on."""
    names = {row["id"] for row in read_jsonl(run.data / "train.jsonl")}
    return [e for e in augmented(run) if e.id in names and operator in (None, e.origin.operator)]


def consequences(run: RunFolder) -> list[Example]:
    """What the user says follows from the facts, as examples."""
    if not run.oracle.exists():
        return []
    given = map(fact_from_json, read_jsonl(run.oracle))
    return [
        Example(f"{f.id}/oracle", f.text, Origin((f.id,), "oracle", "", "", 0, 0, ""), f.row)
        for f in given
    ]
