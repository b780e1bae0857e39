"""The run folder: files appear whole or not at all, are private, and belong to one process at a
time.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from augmlx.core.errors import BadInput, RunError, StorageError
from augmlx.core.files import (
    atomic,
    make_folder,
    read_jsonl,
    remove_stale_parts,
    write_json,
    write_jsonl,
    write_text,
)
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder

HOLD = """
import sys, time
from augmlx.core.run_folder import RunFolder
with RunFolder(sys.argv[1]).lock():
    print("held", flush=True)
    time.sleep(600)
"""
TRY = """
import sys
from augmlx.core.errors import AugmlxError
from augmlx.core.run_folder import RunFolder
try:
    with RunFolder(sys.argv[1]).lock():
        print("held")
except AugmlxError as error:
    print(type(error).__name__, error.render())
"""
# A limit on the size of files refuses writes as a full disk does, and needs neither root nor a
# disk.
FULL = """
import resource, sys
from pathlib import Path
from augmlx.core.errors import AugmlxError
from augmlx.core import files, run_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
run = run_folder.RunFolder(sys.argv[1])
try:
    if sys.argv[2] == "lock":
        with run.lock():
            print("held")
    else:
        files.write_text(run / "a.txt", "new" * 10_000)
        print("written")
except AugmlxError as error:
    print(type(error).__name__, error.render())
