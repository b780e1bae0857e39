"""augmlx train: data/train.jsonl -> adapter/."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.common import FilePath
from augmlx.cli.progress import progress_here


@click.command()
@click.argument("run", metavar="RUN", type=FilePath)
@common.settings_options
@common.json_option
def train(
    run: Path, model: str | None, seed: int | None, pairs: tuple[str, ...], as_json: bool
) -> None:
    """Train on the originals and augmentations of RUN: a LoRA or DoRA adapter, or whole layers
    (train.method).

    Ctrl-C writes a checkpoint; the same command goes on from there. RUN/adapter is in mlx-lm's own
    format.

    On several machines: mlx.launch --hosts IP,IP -- augmlx train RUN, with RUN and the model on
    each of them. Each takes its share of every batch; the first one writes
    (docs/SEVERAL_MACHINES.md).

    \b
    Example:
      augmlx train runs/first --set train.epochs=20
      mlx.launch -n 2 -- augmlx train runs/first
    """
    from augmlx.core.run_folder import RunFolder
    from augmlx.run.follow import follow
    from augmlx.run.pipeline import Pipeline
    from augmlx.training import team

    together = team.assembled()
    try:  # what is refused from here on must not leave the others waiting
        settings, folder = (
            common.run_settings(run, common.overrides(model, seed, pairs)),
            RunFolder(run),
        )
        if not together.first:
            follow(folder, settings, together)
            return
        with folder.lock():
            counts = Pipeline(folder, settings, progress_here()).train(together)
    finally:
        together.release()
    if as_json:
        common.echo_json({"run": str(run), "adapter": str(folder.adapter), **counts})
    else:
        click.echo(str(folder.adapter))
