"""An exported folder on its way to the Hugging Face Hub: what would go, and the process that sends
it. Only a folder that `augmlx export` wrote goes, and of it only the files of an export.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.errors import BadSettings, ModelError, storage_errors
from augmlx.exporting import export_folder, fused, peft, peft_config
from augmlx.exporting.gguf_files import lora, model, modelfile

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_KEYS = (peft_config.CONFIG, fused.KEY, model.FILE, lora.FILE)  # without one of them nothing loads
_FILES = {
    export_folder.CARD,
    peft.WEIGHTS,
    peft_config.CONFIG,
    *fused.FILES,
    model.FILE,
    lora.FILE,
    modelfile.FILE,
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What would go: name -> size in bytes of each file of a folder, to a repository."""

    folder: Path
    repository: str
    sizes: dict[str, int]


def parcel(folder: Path, repository: str) -> Parcel:
    """What publishing would send; nothing is sent.

    Raises:
        BadSettings: the repository's name is none, or the folder holds anything but an export.
        ModelError: the export is not finished.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise BadSettings(
            f"{repository}: not the name of a repository", hint="give it as NAME/REPO"
        )
    if not folder.is_dir():
        raise BadSettings(
            f"{folder}: no such folder", hint="write it with: augmlx export RUN -o DIR"
        )
    with storage_errors(folder):
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
        card = folder / export_folder.CARD
        is_ours = card.is_file() and export_folder.MARK in card.read_text("utf-8", errors="replace")
    strange = sorted(name for name in sizes if not export_folder.is_one_of(name, _FILES))
    if strange or not is_ours:
        listed = ", ".join(strange[:8]) or "no card of augmlx's"
        raise BadSettings(
            f"{folder}: not an export of augmlx alone: {listed}; nothing was sent",
            hint="export into a folder of its own: augmlx export RUN -o DIR",
        )
    if not any(key in sizes for key in _KEYS):
        raise ModelError(
            f"{folder}: the export in it is not finished", hint="run augmlx export again"
        )
    return Parcel(folder, repository, sizes)


def send(parcel: Parcel, *, public: bool) -> str:
    """Send it, and return its address. The repository is made if there is none.

    Raises:
        ModelError: no connection, no login, or a repository that everybody reads where it was to be
            private.
    """
    order = {
        "folder": str(parcel.folder),
        "repository": parcel.repository,
        "files": list(parcel.sizes),
        "public": public,
    }
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "augmlx.exporting.publish_child"],
        input=json.dumps(order),
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        reason = lines[-1] if done.returncode == 1 and lines else "the sending process failed"
        raise ModelError(
            f"{parcel.repository}: could not be published: {reason}",
            hint="log in with: hf auth login; check the name and the network, and run it again",
        )
    return lines[-1]
