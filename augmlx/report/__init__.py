"""The report: HTML files that stand by themselves. No mlx here, and nothing that leaves a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from augmlx.core.errors import RunError
from augmlx.core.files import write_text
from augmlx.core.run_folder import RunFolder
from augmlx.evaluation import summary
from augmlx.report.comparison import render_comparison
from augmlx.report.gather import gather
from augmlx.report.page import render
from augmlx.report.study import is_study, render_study

__all__ = ["is_study", "require_current", "write_comparison", "write_report", "write_study"]


def write_report(run: RunFolder, out: Path | None = None) -> Path:
    """Write the page of a run, from whatever its stages have left there: RUN/report.html, or `out`;
    returns its path.

    The same files give the same bytes.

    Raises:
        RunError: there is no such folder, or a file of it holds something else than augmlx writes.
        BadInput: a torn line.
        BadSettings: an unusable augmlx.toml.
        StorageError: a file cannot be read or written.
    """
    path = run.report if out is None else out
    write_text(path, render(gather(run)))
    return path


def write_comparison(runs: Sequence[RunFolder], out: Path) -> Path:
    """Write one page about several runs that have been evaluated; returns its path.

    Raises: as write_report, and RunError where there are too few or too many runs, or one has no
        evaluation.
    """
    write_text(out, render_comparison([gather(run) for run in runs]))
    return out


def write_study(folder: Path, out: Path | None = None) -> Path:
    """Write the page of a study folder over all its seeds: report.html in it, or `out`; returns its
    path.

    Raises:
        RunError: there is no study in the folder, it has no results yet, or a file of it is not as
            augmlx writes it.
        StorageError: a file cannot be read or written.
    """
    path = folder / "report.html" if out is None else out
    write_text(path, render_study(folder))
    return path


def require_current(run: RunFolder) -> None:
    """Raises RunError where there is no such folder, or its evaluation is of earlier augmentations:
    numbers of an earlier adapter beside texts that it was not trained on would look like a result.
    """
    run.require()
    manifest = run.manifest()
    stale = "augment" in manifest and "eval" not in manifest
    if stale and (run.eval / summary.FILE).exists():
        hint = f"run: augmlx train {run.path}, then eval"
        raise RunError(f"{run.path}: its evaluation is of earlier augmentations", hint=hint)
