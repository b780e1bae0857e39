"""augmlx calibrate and models show, on a tiny model that can nothing, and on the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import write_model

from augmlx.augment.calibration.report import CODE, find_report, folder_of
from augmlx.cli import cli
from augmlx.models.store.folder import StoredModel
from augmlx.models.store.pull import pull


def augmlx(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="augmlx")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredModel:
    """A model with so small a window that it cannot be asked at all."""
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "store"))
    return write_model(tmp_path / "tiny")


def test_a_model_is_measured_once_and_its_report_is_shown(tiny: StoredModel) -> None:
    before = augmlx("models", "show", tiny.path)
    assert "not measured yet: augmlx calibrate" in before.stdout

    first = augmlx("calibrate", tiny.path)
    assert first.exit_code == 0, first.output
    assert "do not fit the model's 256" in first.stdout
    assert "off: something right for only 0 of" in first.stdout
    assert "on 6 facts: prompting raw" in first.stderr

    second = augmlx("calibrate", tiny.path)
    assert second.stdout == first.stdout
    assert "measured before" in second.stderr
    shown = augmlx("models", "show", tiny.path)
    assert first.stdout in shown.stdout

    folder = folder_of(tiny)
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}
    again = augmlx("calibrate", tiny.path, "--again", "--json")
    assert json.loads(again.stdout)["marks"].keys() == json.loads(again.stdout)["off"].keys()


def test_augment_refuses_a_model_that_can_nothing(tiny: StoredModel, tmp_path: Path) -> None:
    facts = tmp_path / "facts.csv"
    facts.write_text("fact\nAda Voss leads the field team.\n")
    done = augmlx("augment", facts, "-o", tmp_path / "run", "--model", tiny.path)
    assert done.exit_code == 1
    assert "measured before its first use" in done.stderr
    assert "is not to be trusted with reversal or rephrase" in done.stderr
    assert "augmlx models show" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real
def test_the_embedded_model_comes_with_a_report_of_this_version() -> None:
    report = find_report(pull("smollm2-135m"))
    assert report is not None
    assert report.code == CODE
    assert not report.off
    assert all((tally.precision or 0) >= 0.9 for tally in report.marks.values())
