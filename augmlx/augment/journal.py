"""The journal: every request and completion of a run, in SQLite (WAL). It is what resume reads.

A batch is written in one transaction, so after a crash it is there whole or not at all and is
replayed whole: a row's last bits depend on who shares its batch.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augmlx.core.errors import AugmlxError, RunError, StorageError, storage_errors
from augmlx.core.files import FILE_MODE, make_folder
from augmlx.core.records import fingerprint
from augmlx.engines.protocol import Completion, Request

_VERSION = 2  # of the schema
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prefixes (
    sha256 TEXT PRIMARY KEY, text TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chats (
    prefix TEXT PRIMARY KEY REFERENCES prefixes, system TEXT NOT NULL, turns TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, operator TEXT NOT NULL, sample INTEGER NOT NULL,
    prefix TEXT NOT NULL REFERENCES prefixes, suffix TEXT NOT NULL,
    opening TEXT NOT NULL, chat INTEGER NOT NULL,
    seed TEXT NOT NULL, temperature REAL NOT NULL, top_p REAL NOT NULL, max_tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS requests_by_id ON requests (id);
CREATE TABLE IF NOT EXISTS completions (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, finish TEXT NOT NULL, tokens INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS scores (
    key TEXT NOT NULL, measure TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (key, measure)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (
    key TEXT PRIMARY KEY, kept INTEGER NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL
) WITHOUT ROWID;
"""
# Only where a journal lies beside a table of facts.
_SHEETS = "CREATE TABLE IF NOT EXISTS sheets (sha256 TEXT PRIMARY KEY) WITHOUT ROWID"
_DELETE_FAILED = """
DELETE FROM {} WHERE key IN (SELECT key FROM completions WHERE key = ? AND finish = 'error')
"""
_HISTORIES = """
SELECT r.key, r.id, r.sample,
    p.text, r.suffix, r.opening, r.chat, r.seed, r.temperature, r.top_p, r.max_tokens,
    h.system, h.turns,
    c.text, c.finish, c.tokens, v.kept, v.by, v.why
FROM requests r
    JOIN prefixes p ON p.sha256 = r.prefix
    JOIN completions c USING (key)
    LEFT JOIN chats h ON h.prefix = r.prefix
    LEFT JOIN verdicts v USING (key)
WHERE r.id >= ? AND r.id < ?
ORDER BY r.sample, c.rowid
"""
_LAST_CHARACTER = "\U0010ffff"  # behind everything that begins with the same letters
Row = tuple[Any, ...]
_CHUNK = 500  # below SQLite's oldest limit of 999 variables in a statement


@dataclass(frozen=True, slots=True)
class Entry:
    """A request with what it is for: `id` is that of the example it may become."""

    request: Request
    id: str
    operator: str
    sample: int


@dataclass(frozen=True, slots=True)
class History:
    """One journalled request with all that became of it.

    Args:
        id: of the example it may become.
        sample: which sample of its operator it is.
        request: what was asked.
        completion: what was written.
        scores: measure -> what the model said of it.
        verdict: (kept, by, why), where it was judged.
    """

    id: str
    sample: int
    request: Request
    completion: Completion
    scores: Mapping[str, float]
    verdict: tuple[bool, str, str] | None


