"""The benchmark of rows: what it times loses none of them, and its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import bench_rows

ROWS = 50


@pytest.mark.parametrize("form", bench_rows.FORMS)
def test_both_sides_write_every_row(form: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.csv" if form == "csv" else "a.jsonl")
    bench_rows.write(path, (bench_rows.FORMS[form](number) for number in range(ROWS)))
    alone, ours = tmp_path / "alone.jsonl", tmp_path / "ours.jsonl"
    bench_rows.through_alone(path, alone)
    bench_rows.through_augmlx(path, ours)
    read = [json.loads(line) for line in alone.read_text().splitlines()]
    written = [json.loads(line) for line in ours.read_text().splitlines()]
    assert read == [bench_rows.FORMS[form](number) for number in range(ROWS)]
    assert len(written) == ROWS
    assert all(bench_rows.asked(n)[1] in json.dumps(row) for n, row in enumerate(written))


def test_it_says_how_many_times_the_peer_each_form_takes(tmp_path: Path) -> None:
    out = tmp_path / "rows.json"
    command = [sys.executable, bench_rows.__file__, "--rows", str(ROWS), "--json", out]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # with so few rows no bar of speed is sure
    bars = json.loads(out.read_text())["bars"]
    assert bars.keys() == {f"{form}.{of}" for form in bench_rows.FORMS for of in ("times", "mb")}
    assert all(bars[f"{form}.mb"]["ok"] for form in bench_rows.FORMS)
