"""augmlx report: one HTML file about a run."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def report(run: Path, as_json: bool) -> None:
    """Write RUN/report.html: what augmentation bought, the loss curve, what was kept and dropped, samples, settings.

    It is one file that needs no network. Stages that have not run yet are named in it. It holds facts of yours.

    \b
    Example:
      augmlx report runs/acme
    """
    from augmlx.errors import RunError
    from augmlx.report import write_report
    from augmlx.rundir import RunDir

    folder = RunDir(run)
    folder.require()
    manifest = folder.manifest()
    if "augment" in manifest and "eval" not in manifest and (folder.eval / "summary.json").exists():
        # Numbers of an earlier adapter beside texts that it was not trained on would look like a result.
        raise RunError(f"{run}: its evaluation is of earlier augmentations", hint=f"run: augmlx train {run}, then eval")
    with folder.lock():
        path = write_report(folder)
    click.echo(json.dumps({"report": str(path)}, ensure_ascii=False) if as_json else str(path))