"""


def python(code: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Files


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(error: BaseException) -> None:
        with atomic(path) as file:
            file.write(b"new")
            file.flush()
            raise error

    for error in (RuntimeError("torn"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_rows_that_fail_half_way_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"n": 1}, {"n": 2}])

    def rows() -> Iterator[Json]:
        yield {"n": 3}
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        write_jsonl(path, rows())
    assert list(read_jsonl(path)) == [{"n": 1}, {"n": 2}]
    write_jsonl(path, [])
    assert path.read_bytes() == b""


def test_nobody_sees_a_half_written_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic(path) as file:
        file.write(b"x" * 100_000)
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"x" * 100_000


def test_json_is_readable_utf8_with_a_last_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": ["😀", None]})
    assert (
        tmp_path / "a.json"
    ).read_bytes() == '{\n  "é": [\n    "😀",\n    null\n  ]\n}\n'.encode()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folders_and_files_are_private_whatever_the_umask(mask: int, tmp_path: Path) -> None:
    with umask(mask):
        run = RunFolder(tmp_path / "runs" / "a")
        run.create()
        write_text(run.data / "train.jsonl", "x")
        with run.lock():
            pass
    assert [mode(folder) for folder in (tmp_path / "runs", run.path, run.data)] == [0o700] * 3
    assert [mode(file) for file in (run.data / "train.jsonl", run / ".lock")] == [0o600] * 2


def test_a_umask_that_forbids_everything_does_not_lock_the_user_out(tmp_path: Path) -> None:
    with umask(0o777):
        run = RunFolder(tmp_path / "a")
        run.create()
        write_text(run / "a.txt", "x")
        with run.lock():
            pass
    assert (mode(run.path), mode(run / "a.txt"), mode(run / ".lock")) == (0o700, 0o600, 0o600)


def test_a_file_made_public_is_private_once_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch(0o644)
    write_text(path, "x")
    assert mode(path) == 0o600


def test_stale_parts_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in (".part-12-a.txt", "data/.part-7-b.jsonl", "a.txt", "b.part", ".lock"):
        (tmp_path / name).touch()
    (tmp_path / ".part-9-folder").mkdir()  # not one of ours, and no reason to fail
    remove_stale_parts(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        ".lock",
        "a.txt",
        "b.part",
    ]


# Reading


@pytest.mark.parametrize("torn", [b'{"n": "SECRET', b"", b" ", b'"SECRET', b"\0"])
def test_a_torn_line_of_ours_is_named(torn: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n' + torn + b"\n")
    rows = read_jsonl(path)
    assert next(rows) == {"n": 1}
    with pytest.raises(BadInput) as caught:
        next(rows)
    assert caught.value.message == f"{path}:2: not a JSON object"
    assert "SECRET" not in caught.value.render()


def test_a_missing_file_of_ours_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        list(read_jsonl(tmp_path / "no.jsonl"))


@pytest.mark.parametrize(
    "content", [b'{"n": 1}\n\xff\n', b'{"n": 1}\n17\n', b"{}\n" + b"[" * 100_000]
)
def test_a_damaged_line_of_ours_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        list(read_jsonl(path))
    assert caught.value.message == f"{path}:2: not a JSON object"


# The manifest


def test_the_manifest_records_and_forgets_stages(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.manifest() == {}
    run.forget(["train"])
    assert not run.manifest_file.exists()
    run.record("augment", {"rows": 3})
    run.record("train", {"steps": 9})
    run.record("augment", {"rows": 4})
    assert run.manifest() == {"augment": {"rows": 4}, "train": {"steps": 9}}
    run.forget(iter(["train", "eval"]))
    assert RunFolder(str(tmp_path)).manifest() == {"augment": {"rows": 4}}


@pytest.mark.parametrize("content", [b'{"train": {', b"", b"\xff\xfe", b"no"])
def test_a_damaged_manifest_is_named_with_the_way_out(content: bytes, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.manifest_file.write_bytes(content)
    with pytest.raises(RunError, match="not readable as JSON") as caught:
        run.manifest()
    assert "delete it" in (caught.value.hint or "")


@pytest.mark.parametrize("value", [3, "abc", [], ["ab"], None, {"train": 3}])
def test_a_manifest_that_is_no_manifest_is_named(value: object, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.manifest_file.write_text(json.dumps(value))
    with pytest.raises(RunError):
        run.manifest()


# The folder


def test_a_run_folder_is_made_once_and_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "a" / "b")
    with pytest.raises(RunError, match="no such run folder"):
        run.require()
    run.create()
    with run.lock():
        write_text(run.facts, "x")
    run.create()
    run.require()
    assert run.facts.read_text() == "x"


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    folder.chmod(0o755)
    make_folder(folder / "b")
    assert (mode(folder), mode(folder / "b")) == (0o755, 0o700)


def test_a_path_through_a_file_is_refused_by_every_writer(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(StorageError, match="is a file, not a run folder"):
        RunFolder(file).create()
    with pytest.raises(RunError, match="no such run folder"):
        RunFolder(file).require()
    run = RunFolder(file / "run")
    for write in (run.create, lambda: write_text(run.facts, "x"), lambda: run.record("train", {})):
        with pytest.raises(StorageError, match="Not a directory") as caught:
            write()
        assert "is a file" in (caught.value.hint or "")
    with pytest.raises(StorageError, match="Not a directory"), run.lock():
        pass
    assert file.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        write_text(tmp_path / "a.txt", "x")
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_named_and_keeps_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    assert python(FULL, tmp_path, "write", "4096").startswith(
        f"StorageError {tmp_path / 'a.txt'}: File too large"
    )
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_without_space_is_named_with_a_way_out(tmp_path: Path) -> None:
    # The part file is opened where a link to the full device stands.
    (tmp_path / f".part-{os.getpid()}-a.txt").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left") as caught:
        write_text(tmp_path / "a.txt", "x")
    assert "free some space" in (caught.value.hint or "")
    assert names(tmp_path) == []


def test_a_full_disk_is_named_by_the_lock_too(tmp_path: Path) -> None:
    assert python(FULL, tmp_path, "lock", "0").startswith(
        f"StorageError {tmp_path / '.lock'}: File too large"
    )


# The lock


def test_a_second_process_gets_an_error_at_once_that_names_the_first(tmp_path: Path) -> None:
    with RunFolder(tmp_path).lock():
        said = python(TRY, tmp_path)
        assert said.startswith(
            f"RunError {tmp_path}: another augmlx process (pid {os.getpid()}) is using this"
        )
        assert "hint: wait for it" in said
    assert python(TRY, tmp_path) == "held"


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(RunError, match=f"pid {holder.pid}"), RunFolder(tmp_path).lock():
                pass
        finally:
            holder.kill()
        assert holder.wait(timeout=60) == -signal.SIGKILL
    with RunFolder(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"pid {os.getpid()}"


def test_the_lock_is_free_after_an_error_and_not_taken_twice(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(ValueError, match="x"), run.lock():
        raise ValueError("x")
    with run.lock(), pytest.raises(RunError), run.lock():
        pass
    with run.lock():
        pass


def test_the_lock_of_one_run_does_not_hold_another(tmp_path: Path) -> None:
    for name in "ab":
        RunFolder(tmp_path / name).create()
    with RunFolder(tmp_path / "a").lock(), RunFolder(tmp_path / "b").lock():
        for name in "ab":  # both are held
            with pytest.raises(RunError), RunFolder(tmp_path / name).lock():
                pass


def test_a_lock_needs_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"), RunFolder(tmp_path / "no").lock():
        pass
