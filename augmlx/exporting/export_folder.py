"""The folder that an export is written to: whose it is, and that a half-written one is never taken
for a whole one.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from augmlx.core.errors import BadSettings, storage_errors
from augmlx.core.files import make_folder, remove_stale_parts

CARD = "README.md"
_WORK = ".augmlx-part"  # what is made on the way; no file in it is the export's
MARK = "<!-- written by augmlx: a later export replaces this folder -->"


def prepare(out: Path, files: Collection[str], key: str) -> None:
    """Make `out`, or clear an earlier export of ours.

    Args:
        files: the names that an export of this form may have, or patterns of them.
        key: the file among them without which nothing loads the folder. It is deleted first and
            written last.

    Raises:
        BadSettings: `out` is a file, or holds anything else.
        StorageError: it cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise BadSettings(f"{out}: is a file", hint="choose another folder with -o")
    make_folder(out)
    with storage_errors(out):
        remove_stale_parts(out)
        if not _is_free(out, files):
            raise BadSettings(
                f"{out}: holds files that are not an export of augmlx; nothing was written",
                hint="choose an empty folder with -o",
            )
        (out / key).unlink(missing_ok=True)
        shutil.rmtree(out / _WORK, ignore_errors=True)  # of an export that was killed
        for path in sorted(out.iterdir()):
            if path.name != CARD:
                path.unlink()


@contextmanager
def working(out: Path) -> Iterator[Path]:
    """A private folder inside of `out`, on the same disk, for what is made on the way to an export;
    gone at the end. After `prepare`, which removes what a killed process left of it.
    """
    work = out / _WORK
    make_folder(work)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def is_one_of(name: str, files: Collection[str]) -> bool:
    """Whether a file's name is among the names and patterns of an export's files."""
    return any(fnmatchcase(name, pattern) for pattern in files)


def _is_free(out: Path, files: Collection[str]) -> bool:
    """Whether a folder is empty, or holds an earlier export and nothing else."""
    names = {path.name for path in out.iterdir()}
    if not names:
        return True
    if CARD not in names or not all(is_one_of(name, {CARD, _WORK, *files}) for name in names):
        return False
    return MARK in (out / CARD).read_text("utf-8", errors="replace")
