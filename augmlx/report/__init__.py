"""The report: one HTML file that stands by itself. No mlx here, and nothing that leaves the page."""

from __future__ import annotations

from pathlib import Path

from augmlx.files import write_text
from augmlx.report.gather import gather
from augmlx.report.page import render
from augmlx.rundir import RunDir

__all__ = ["write_report"]


def write_report(run: RunDir) -> Path:
    """Write report.html into a run folder, from whatever its stages have left there; returns its path.

    The same files give the same bytes.

    Raises:
        RunError: there is no such folder, or a file of it holds something else than augmlx writes.
        BadInput: a torn line.
        BadSettings: an unusable augmlx.toml.
        StorageError: a file cannot be read or written.
    """
    write_text(run.report, render(gather(run)))
    return run.report
