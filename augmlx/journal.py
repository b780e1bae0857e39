"""The journal: every request and completion of a run, in SQLite (WAL). It is what resume reads.

A batch is written in one transaction, so after a crash it is there whole or not at all and is replayed whole: a row's
last bits depend on who shares its batch.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from augmlx.engine import Completion, Request
from augmlx.errors import RunError, StorageError
from augmlx.files import FILE_MODE, make_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, fact_id TEXT NOT NULL, operator TEXT NOT NULL, sample INTEGER NOT NULL,
    prompt TEXT NOT NULL, seed TEXT NOT NULL,
    temperature REAL NOT NULL, top_p REAL NOT NULL, max_tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completions (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, finish TEXT NOT NULL, tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (
    key TEXT PRIMARY KEY, kept INTEGER NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL
) WITHOUT ROWID;
"""
_CHUNK = 500  # below SQLite's oldest limit of 999 variables in a statement


class Journal:
    """An open journal. Use `open_journal`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def completions(self, keys: Sequence[str]) -> dict[str, Completion]:
        """The journalled completions among `keys`."""
        found: dict[str, Completion] = {}
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(part))
            rows = self._db.execute(
                f"SELECT key, text, finish, tokens FROM completions WHERE key IN ({marks})",
                part,
            )
            found.update((row[0], Completion(*row)) for row in rows)
        return found

    def add(self, requests: Iterable[tuple[Request, str, str, int]], completions: Iterable[Completion]) -> None:
        """Write one batch, whole or not at all. Each request comes with its fact id, operator and sample index."""
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO requests VALUES (?,?,?,?,?,?,?,?,?)",
                [
                    (r.key, fact_id, operator, sample, r.prompt, r.seed, r.temperature, r.top_p, r.max_tokens)
                    for r, fact_id, operator, sample in requests
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO completions VALUES (?,?,?,?)",
                [(c.key, c.text, c.finish, c.tokens) for c in completions],
            )

    def judge(self, verdicts: Iterable[tuple[str, bool, str, str]]) -> None:
        """Write verdicts: (key, kept, by, why); later ones replace earlier ones."""
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?)", verdicts)

    def counts(self) -> dict[str, int]:
        tables = ("requests", "completions", "verdicts")
        return {table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


@contextmanager
def open_journal(path: Path | None) -> Iterator[Journal]:
    """Open or make the journal, private to the user; None keeps it in memory.

    Raises:
        StorageError: the disk is full or the folder cannot be written to.
        RunError: the file is no journal.
    """
    try:
        if path is not None:
            make_folder(path.parent)
            path.touch(mode=FILE_MODE)
        connection = sqlite3.connect(path or ":memory:")
        try:
            # WAL with synchronous=NORMAL survives a killed process; only a power cut may lose the last batch.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            yield Journal(connection)
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"{path}: {error}", hint="free some space or check the permissions; then run again"
        ) from error
    except sqlite3.DatabaseError as error:
        raise RunError(f"{path}: not a journal of augmlx ({error})", hint="delete it; its work is redone") from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint="choose a folder that can be written to") from error
