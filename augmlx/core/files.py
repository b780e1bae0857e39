"""Files: private (folders 0700, files 0600), whole or not at all, and errors that name the
place.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from augmlx.core.errors import BadInput, storage_errors
from augmlx.core.records import Json

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_PART = ".part-"
# As jsonlines writes a row, in half its time: no row of ours holds itself.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def make_folder(path: Path) -> None:
    """Make a folder and its parents; the ones made here are private."""
    with storage_errors(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=FOLDER_MODE)
                folder.chmod(FOLDER_MODE)  # a strict umask would lock the user out of it


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; fsynced and renamed over `path` at the end, deleted where
    the block fails.

    Its name ends like that of `path`, for writers that go by the suffix.
    """
    make_folder(path.parent)
    beside = path.with_name(f"{_PART}{os.getpid()}-{path.name}")
    with storage_errors(path):
        try:
            os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE))
            yield beside
            with beside.open("rb") as file:
                beside.chmod(FILE_MODE)  # whatever the umask was, or the writer made of it
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all: written beside, fsynced, then renamed over
    `path`.
    """
    with atomic_path(path) as beside, beside.open("wb") as file:
        yield file


def file_sha256(path: Path) -> str:
    """sha256 (hex) of what a file holds."""
    with storage_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """A copy that appears whole or not at all."""
    with atomic_path(target) as part:
        shutil.copyfile(source, part)


def move_file(source: Path, target: Path) -> None:
    """Give a finished file of the same disk its place, private and fsynced: there whole or not at
    all.
    """
    with storage_errors(target):
        with source.open("rb") as file:
            source.chmod(FILE_MODE)
            os.fsync(file.fileno())
        source.replace(target)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def jsonl_writer(path: Path) -> Iterator[Callable[[Json], object]]:
    """A function that writes one JSON object a line; the file appears when the block ends well."""
    with atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")

        def write(row: Json) -> None:
            text.write(f"{_encode(row)}\n")

        try:
            yield write
        finally:
            text.detach()  # written out; the file is closed where it was opened


def write_jsonl(path: Path, rows: Iterable[Json]) -> None:
    """Write one JSON object a line."""
    with jsonl_writer(path) as write:
        for row in rows:
            write(row)


def read_jsonl(path: Path) -> Iterator[Json]:
    """The objects of a JSON-lines file of ours. Raises BadInput with path:line on a torn line."""
    jsonlines = _jsonlines()
    line = 0
    # Read as bytes, so that a line that is not UTF-8 is met where its number is known.
    with storage_errors(path), path.open("rb") as file:
        rows = jsonlines.Reader(file).iter(type=dict)
        while True:
            line += 1
            try:
                row = next(rows, None)
            except (jsonlines.InvalidLineError, RecursionError) as error:
                hint = "the file was changed by hand; delete it and run again"
                raise BadInput(f"{path}:{line}: not a JSON object", hint=hint) from error
            if row is None:
                return
            yield row


def _jsonlines() -> ModuleType:
    """Loaded when it is needed: attrs, which it brings, takes as long as all of `augmlx --help`."""
    import jsonlines

    return jsonlines


def remove_stale_parts(folder: Path) -> None:
    """Delete the files that an interrupted `atomic` left beside their targets."""
    with storage_errors(folder):
        for part in folder.rglob(f"{_PART}*"):
            if not part.is_dir():
                part.unlink(missing_ok=True)
