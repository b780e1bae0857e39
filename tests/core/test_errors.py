"""Every error renders its way out, and the file system's refusals become StorageError."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from augmlx.core import errors
from augmlx.core.errors import (
    AugmlxError,
    BadInput,
    BadSettings,
    ModelError,
    RunError,
    StorageError,
    storage_errors,
)


def test_an_error_renders_its_message_and_then_its_hint() -> None:
    assert AugmlxError("a.csv:3: torn").render() == "a.csv:3: torn"
    assert AugmlxError("a.csv:3: torn", hint="mend it").render() == "a.csv:3: torn\nhint: mend it"
    assert str(AugmlxError("a.csv:3: torn", hint="mend it")) == "a.csv:3: torn"


def test_the_docstring_draws_the_whole_tree() -> None:
    kinds = AugmlxError.__subclasses__()
    assert set(kinds) == {BadInput, BadSettings, ModelError, RunError, StorageError}
    assert all(f"── {kind.__name__} " in (errors.__doc__ or "") for kind in kinds)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "can be written to"),
        (errno.EACCES, "permissions"),
        (errno.EPERM, "permissions"),
        (errno.ENOTDIR, "is a file"),
        (errno.EISDIR, "is a folder"),
        (errno.ENOENT, "check the path"),
    ],
)
def test_a_refusal_of_the_file_system_names_the_place_the_reason_and_a_way_out(
    number: int, hint: str
) -> None:
    with pytest.raises(StorageError) as caught, storage_errors("runs/a"):
        raise OSError(number, os.strerror(number), "/elsewhere")
    assert caught.value.message == f"runs/a: {os.strerror(number)}"
    assert hint in (caught.value.hint or "")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_refusal_without_number_or_text_still_has_a_name() -> None:
    with pytest.raises(StorageError) as caught, storage_errors("runs/a"):
        raise OSError
    assert caught.value.render() == "runs/a: OSError"


def test_real_refusals_are_mapped(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, reason in (
        (tmp_path, "Is a directory"),
        (file / "x", "Not a directory"),
        (tmp_path / "no", "No such"),
    ):
        with pytest.raises(StorageError, match=reason), storage_errors(path):
            path.read_bytes()


@pytest.mark.parametrize(
    "other", [ValueError("x"), KeyboardInterrupt(), RunError("x"), StorageError("inner: full")]
)
def test_everything_else_passes_through_untouched(other: BaseException) -> None:
    with pytest.raises(type(other)) as caught, storage_errors("outer"):
        raise other
    assert caught.value is other
