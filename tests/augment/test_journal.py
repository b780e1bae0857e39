"""The journal: a batch is there whole or not at all, whatever happens to the process or the
file.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.augment.journal import Entry, Journal, open_journal
from augmlx.core.errors import RunError, StorageError
from augmlx.engines.protocol import Completion, Request

# Adds batches of ten forever; every batch is killed at some instant, most often inside `add`.
ADD = """
import sys
from pathlib import Path
from augmlx.engines.protocol import Completion, Request
from augmlx.augment.journal import Entry, open_journal
with open_journal(Path(sys.argv[1])) as journal:
    number = 0
    while True:
        keys = [f"{number}-{row}" for row in range(200)]
        requests = [
            Entry(
                Request.greedy(key, key, prefix="p" * 500, max_tokens=8), key, "reversal", 0
            )
            for key in keys
        ]
        journal.add(requests, [Completion(key, "text " * 50, "stop", 1) for key in keys])
        number += 1
        if number == 3:
            print("going", flush=True)
"""
# A limit on the size of files refuses writes as a full disk does.
FULL = """
import resource, sys
from pathlib import Path
from augmlx.core.errors import AugmlxError
from augmlx.engines.protocol import Completion, Request
from augmlx.augment.journal import Entry, open_journal
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    with open_journal(Path(sys.argv[1])) as journal:
        for n in range(1000):
            request = Request.greedy(str(n), "s" * 9000, prefix="p", max_tokens=8)
            journal.add([Entry(request, "f", "o", 0)],
                        [Completion(str(n), "t" * 9000, "stop", 1)])
except AugmlxError as error:
    print(type(error).__name__, error.render())
