"""The run folder: paths, lock, permissions, atomic writes, manifest. Folders are 0700 and files 0600."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from augmlx.errors import BadInput, RunError, StorageError, storage_errors
from augmlx.records import Json

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class RunDir:
    """Paths of one run folder; nothing is read or written by naming one."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def settings(self) -> Path:
        return self / "augmlx.toml"

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
    def rejected(self) -> Path:
        return self / "rejected.jsonl"

    @property
    def data(self) -> Path:
        return self / "data"

    @property
    def adapter(self) -> Path:
        return self / "adapter"

    @property
    def baseline(self) -> Path:
        """The plain fine-tuning arm: a training folder of its own, laid out like the run's."""
        return self / "baseline"

    @property
    def eval(self) -> Path:
        return self / "eval"

    @property
    def report(self) -> Path:
        return self / "report.html"

    def create(self) -> None:
        """Make the folder if it is missing. Raises StorageError."""
        with storage_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise StorageError(f"{self.path}: is a file, not a run folder", hint="choose another -o")
            make_folder(self.path)

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
        path = self / ".lock"
        with storage_errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(handle, 32).decode("ascii", "replace").strip()
                raise RunError(
                    f"{self.path}: another augmlx process{f' ({owner})' if owner else ''} is using this run folder",
                    hint="wait for it, or choose another run folder",
                ) from None
            os.ftruncate(handle, 0)
            os.write(handle, f"pid {os.getpid()}".encode())
            yield
        finally:
            os.close(handle)

    def manifest(self) -> dict[str, Json]:
        """Stage name -> what is known of its last finished run; {} where none finished."""
        if not self.manifest_file.exists():
            return {}
        try:
            value = json.loads(self.manifest_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.manifest_file}: not readable as JSON", hint="delete it; finished work is redone"
            ) from error
        return dict(value)

    def record(self, stage: str, entry: Json) -> None:
        """Write a finished stage into the manifest."""
        write_json(self.manifest_file, {**self.manifest(), stage: entry})

    def forget(self, stages: Iterable[str]) -> None:
        """Take stages out of the manifest, so that they are redone."""
        names = set(stages)
        manifest = self.manifest()
        if names & set(manifest):
            write_json(self.manifest_file, {name: e for name, e in manifest.items() if name not in names})


def make_folder(path: Path) -> None:
    """Make a folder and its parents; the ones made here are private."""
    with storage_errors(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=FOLDER_MODE)


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all: written beside, fsynced, then renamed over `path`."""
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with storage_errors(path):
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Json]) -> int:
    """Write one JSON object a line; returns how many."""
    count = 0
    with atomic(path) as file:
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
            file.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
    return count


def read_jsonl(path: Path) -> Iterator[Json]:
    """The objects of a JSON-lines file of ours. Raises BadInput with path:line on a torn line."""
    with storage_errors(path), path.open(encoding="utf-8") as file:
        for line, text in enumerate(file, start=1):
            try:
                yield json.loads(text)
            except ValueError as error:
                raise BadInput(
                    f"{path}:{line}: not a JSON object", hint="the file was changed by hand; delete it and run again"
                ) from error


def remove_stale_parts(folder: Path) -> None:
    """Delete what an interrupted `atomic` left beside its file."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)
