"""The journal: every request and completion of a run, in SQLite (WAL). It is what resume reads.

A batch is written in one transaction, so after a crash it is there whole or not at all and is replayed whole: a row's
last bits depend on who shares its batch.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from augmlx.engine import Completion, Request
from augmlx.errors import RunError, StorageError, storage_errors
from augmlx.files import FILE_MODE, make_folder

_VERSION = 1  # of the schema
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prefixes (
    sha256 TEXT PRIMARY KEY, text TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, fact_id TEXT NOT NULL, operator TEXT NOT NULL, sample INTEGER NOT NULL,
    prefix TEXT NOT NULL REFERENCES prefixes, suffix TEXT NOT NULL, seed TEXT NOT NULL,
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
        """Write one batch, whole or not at all. Each request comes with its fact id, operator and sample index.

        A prompt's prefix is written once for all that share it: it is most of the prompt."""
        rows, prefixes = [], {}
        for r, fact_id, operator, sample in requests:
            sha256 = hashlib.sha256(r.prefix.encode()).hexdigest()
            prefixes[sha256] = r.prefix
            drawn = (r.seed, r.temperature, r.top_p, r.max_tokens)
            rows.append((r.key, fact_id, operator, sample, sha256, r.suffix, *drawn))
        with self._db:
            self._db.executemany("INSERT OR IGNORE INTO prefixes VALUES (?,?)", prefixes.items())
            self._db.executemany("INSERT OR REPLACE INTO requests VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
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
        RunError: the file is no journal, or one of another version.
    """
    if path is not None:
        make_folder(path.parent)
        with storage_errors(path):
            path.touch(mode=FILE_MODE)
    try:
        connection = sqlite3.connect(path or ":memory:")
        try:
            # WAL with synchronous=NORMAL survives a killed process; only a power cut may lose the last batch.
            _refuse_other_versions(connection, path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(f"{_SCHEMA}PRAGMA user_version={_VERSION};")
            yield Journal(connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", None)
        if name is None:  # raised by Python's own wrapper: a wrong call, so a bug
            raise
        if name.split("_")[1] in _REFUSED:
            hint = "free some space or check the permissions; then run again"
            raise StorageError(f"{path}: {error}", hint=hint) from error
        raise RunError(f"{path}: not a journal of augmlx ({error})", hint="delete it; its work is redone") from error


# What SQLite calls a disk that does not do what it is asked to.
_REFUSED = frozenset({"FULL", "IOERR", "READONLY", "CANTOPEN", "BUSY", "LOCKED", "PERM"})


def _refuse_other_versions(connection: sqlite3.Connection, path: Path | None) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and version != _VERSION:
        raise RunError(f"{path}: a journal of another version of augmlx", hint="delete it; its work is redone")