"""


def request(key: str, prefix: str = "prefix") -> Request:
    return Request(
        key,
        prefix=prefix,
        suffix=f"suffix {key}",
        seed=f"0:{key}",
        temperature=0.8,
        top_p=0.95,
        max_tokens=64,
    )


def completion(key: str, text: str = "text") -> Completion:
    return Completion(key, text, "stop", 3)


def add(journal: Journal, *keys: str, text: str = "text") -> None:
    journal.add(
        [Entry(request(key), f"fact/reversal/{key}", "reversal", 0) for key in keys],
        [completion(key, text) for key in keys],
    )


def test_what_was_added_is_found_again_in_another_process_time(tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.sqlite"
    with open_journal(path) as journal:
        add(journal, "a", "b")
        journal.judge([("a", True, "", ""), ("b", False, "form", "empty")])
    with open_journal(path) as journal:
        assert journal.completions(["b", "c", "a"]) == {"a": completion("a"), "b": completion("b")}
        assert journal.counts() == {"requests": 2, "completions": 2, "scores": 0, "verdicts": 2}


def test_what_is_journalled_is_never_generated_again_and_a_later_verdict_replaces_the_earlier(
    tmp_path: Path,
) -> None:
    with open_journal(tmp_path / "j") as journal:
        add(journal, "a", text="old")
        with pytest.raises(sqlite3.IntegrityError):
            add(journal, "b", "a", text="new")
        journal.judge([("a", True, "", "")])
        journal.judge([("a", False, "vote", "why")])
        assert journal.completions(["a", "b"]) == {"a": completion("a", "old")}
        assert journal.counts() == {"requests": 1, "completions": 1, "scores": 0, "verdicts": 1}


def test_scores_are_found_by_request_and_measure(tmp_path: Path) -> None:
    with open_journal(tmp_path / "j") as journal:
        journal.add_scores(
            [("a", "plausibility", 0.5), ("a", "round_trip", -1.25), ("b", "plausibility", 2.0)]
        )
    with open_journal(tmp_path / "j") as journal:
        assert journal.scores(["a", "c"]) == {
            ("a", "plausibility"): 0.5,
            ("a", "round_trip"): -1.25,
        }


def test_a_story_tells_the_samples_of_one_group(tmp_path: Path) -> None:
    with open_journal(tmp_path / "j") as journal:
        asked = [replace(request(f"k{n}"), opening="The Lab", chat=bool(n)) for n in range(2)]
        turns = (("Fact: é", 'É "so".'), ("b", "c"))
        asked += [
            replace(asked[1], key="k2", system="Turn it."),
            replace(asked[1], key="k3", system="Turn it.", turns=turns),
            replace(asked[1], key="k4", turns=turns),
        ]
        entries = [Entry(r, f"f1/reversal/{n}", "reversal", n) for n, r in enumerate(asked)]
        journal.add(entries, [completion(r.key, f"text {r.key}") for r in asked])
        journal.add([Entry(request("x"), "f10/reversal/0", "reversal", 0)], [completion("x")])
        journal.add_scores([("k1", "plausibility", 0.5)])
        journal.judge([("k0", True, "", "")])
        told = journal.histories("f1/reversal/")
        assert [t.id for t in told] == [f"f1/reversal/{n}" for n in range(5)]
        assert [t.request for t in told] == asked
        assert [t.completion.text for t in told] == [f"text k{n}" for n in range(5)]
        assert [t.verdict for t in told] == [(True, "", ""), *[None] * 4]
        assert [dict(t.scores) for t in told] == [{}, {"plausibility": 0.5}, {}, {}, {}]


def test_a_journal_made_before_there_were_turns_is_read(tmp_path: Path) -> None:
    with open_journal(tmp_path / "j") as journal:
        journal.add([Entry(request("k"), "f1/reversal/0", "reversal", 0)], [completion("k")])
    with sqlite3.connect(tmp_path / "j") as base:
        base.execute("DROP TABLE chats")
    with open_journal(tmp_path / "j") as journal:
        [history] = journal.histories("f1/")
    assert history.request == request("k")


def test_many_keys_are_asked_for_at_once() -> None:
    with open_journal(None) as journal:
        keys = [str(n) for n in range(2500)]
        add(journal, *keys)
        assert list(journal.completions(keys)) != []
        assert journal.completions(keys).keys() == set(keys)


@given(st.text(), st.text())
def test_any_text_comes_back_as_it_was(key: str, text: str) -> None:
    with open_journal(None) as journal:
        add(journal, key, text=text)
        assert journal.completions([key])[key].text == text


def test_a_prefix_is_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with open_journal(path) as journal:
        shared = "p" * 2000
        for start in range(0, 500, 100):
            keys = [str(n) for n in range(start, start + 100)]
            journal.add(
                [Entry(request(k, shared), k, "reversal", 0) for k in keys], map(completion, keys)
            )
    assert path.stat().st_size < 500 * 500
    with sqlite3.connect(path) as db:
        whole = (
            "SELECT p.text || r.suffix FROM requests r JOIN prefixes p ON p.sha256 = r.prefix "
            "WHERE key = '7'"
        )
        assert db.execute(whole).fetchone()[0] == shared + "suffix 7"
    db.close()


def test_a_batch_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def torn() -> object:
        yield completion("a")
        raise ZeroDivisionError

    with open_journal(tmp_path / "j") as journal:
        with pytest.raises(ZeroDivisionError):
            journal.add([Entry(request("a"), "f/reversal/0", "reversal", 0)], torn())  # type: ignore[arg-type]
        assert journal.counts() == {"requests": 0, "completions": 0, "scores": 0, "verdicts": 0}


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.05])
def test_a_killed_process_leaves_whole_batches_only(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "j"
    with subprocess.Popen(
        [sys.executable, "-c", ADD, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        if delay:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(delay)
        process.send_signal(signal.SIGKILL)
    with open_journal(path) as journal:
        counts = journal.counts()
        assert counts["requests"] == counts["completions"] >= 600
        assert counts["completions"] % 200 == 0
        add(journal, "after")


def test_the_journal_and_what_sqlite_lays_beside_it_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with open_journal(tmp_path / "run" / "journal.sqlite") as journal:
            add(journal, "a")
            files = {
                path.name: stat.S_IMODE(path.stat().st_mode)
                for path in (tmp_path / "run").iterdir()
            }
    finally:
        os.umask(old)
    assert files == {f"journal.sqlite{end}": 0o600 for end in ("", "-wal", "-shm")}
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text("not a database, but long enough to be looked at as one\n" * 20)
    with pytest.raises(RunError, match="not a journal of augmlx") as caught, open_journal(path):
        pass
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_damaged_journal_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with open_journal(path) as journal:
        add(journal, *(str(n) for n in range(2000)))
    data = bytearray(path.read_bytes())
    data[4096 : len(data) - 4096] = os.urandom(len(data) - 8192)
    path.write_bytes(data)

    def use() -> None:
        with open_journal(path) as journal:
            journal.completions([str(n) for n in range(2000)])
            add(journal, *(str(n) for n in range(4000)))

    with pytest.raises(RunError, match="not a journal of augmlx"):
        use()


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE requests (key TEXT); PRAGMA user_version=0")
    db.close()
    with pytest.raises(RunError, match="another version of augmlx"), open_journal(path):
        pass


def test_a_folder_or_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "folder", tmp_path / "file" / "j"):
        with pytest.raises(StorageError), open_journal(path):
            pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_journal_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with open_journal(path):
        pass
    path.chmod(0o400)
    with pytest.raises(StorageError, match="readonly"), open_journal(path) as journal:
        add(journal, "a")


def test_a_full_disk_is_a_clear_error_and_what_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "j"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("StorageError"), done.stderr
    assert "free some space" in done.stdout
    with open_journal(path) as journal:
        counts = journal.counts()
        assert counts["requests"] == counts["completions"] > 0


def test_an_error_of_the_callers_is_not_blamed_on_the_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_journal(tmp_path / "j"):
        raise FileNotFoundError
