"""augmlx calibrate: what a model can be trusted with, measured on the exam."""

from __future__ import annotations

import rich_click as click

from augmlx.cli.common import echo_json, json_option
from augmlx.cli.progress import progress_here
from augmlx.cli.school_report import lines_of


@click.command()
@click.argument("model")
@click.option("--again", is_flag=True, help="Measure it anew, though there is a report.")
@json_option
def calibrate(model: str, again: bool, as_json: bool) -> None:
    """Let MODEL write about facts whose answers are known, and find out how it is best asked, what
    it can be trusted with, and what not.

    `augment` does so by itself at a model's first use, and goes by the report, but for the settings
    that you wrote. Run it again to go on after an interruption.

    \b
    Example:
      augmlx calibrate smollm2-135m
    """
    from augmlx.augment.calibration import report as reports
    from augmlx.augment.calibration.in_force import measured
    from augmlx.core.settings import MemorySettings
    from augmlx.models.store.folder import find

    stored = find(model)
    if again:
        reports.forget(stored)
    found = None if again else reports.find_report(stored)
    if found is not None:
        click.echo(f"{stored.name}: measured before; --again measures it anew", err=True)
    report = found or measured(stored, MemorySettings(), progress_here())
    if as_json:
        echo_json(reports.to_json(report))
        return
    for line in lines_of(report):
        click.echo(line)
