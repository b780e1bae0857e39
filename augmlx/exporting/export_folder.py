"""The folder that an export is written to: whose it is, and that a half-written one is never taken
for a whole one.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from augmlx.core.errors import BadSettings, storage_errors
from augmlx.core.files import make_folder, remove_stale_parts

CARD = "README.md"
MARK = "<!-- written by augmlx: a later export replaces this folder -->"


def prepare(out: Path, files: Collection[str], key: str) -> None:
    """Make `out`, or clear an earlier export of ours.

    Args:
        files: the names that an export of this form may have.
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
        for name in sorted(set(files) - {CARD, key}):
            (out / name).unlink(missing_ok=True)


def _is_free(out: Path, files: Collection[str]) -> bool:
    """Whether a folder is empty, or holds an earlier export and nothing else."""
    names = {path.name for path in out.iterdir()}
    if not names:
        return True
    if CARD not in names or not names <= {CARD, *files}:
        return False
    return MARK in (out / CARD).read_text("utf-8", errors="replace")
