"""metrics.jsonl: what was written is read, whatever a crash tore off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augmlx.core.errors import RunError, StorageError
from augmlx.training import metrics

LINES = st.lists(
    st.dictionaries(
        st.sampled_from(["loss", "valid_loss", "note"]),
        st.floats(allow_nan=False) | st.text(max_size=5),
    ),
    max_size=8,
)


def written(path: Path, lines: list[metrics.Line]) -> list[metrics.Line]:
    path.unlink(missing_ok=True)
    numbered = [{"step": step, **line} for step, line in enumerate(lines, start=1)]
    for line in numbered:
        metrics.append(path, line)
    return numbered


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES, st.integers(0, 400), st.binary(max_size=6))
def test_what_is_read_is_what_was_written_up_to_a_torn_line(
    tmp_path: Path, lines: list[metrics.Line], cut: int, torn: bytes
) -> None:
    path = tmp_path / "metrics.jsonl"
    numbered = written(path, lines)
    assert metrics.read(path) == numbered
    if lines:
        whole = path.read_bytes()
        left = whole[:cut]
        path.write_bytes(left)
        assert metrics.read(path) == numbered[: left.count(b"\n")]
        path.write_bytes(whole + torn.replace(b"\n", b"") + b'{"step"')
        assert metrics.read(path) == numbered


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES, st.data())
def test_keeping_cuts_back_to_a_step_and_is_the_identity_from_there_on(
    tmp_path: Path, lines: list[metrics.Line], data: st.DataObject
) -> None:
    path = tmp_path / "metrics.jsonl"
    numbered = written(path, lines)
    step = data.draw(st.integers(0, len(lines)))
    if lines:
        with path.open("ab") as file:
            file.write(b'{"step": 99, "lo')
    metrics.keep(path, step)
    kept = path.read_bytes()
    assert metrics.read(path) == numbered[:step]
    metrics.keep(path, step)
    assert path.read_bytes() == kept
    metrics.append(path, {"step": step + 1})
    assert metrics.read(path) == [*numbered[:step], {"step": step + 1}]
    with pytest.raises(
        RunError, match=f"does not hold every step up to the checkpoint's, {step + 2}"
    ):
        metrics.keep(path, step + 2)


@pytest.mark.parametrize("steps", [[1, 3], [2, 3], [1, 2, 2, 3], [1, 3, 2], []])
def test_a_gap_or_a_double_is_an_error(tmp_path: Path, steps: list[int]) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in steps))
    before = path.read_bytes()
    with pytest.raises(RunError) as caught:
        metrics.keep(path, 3)
    assert "checkpoints" in str(caught.value.hint)
    assert path.read_bytes() == before


def test_a_line_that_is_of_no_step_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"loss": 0.5}\n')
    with pytest.raises(RunError, match="does not hold every step"):
        metrics.keep(path, 2)


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert metrics.read(tmp_path / "metrics.jsonl") == []
    metrics.keep(tmp_path / "metrics.jsonl", 0)
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""


def test_flushing_changes_nothing_and_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    metrics.append(path, {"step": 1})
    metrics.flush(path)
    assert metrics.read(path) == [{"step": 1}]
    with pytest.raises(StorageError):
        metrics.append(tmp_path, {"step": 1})
