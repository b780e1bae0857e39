"""The stage of the line that writes the adapter of a run as a PEFT folder."""

from __future__ import annotations

from pathlib import Path

from augmlx.core.progress import Progress
from augmlx.core.records import Json, fingerprint
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import peft
from augmlx.models.formats import model_folder
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel


def target_folder(run: RunFolder, out: Path | None) -> Path:
    """The folder that is written: `out`, which the user named, or one inside the run."""
    return out or run / "export" / "peft"


def inputs(training: str, target: Path, hf_base: str | None) -> list[object]:
    """What an export depends on, for the stage's fingerprint.

    Args:
        training: the fingerprint of the training that made the adapter.
        target: the folder that is written; only its fingerprint goes in.
        hf_base: the Hugging Face name that the user gave the base model, if any.
    """
    return [training, fingerprint(str(target.resolve())), hf_base]


def outputs(target: Path) -> list[Path]:
    """The files without which an export is not finished."""
    return [target / peft.WEIGHTS, target / peft.CONFIG]


def write(
    run: RunFolder,
    target: Path,
    progress: Progress,
    *,
    model: StoredModel,
    hf_base: str | None = None,
) -> Json:
    """Write the run's adapter as a PEFT folder and say what the user should know about it.

    Args:
        target: missing, empty, or an earlier export, which is replaced.
        model: what the adapter was trained on.
        hf_base: the Hugging Face name of the base model; the known one where it is None.

    Returns:
        The counts for the manifest.

    Raises:
        BadSettings: no usable name of the base, or a target that holds something else.
        ModelError: the adapter is missing, damaged, or has no PEFT form.
        StorageError: the folder cannot be written.
    """
    notes = peft.export_peft(
        run.adapter,
        read_spec(run.adapter),
        target,
        hf_base=hf_base,
        model_type=model_folder.read_config(model.path).get("model_type"),
    )
    for note in notes:
        progress.say(note)
    return {"format": "peft"}
