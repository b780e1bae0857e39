"""The report: pages of HTML about a run, several runs or a study, each of which stands by itself.

It reads what the stages left in their folders and computes nothing anew: no mlx here. A page loads
nothing from elsewhere, runs no script but its own, and shows of a path its last part only.
"""

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
    """Write the page of a run, from whatever its stages have left there; returns its path.

    The same files give the same bytes.

    Args:
        out: where to write it; RUN/report.html where that is None.

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

    Raises:
        RunError: there are too few or too many runs, one has no evaluation, or as write_report.
        BadInput, BadSettings, StorageError: as write_report.
    """
    write_text(out, render_comparison([gather(run) for run in runs]))
    return out


def write_study(folder: Path, out: Path | None = None) -> Path:
    """Write the page of a study folder over all its seeds; returns its path.

    Args:
        out: where to write it; report.html in the folder where that is None.

    Raises:
        RunError: there is no study in the folder, it has no results yet, or a file of it is not as
            augmlx writes it.
        StorageError: a file cannot be read or written.
    """
    path = folder / "report.html" if out is None else out
    write_text(path, render_study(folder))
    return path


def require_current(run: RunFolder) -> None:
    """Refuse a run whose evaluation is of earlier augmentations: numbers of an earlier adapter
    beside texts that it was not trained on would look like a result.

    Raises:
        RunError: that is so, or there is no such folder.
    """
    run.require()
    manifest = run.manifest()
    outdated = "augment" in manifest and "eval" not in manifest
    if outdated and (run.eval / summary.FILE).exists():
        hint = f"run: augmlx train {run.path}, then eval"
        raise RunError(f"{run.path}: its evaluation is of earlier augmentations", hint=hint)
