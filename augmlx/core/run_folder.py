"""The run folder: its paths, its lock, its manifest."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from augmlx.core.arms import CONTROLS
from augmlx.core.errors import RunError, StorageError, storage_errors
from augmlx.core.files import FILE_MODE, FOLDER_MODE, make_folder, read_jsonl, write_json
from augmlx.core.records import Example, Json, example_from_json

# The stages of the straight line, in their order.
EXPORT_STAGES = {  # by the form that is written
    "peft": "export",
    "fused": "export-fused",
    "gguf": "export-gguf",
    "gguf-lora": "export-gguf-lora",
}
_TRAININGS = ("train", *(arm.stage for arm in CONTROLS))
STAGES = ("augment", "split", "anchor", *_TRAININGS, "eval", *EXPORT_STAGES.values())


class RunFolder:
    """Paths of one run folder; nothing is read or written by naming one."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def settings(self) -> Path:
        return self / "augmlx.toml"

    @property
    def lock_file(self) -> Path:
        """Made with the first command on the folder: it marks a run."""
        return self / ".lock"

    @property
    def manifest_file(self) -> Path:
        return self / "manifest.json"

    @property
    def facts(self) -> Path:
        return self / "facts.jsonl"

    @property
    def questions(self) -> Path:
        return self / "questions.jsonl"

    @property
    def journal(self) -> Path:
        return self / "journal.sqlite"

    @property
    def augmented(self) -> Path:
        return self / "augmented.jsonl"

    @property
    def augmented_csv(self) -> Path:
        """The kept texts for a spreadsheet."""
        return self / "augmented.csv"

    @property
    def rejected(self) -> Path:
        return self / "rejected.jsonl"

    @property
    def uncovered(self) -> Path:
        """For which facts nothing was kept in which direction."""
        return self / "uncovered.jsonl"

    @property
    def edited(self) -> Path:
        """What the user made of the kept texts by hand; there is no such file where nothing."""
        return self / "edited.jsonl"

    @property
    def data(self) -> Path:
        return self / "data"

    @property
    def train_rows(self) -> Path:
        """What is trained on, in mlx-lm's own format."""
        return self.data / "train.jsonl"

    @property
    def valid_rows(self) -> Path:
        """What is validated on; there is no such file where nothing is."""
        return self.data / "valid.jsonl"

    @property
    def test_rows(self) -> Path:
        """What is held out; there is no such file where nothing is."""
        return self.data / "test.jsonl"

    @property
    def left_out(self) -> Path:
        """Which examples are in no part, and why."""
        return self.data / "left_out.jsonl"

    @property
    def anchor_rows(self) -> Path:
        """Where training holds the model; there is no such file where nowhere."""
        return self.data / "anchors.jsonl"

    @property
    def unknown_rows(self) -> Path:
        """Questions that nothing is known of; there is no such file where there are none."""
        return self.data / "unknown.jsonl"

    @property
    def remembered(self) -> Path:
        """What the base model gave at the anchors."""
        return self.data / "anchors.safetensors"

    @property
    def metrics(self) -> Path:
        """A line for each optimizer step."""
        return self / "metrics.jsonl"

    @property
    def trained_files(self) -> list[Path]:
        """What a training was made from and left, besides the adapter."""
        made_from = [self.augmented, self.augmented_csv, self.rejected, self.train_rows]
        return [*made_from, self.metrics]

    @property
    def export(self) -> Path:
        """Where the adapter is exported to by default, in a folder for each form."""
        return self / "export"

    @property
    def adapter(self) -> Path:
        return self / "adapter"

    @property
    def oracle(self) -> Path:
        """True consequences of the facts, for the arm that shows what perfect augmentation would
        give.
        """
        return self / "oracle.jsonl"

    @property
    def eval(self) -> Path:
        return self / "eval"

    @property
    def report(self) -> Path:
        return self / "report.html"

    def round_folder(self, number: int) -> RunFolder:
        """The folder of a later round of `run --rounds`, from 2."""
        return RunFolder(self / "rounds" / str(number))

    def kept_examples(self) -> Iterator[Example]:
        """The augmentations that were kept, from augmented.jsonl."""
        return map(example_from_json, read_jsonl(self.augmented))

    def create(self, *inputs: Path | None) -> None:
        """Make the folder if it is missing; a folder that is there and empty becomes private too.

        Raises:
            RunError: it holds files that would be overwritten and are no run's, or one of the
                `inputs` is a file of the run itself.
            StorageError: it is a file, or cannot be made.
        """
        with storage_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise StorageError(
                    f"{self.path}: is a file, not a run folder", hint="choose another -o"
                )
            make_folder(self.path)
            if not any(self.path.iterdir()):
                self.path.chmod(FOLDER_MODE)
        ours = [self.facts, self.questions, self.settings]
        if not self.lock_file.exists() and (found := [path.name for path in ours if path.exists()]):
            raise RunError(
                f"{self.path}: is no run folder, and holds {', '.join(found)}, which a run would "
                f"overwrite",
                hint="choose another -o, such as a folder inside it",
            )
        for path in filter(None, inputs):
            if path.resolve() in {own.resolve() for own in ours}:
                raise RunError(
                    f"{path}: is a file of the run itself",
                    hint="name your own file, or choose another -o",
                )

    def require(self) -> None:
        """Raises RunError unless the folder exists."""
        if not self.path.is_dir():
            raise RunError(
                f"{self.path}: no such run folder",
                hint="make one with: augmlx augment FACTS -o RUN (or augmlx run FACTS -o RUN)",
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process; a second one gets a RunError at once.

        The lock is the kernel's (flock): it goes with the process, however that ends.
        """
        path = self.lock_file
        with storage_errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            # A full disk, or a network folder that cannot lock, refuses here as well as at the
            # opening.
            with storage_errors(path):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    owner = os.read(handle, 32).decode("ascii", "replace").strip()
                    raise RunError(
                        f"{self.path}: another augmlx process{f' ({owner})' if owner else ''} is "
                        f"using this run folder",
                        hint="wait for it, or choose another run folder",
                    ) from None
                os.fchmod(handle, FILE_MODE)
                os.ftruncate(handle, 0)
                os.write(handle, f"pid {os.getpid()}".encode())
            yield
        finally:
            os.close(handle)

    def manifest(self) -> dict[str, Json]:
        """Stage name -> what is known of its last finished run; {} where none finished."""
        if not self.manifest_file.exists():
            return {}
        hint = "delete it; finished work is redone"
        try:
            value = json.loads(self.manifest_file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{self.manifest_file}: not readable as JSON", hint=hint) from error
        if not isinstance(value, dict) or not all(
            isinstance(entry, dict) for entry in value.values()
        ):
            raise RunError(f"{self.manifest_file}: not a manifest", hint=hint)
        return value

    def record(self, stage: str, entry: Json) -> None:
        """Write a finished stage into the manifest."""
        write_json(self.manifest_file, {**self.manifest(), stage: entry})

    def forget(self, stages: Iterable[str]) -> None:
        """Take stages out of the manifest, so that they are redone."""
        names = set(stages)
        manifest = self.manifest()
        if names & set(manifest):
            write_json(
                self.manifest_file, {name: e for name, e in manifest.items() if name not in names}
            )