class Journal:
    """An open journal. Use `open_journal`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def completions(self, keys: Sequence[str]) -> dict[str, Completion]:
        """Key -> completion, for those of `keys` that are journalled."""
        query = "SELECT key, text, finish, tokens FROM completions WHERE key IN ({})"
        return {row[0]: Completion(*row) for row in self._chosen(query, keys)}

    def scores(self, keys: Sequence[str]) -> dict[tuple[str, str], float]:
        """(key, measure) -> score, for all journalled scores of `keys`."""
        query = "SELECT key, measure, value FROM scores WHERE key IN ({})"
        rows = self._chosen(query, keys)
        return {(key, measure): value for key, measure, value in rows}

    def _chosen(self, query: str, keys: Sequence[str]) -> Iterator[Row]:
        """The rows of some keys; `query` has {} where their marks go."""
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" for _ in chunk)
            filled = query.format(marks)
            yield from self._db.execute(filled, chunk)

    def add(self, entries: Iterable[Entry], completions: Iterable[Completion]) -> None:
        """Write one batch, whole or not at all.

        A prompt's prefix, with what a chat has before it, is written once for all that share it: it
        is most of the prompt. A failure is no completion: what comes of trying again replaces it.

        Raises:
            sqlite3.IntegrityError: a request has a completion already: that would be a bug.
        """
        rows: list[Row] = []
        prefixes = {}
        chats = {}
        for entry in entries:
            request = entry.request
            name = _name_of_prefix(request)
            prefixes[name] = request.prefix
            if request.system or request.turns:
                chats[name] = (name, request.system, json.dumps(request.turns, ensure_ascii=False))
            rows.append(_request_row(entry, name))
        keys = [row[:1] for row in rows]
        with self._db:
            for table in ("requests", "completions"):
                self._db.executemany(_DELETE_FAILED.format(table), keys)
            self._db.executemany("INSERT OR IGNORE INTO prefixes VALUES (?,?)", prefixes.items())
            self._db.executemany("INSERT OR IGNORE INTO chats VALUES (?,?,?)", chats.values())
            self._db.executemany("INSERT INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
            self._db.executemany(
                "INSERT INTO completions VALUES (?,?,?,?)",
                [(c.key, c.text, c.finish, c.tokens) for c in completions],
            )

    def add_scores(self, scores: Iterable[tuple[str, str, float]]) -> None:
        """Write one batch of (key, measure, value), whole or not at all."""
        query = "INSERT OR REPLACE INTO scores VALUES (?,?,?)"
        with self._db:
            self._db.executemany(query, scores)

    def judge(self, verdicts: Iterable[tuple[str, bool, str, str]]) -> None:
        """Write verdicts: (key, kept, by, why); later ones replace earlier ones."""
        query = "INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?)"
        with self._db:
            self._db.executemany(query, verdicts)

    def add_sheet(self, sha256: str) -> None:
        """Note a table that is about to be written, so that one edited by hand is told from it."""
        with self._db:
            self._db.execute(_SHEETS)
            self._db.execute("INSERT OR IGNORE INTO sheets VALUES (?)", (sha256,))

    def sheets(self) -> set[str]:
        """The sha256 of each table that was written."""
        self._db.execute(_SHEETS)
        return {sha256 for (sha256,) in self._db.execute("SELECT sha256 FROM sheets")}

    def histories(self, group: str) -> list[History]:
        """Everything that is known of the samples of a group, such as "f0001/reversal/", in their
        order.
        """
        rows = self._db.execute(_HISTORIES, (group, group + _LAST_CHARACTER)).fetchall()
        return [self._history(row) for row in rows]

    def _history(self, row: Row) -> History:
        key, example_id, sample = row[:3]
        prefix, suffix, opening, chat, seed, temperature, top_p, max_tokens = row[3:11]
        system, turns = row[11:13]
        text, finish, tokens, kept, by, why = row[13:]
        request = Request(
            key,
            prefix=prefix,
            suffix=suffix,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            opening=opening,
            chat=bool(chat),
            system=system or "",
            turns=tuple(map(tuple, json.loads(turns or "[]"))),
        )
        scores = self.scores([key])
        return History(
            id=example_id,
            sample=sample,
            request=request,
            completion=Completion(key, text, finish, tokens),
            scores={measure: value for (_, measure), value in scores.items()},
            verdict=None if kept is None else (bool(kept), by, why),
        )

    def counts(self) -> dict[str, int]:
        """Table -> how many rows it has."""
        counts = {}
        for table in ("requests", "completions", "scores", "verdicts"):
            row = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
            counts[table] = row[0]
        return counts


def _name_of_prefix(request: Request) -> str:
    """The sha256 of what requests share: the prefix, and what a chat has before it."""
    if request.system or request.turns:
        return fingerprint([request.system, request.turns, request.prefix])
    return hashlib.sha256(request.prefix.encode()).hexdigest()


def _request_row(entry: Entry, name_of_prefix: str) -> Row:
    """The columns of `requests`, in their order."""
    request = entry.request
    return (
        request.key,
        entry.id,
        entry.operator,
        entry.sample,
        name_of_prefix,
        request.suffix,
        request.opening,
        request.chat,
        request.seed,
        request.temperature,
        request.top_p,
        request.max_tokens,
    )


@contextmanager
def open_journal(path: Path | None) -> Iterator[Journal]:
    """Open or make the journal, private to the user.

    Args:
        path: of the file; None keeps the journal in memory.

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
            _set_up(connection, path)
            yield Journal(connection)
        finally:
            connection.close()
    except sqlite3.IntegrityError:
        raise  # something was written twice: a bug
    except sqlite3.DatabaseError as error:
        fault = _fault(path, error)
        if fault is None:
            raise
        raise fault from error


def _set_up(connection: sqlite3.Connection, path: Path | None) -> None:
    """Make the tables that are missing. Raises RunError for a journal of another version."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and version != _VERSION:
        fault = f"{path}: a journal of another version of augmlx"
        raise RunError(fault, hint="delete it; its work is redone")
    # WAL with synchronous=NORMAL survives a killed process; only a power cut may lose the last
    # batch.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(f"{_SCHEMA}PRAGMA user_version={_VERSION};")


# What SQLite calls a disk that does not do what it is asked to.
_REFUSED = frozenset({"FULL", "IOERR", "READONLY", "CANTOPEN", "BUSY", "LOCKED", "PERM"})


def _fault(path: Path | None, error: sqlite3.DatabaseError) -> AugmlxError | None:
    """What SQLite's error means for the user; None where it is a bug."""
    name = getattr(error, "sqlite_errorname", None)
    if name is None:  # raised by Python's own wrapper: a wrong call
        return None
    if name.split("_")[1] in _REFUSED:
        hint = "free some space or check the permissions; then run again"
        return StorageError(f"{path}: {error}", hint=hint)
    fault = f"{path}: not a journal of augmlx ({error})"
    return RunError(fault, hint="delete it; its work is redone")
