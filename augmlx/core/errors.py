"""The exception tree of augmlx. Whatever a user can cause ends here; anything else is a bug.

AugmlxError
├── BadInput        a table, question file or operator file (path:line, fault)
│   └── NothingToAsk   facts that no question can be derived from
├── BadSettings     augmlx.toml or a flag (path: key, fault)
├── ModelError      a model that is missing, unreadable or unsuited
├── RunError        a run folder that is locked, unfinished or damaged
└── StorageError    the disk: full, read-only, no permission
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AugmlxError(Exception):
    """An error with a way out. `message` names the place and the fault, `hint` says what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def render(self) -> str:
        """The text shown to the user: the message, then the hint on a line of its own."""
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class BadInput(AugmlxError):
    """A file of the user's that cannot be read as what it should be."""


class NothingToAsk(BadInput):
    """Facts that no question can be derived from, where the user has brought none."""


class BadSettings(AugmlxError):
    """A setting that is unknown, out of range or cannot be honoured."""


class ModelError(AugmlxError):
    """A model that is missing, unreadable or not suited for what was asked."""


class RunError(AugmlxError):
    """A run folder that is in use, lacks an earlier stage or is damaged."""


class StorageError(AugmlxError):
    """The file system refused: disk full, read-only folder, no permission."""


_HINTS = {
    errno.ENOSPC: "free some space and run the same command again; it resumes",
    errno.EDQUOT: "free some of your quota and run the same command again; it resumes",
    errno.EROFS: "choose a folder that can be written to",
    errno.EACCES: "check the permissions, or choose another folder",
    errno.EPERM: "check the permissions, or choose another folder",
    errno.ENOTDIR: "a part of that path is a file; choose another folder",
    errno.EFBIG: "the file is larger than this file system or your limits allow",
    errno.EISDIR: "that is a folder; name a file",
    errno.ENOENT: "check the path",
}


STORAGE_FAULTS = frozenset(_HINTS)


def storage_error(place: Path | str, error: OSError) -> StorageError:
    """An OSError as a StorageError that names `place`."""
    reason = error.strerror or type(error).__name__
    return StorageError(f"{place}: {reason}", hint=_HINTS.get(error.errno or 0))


@contextmanager
def storage_errors(place: Path | str) -> Iterator[None]:
    """Turn an OSError raised inside the block into a StorageError that names `place`."""
    try:
        yield
    except OSError as error:
        raise storage_error(place, error) from error
