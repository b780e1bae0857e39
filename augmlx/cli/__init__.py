"""The command line: each command parses, calls the library and echoes.

Data go to stdout, progress and messages to stderr. Errors are caught once, here; no command decides
anything that a caller of the library could not.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import rich_click as click

from augmlx import __version__
from augmlx.cli.ask import ask
from augmlx.cli.augment import augment
from augmlx.cli.calibrate import calibrate
from augmlx.cli.common import Terminated
from augmlx.cli.doctor import doctor
from augmlx.cli.evaluate import evaluate
from augmlx.cli.export import export
from augmlx.cli.facts import facts
from augmlx.cli.import_ import import_
from augmlx.cli.init import init
from augmlx.cli.models import models
from augmlx.cli.operators import operators
from augmlx.cli.preview import preview
from augmlx.cli.publish import publish
from augmlx.cli.pull import pull
from augmlx.cli.report import report
from augmlx.cli.run import run
from augmlx.cli.serve import serve
from augmlx.cli.study import study
from augmlx.cli.train import train
from augmlx.core import mlx_launch
from augmlx.core.errors import STORAGE_FAULTS, AugmlxError, storage_error

click.rich_click.COMMAND_GROUPS = {
    "augmlx": [
        {"name": "Start", "commands": ["init", "facts", "doctor", "pull", "models", "calibrate"]},
        {"name": "All of it", "commands": ["run"]},
        {
            "name": "Step by step",
            "commands": [
                "operators",
                "preview",
                "augment",
                "train",
                "eval",
                "export",
                "report",
                "ask",
                "serve",
            ],
        },
        {"name": "To and from others", "commands": ["import", "publish"]},
        {"name": "The claim itself", "commands": ["study"]},
    ]
}


class CleanErrors(click.RichGroup):
    """The one place where an AugmlxError or a Ctrl-C becomes a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AugmlxError as error:
            # Plain lines: a box would break paths that people copy.
            click.echo(f"error: {error.render()}", err=True)
            ctx.exit(1)
        except OSError as error:
            # A full disk can show anywhere. What is no fault of the disk is a bug, and keeps its
            # traceback.
            if error.errno not in STORAGE_FAULTS:
                raise
            click.echo(
                f"error: {storage_error(error.filename or 'augmlx', error).render()}", err=True
            )
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo(
                "stopped; what is finished is kept. Run the same command again to go on.", err=True
            )
            ctx.exit(130)


# What may be started on several machines at once: training, and what is about a machine and not
# about a run.
_TOGETHER = ("train", "doctor", "models", "operators", "pull")


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


@click.group(cls=CleanErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="augmlx")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Fine-tune a local model on your facts so that it can use them, in both directions.

    \b
    Example:
      augmlx pull smollm2-135m
      augmlx run facts.csv -o runs/first
    """
    if ctx.invoked_subcommand not in _TOGETHER and mlx_launch.backend():
        told = (
            f"augmlx {ctx.invoked_subcommand} is not done by several processes together, as "
            f"train is"
        )
        raise AugmlxError(told, hint="start it without mlx.launch")


_STEPS = (operators, preview, augment, train, evaluate, export, report, ask, serve)
for command in (
    init,
    facts,
    doctor,
    pull,
    models,
    calibrate,
    run,
    *_STEPS,
    import_,
    publish,
    study,
):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        cli(prog_name="augmlx")
    except SystemExit as ending:  # as click ends every command
        if isinstance(ending.code, int):
            _end(ending.code)
        raise


def _end(code: int) -> NoReturn:
    """End the process, when all is done that is to be done at its end.

    The C++ destructors are left out: where MLX 0.32 has computed in a further thread, as a server
    does, they abort the process now and then ("terminate called without an active exception"), and
    what was done well would end with signal 6.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # who reads it is gone, or it is closed
            stream.flush()
    os._exit(code)
