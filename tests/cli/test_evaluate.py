"""What augmlx eval refuses before it looks at a run."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from augmlx.cli import cli


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--adapter", "older"], "write NAME=FOLDER"),
        (["--adapter", "=folder"], "write NAME=FOLDER"),
        (["--adapter", "a=x", "--adapter", "a=y"], "a stands for two folders"),
        (["--oracle", "true.csv", "--arm", "base"], "--oracle goes with --arm oracle"),
        (["--arm", "guess"], "'guess' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_a_fault_of_usage(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["eval", "nowhere", *arguments], prog_name="augmlx")
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
