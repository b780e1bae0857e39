"""The shell functions behind setup, demo and test, with a stand-in for the environment's Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose .venv/bin/python writes down its arguments and fails where a file "fail"
    says so.
    """
    (tmp_path / "scripts").mkdir()
    for name in ("pyproject.toml", "scripts/lib.sh", "scripts/constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" >> calls\n[ ! -f fail ]\n')
    python.chmod(0o755)
    return tmp_path


def install(checkout: Path, times: int = 1) -> int:
    script = "set -euo pipefail; . scripts/lib.sh; " + 'install "[dev]" && true; ' * times
    return subprocess.run(
        ["bash", "-c", script], cwd=checkout, check=False, capture_output=True
    ).returncode


def calls(checkout: Path) -> int:
    path = checkout / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_failed_install_fails_and_is_tried_again(checkout: Path) -> None:
    (checkout / "fail").touch()
    assert install(checkout) != 0
    (checkout / "fail").unlink()
    assert install(checkout) == 0
    assert calls(checkout) == 2


def test_an_install_is_done_once_until_what_it_installs_from_changes(checkout: Path) -> None:
    assert install(checkout, times=2) == 0
    assert calls(checkout) == 1
    with (checkout / "scripts" / "constraints.txt").open("a") as file:
        file.write("numpy<3\n")
    assert install(checkout) == 0
    assert calls(checkout) == 2


@pytest.mark.parametrize("name", ["setup", "demo", "test", "search", "lib.sh"])
def test_the_scripts_parse(name: str) -> None:
    subprocess.run(["bash", "-n", ROOT / "scripts" / name], check=True)
