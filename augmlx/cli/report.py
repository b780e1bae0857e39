"""augmlx report: one HTML file about a run, a study, or several runs."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli.common import echo_json, json_option


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where to write; RUN/report.html if one folder is named.",
)
@json_option
def report(runs: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Write RUN/report.html: what augmentation bought, what was kept and dropped, questions,
    samples, settings.

    It is one file that needs no network. Stages that have not run yet are named in it. It holds
    facts of yours. A study's folder gives the page of the study. Several runs give a page that
    compares them, written to --out.

    \b
    Examples:
      augmlx report runs/acme
      augmlx report runs/acme runs/other -o comparison.html
    """
    from augmlx.core.errors import RunError
    from augmlx.core.run_folder import RunFolder
    from augmlx.report import require_current, write_comparison, write_report, write_study
    from augmlx.report.study import is_study

    folders = [RunFolder(run) for run in runs]
    for folder in folders:
        require_current(folder)
        if not folder.manifest_file.exists() and not is_study(folder.path):
            raise RunError(f"{folder.path}: is no run folder", hint="run: augmlx run FACTS -o RUN")
    if out is not None:
        _outside(out, runs)
    if len(runs) > 1:
        if out is None:
            raise click.UsageError("several runs: name the file to write with -o")
        if study := next((run for run in runs if is_study(run)), None):
            raise RunError(
                f"{study}: is a study", hint="report it alone, or name the seed folders in it"
            )
        path = write_comparison(folders, out)
    elif is_study(runs[0]):
        path = write_study(runs[0], out)
    elif out is not None:
        path = write_report(folders[0], out)
    else:
        with folders[0].lock():
            path = write_report(folders[0])
    if as_json:
        echo_json({"report": str(path)})
    else:
        click.echo(str(path))


def _outside(out: Path, runs: tuple[Path, ...]) -> None:
    """Nothing of a run is written over: a page may lie inside a run's folder as its own report.html
    alone.
    """
    from augmlx.core.errors import RunError
    from augmlx.core.run_folder import RunFolder

    own = [RunFolder(run).report.resolve() for run in runs] if len(runs) == 1 else []
    place = out.resolve()
    within = [run for run in runs if place.is_relative_to(run.resolve())]
    if place not in own and (within or RunFolder(place.parent).manifest_file.exists()):
        raise RunError(f"{out}: lies in a run's folder", hint="choose an -o outside of it")
    if place.is_dir():
        raise RunError(f"{out}: is a folder", hint="name a file, such as comparison.html")
