"""What a terminal shows while work goes on, and what a pipe gets instead."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from augmlx.cli.live import Curve, RichProgress
from augmlx.cli.progress import PlainProgress

BLOCKS = "▁▂▃▄▅▆▇█"
TRAINING = """
from augmlx.cli.progress import progress_here
with progress_here().task("Training", 3, done=1) as task:
    task.advance(note="loss 2.000 · 9 tokens/s", point=2.0)
    task.advance(note="loss 1.000 · 9 tokens/s", point=1.0)
"""


def shown(width: int, encoding: str = "utf-8") -> list[str]:
    """The last picture of a training of ten steps, four of them done before."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    progress = RichProgress(
        Console(file=stream, width=width, force_terminal=True, color_system=None)
    )
    with progress.task("Training", 10, done=4) as task:
        for loss in (4.0, 3.0, 2.0, 1.0, 0.5, 0.25):
            task.advance(note=f"loss {loss:.3f} · valid 0.51 · 212 tokens/s · 1.3 GB", point=loss)
    stream.seek(0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.read())
    return text.replace("\r", "\n").rstrip("\n").split("\n")[-2:]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_training_shows_its_steps_times_loss_and_note(width: int) -> None:
    bar, below = shown(width)
    assert bar.startswith("Training ━")
    assert "10/10" in bar
    assert len(re.findall(r"\d:\d\d:\d\d", bar)) == 2
    assert bar.rstrip().endswith("left")
    curve, note = below.strip().split("  ", 1)
    assert len(curve) == 6
    assert (curve[0], curve[-1]) == ("█", "▁")
    assert note.startswith("loss 0.250 · valid 0.51 · 212 tok")
    assert max(len(bar), len(below)) <= width


def test_a_terminal_without_blocks_gets_none() -> None:
    _, below = shown(120, "latin-1")
    assert below.strip().startswith("loss 0.250")


def test_work_without_notes_takes_one_line() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with RichProgress(console).task("converting", 2) as task:
        task.advance()
        task.advance()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().count("\n") == 1


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainProgress().task("Training", 2, done=1) as task:
        task.advance(note="loss 0.412", point=0.412)
    assert (
        capsys.readouterr().err == "Training: 2 to do, 1 done before\nTraining: 2/2, loss 0.412\n"
    )


def test_the_view_is_chosen_by_what_stderr_is() -> None:
    piped = subprocess.run(
        [sys.executable, "-c", TRAINING], capture_output=True, text=True, check=True
    )
    assert piped.stdout == ""
    assert piped.stderr.endswith("Training: 3/3, loss 1.000 · 9 tokens/s\n")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING], stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        data = b""
        while chunk := _read(ours):
            data += chunk
    os.close(ours)
    assert process.returncode == 0
    assert "█▁  loss 1.000" in data.decode("utf-8")


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:  # Linux says so where the other end is closed
        return b""


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(2, 40))
def test_a_curve_fits_its_cells_and_keeps_the_mean(points: list[float], cells: int) -> None:
    curve = Curve(cells)
    for point in points:
        curve.add(point)
    assert 1 <= len(str(curve)) <= cells
    assert set(str(curve)) <= set(BLOCKS)
    slack = 1e-6 * max(map(abs, points)) + 1e-9
    assert all(min(points) - slack <= value <= max(points) + slack for value in curve.values())


def test_a_long_curve_keeps_its_shape() -> None:
    curve = Curve(8)
    for step in range(1000):
        curve.add(1000.0 - step)
    curve.add(float("nan"))
    assert list(str(curve)) == sorted(str(curve), reverse=True)
    assert len(str(curve)) >= 4
    assert str(Curve()) == ""
