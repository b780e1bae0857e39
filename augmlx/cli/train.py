"""augmlx train: data/train.jsonl -> adapter/."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.common import FilePath


@click.command()
@click.argument("run", metavar="RUN", type=FilePath)
@common.settings_options
@common.json_option
def train(run: Path, model: str | None, seed: int | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Train a LoRA adapter on the originals and augmentations of RUN.

    Ctrl-C writes a checkpoint; the same command goes on from there. RUN/adapter is in mlx-lm's own format.

    \b
    Example:
      augmlx train runs/first --set train.epochs=20
    """
    from augmlx.pipeline import Pipeline
    from augmlx.rundir import RunDir

    settings = common.run_settings(run, common.overrides(model, seed, pairs))
    folder = RunDir(run)
    with folder.lock():
        counts = Pipeline(folder, settings, common.progress()).train()
    if as_json:
        common.echo_json({"run": str(run), "adapter": str(folder.adapter), **counts})
    else:
        click.echo(str(folder.adapter))
