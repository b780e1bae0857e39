"""augmlx serve: the tuned model beside the base model for other programs, and a page to chat."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common
from augmlx.cli.common import FilePath
from augmlx.cli.progress import progress_here
from augmlx.core.arms import AUGMENTED, BASE


@click.command()
@click.argument("run", metavar="RUN", type=FilePath)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Its port; 0 takes a free one.",
)
@click.option(
    "--expose",
    is_flag=True,
    help="Allow a --host that other machines can reach: they can ask for what was taught.",
)
@common.json_option
def serve(run: Path, host: str, port: int, expose: bool, as_json: bool) -> None:
    """Serve the tuned model to other programs, as OpenAI's API does, until Ctrl-C.

    The address that it prints is a page, too, to chat with the tuned model and the base model side
    by side. Programs name them as their model: "augmented" (also where they name none) or "base".
    It is mlx_lm.server, with these two models, which are in memory once, and with no others;
    nothing is fetched, nothing of a chat is written anywhere, and web pages of other origins are
    refused.

    \b
    Examples:
      augmlx serve runs/first
      augmlx serve runs/first --port 8111
    """
    from augmlx.core.run_folder import RunFolder
    from augmlx.run.pipeline import Pipeline

    def ready(address: str) -> None:
        if as_json:
            models = [AUGMENTED.name, BASE.name]
            common.echo_json({"page": address, "api": f"{address}/v1", "models": models})
        else:
            click.echo(f"{address}  to chat; for programs {address}/v1")
        click.echo(f"models: {AUGMENTED.name}, {BASE.name}. Ctrl-C ends.", err=True)

    settings = common.run_settings(run, {})
    folder = RunFolder(run)
    with folder.lock():
        pipeline = Pipeline(folder, settings, progress_here())
    try:
        pipeline.serve(host, port, exposed=expose, ready=ready)
    except KeyboardInterrupt:
        click.echo("ended", err=True)
