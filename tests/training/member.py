"""One of the processes of a team, as test_team.py starts them.

Each line on stdin is a command of augmlx, a JSON list of arguments in which "{rank}" stands for the
process's rank; each line on stdout is what came of one.
"""

from __future__ import annotations

import json
import os
import sys
import time

from click.testing import CliRunner

from augmlx.cli import cli
from augmlx.training import team


def main() -> None:
    team.PATIENCE = 2.0
    for line in sys.stdin:
        command = [part.replace("{rank}", os.environ["MLX_RANK"]) for part in json.loads(line)]
        begun = time.monotonic()
        done = CliRunner().invoke(cli, command, prog_name="augmlx")
        fault = "" if isinstance(done.exception, SystemExit | None) else repr(done.exception)
        told = {"code": done.exit_code, "out": done.stdout, "err": done.stderr + fault}
        sys.stdout.write(json.dumps({**told, "seconds": time.monotonic() - begun}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
