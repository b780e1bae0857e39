"""What a command has done so far, seen from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def journalled(run: Path) -> int:
    """How many completions the run's journal holds, while another process writes it."""
    return completions_in(run / "journal.sqlite")


def completions_in(path: Path) -> int:
    """The same of a journal wherever it lies."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
            return int(journal.execute("SELECT count(*) FROM completions").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0
