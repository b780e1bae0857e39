from __future__ import annotations

import json
import stat
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from augmlx.cli.doctor import doctor
from augmlx.cli.models import models
from augmlx.cli.pull import pull
from augmlx.core.errors import ModelError
from augmlx.core.extras import FILE_PACKAGES
from augmlx.models.store.doctor import examine
from tests.models.support import tiny_gguf


def test_pull_then_models_then_doctor(tmp_path: Path, empty_store: Path) -> None:
    path = str(tiny_gguf(tmp_path))
    done = CliRunner().invoke(pull, [path, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["name"] == "tiny"
    assert "tiny is in the store" in done.stderr
    done = CliRunner().invoke(pull, [path], catch_exceptions=False)
    assert (done.stdout, done.stderr) == ("tiny\n", "tiny is already in the store\n")

    listed = CliRunner().invoke(models, [], catch_exceptions=False)
    assert listed.stdout.startswith("tiny\t0 MB\tfloat32\t-\tGGUF file of Tiny\n")
    assert "augmlx pull smollm2-135m" in listed.stderr
    rows = json.loads(CliRunner().invoke(models, ["--json"], catch_exceptions=False).stdout)[
        "models"
    ]
    assert [row["name"] for row in rows] == ["tiny"]

    seen = CliRunner().invoke(doctor, ["--json"], catch_exceptions=False)
    found = json.loads(seen.stdout)
    assert seen.exit_code == 0
    assert found["ready"] is True
    assert found["models"] == ["tiny"]
    assert found["gflops"] > 0


def test_doctor_says_what_to_do_on_an_empty_store(empty_store: Path) -> None:
    seen = CliRunner().invoke(doctor, [], catch_exceptions=False)
    assert seen.exit_code == 1
    assert "missing: no model in the store\n  hint: augmlx pull smollm2-135m" in seen.stdout
    assert "GFLOP/s" in seen.stdout
    assert not empty_store.exists()


def test_errors_reach_the_edge_as_they_are(empty_store: Path) -> None:
    with pytest.raises(ModelError):
        CliRunner().invoke(pull, ["nobody"], catch_exceptions=False)
    assert CliRunner().invoke(pull, ["x", "--quantize", "3"]).exit_code == 2


def test_a_store_is_made_private(tmp_path: Path, empty_store: Path) -> None:
    CliRunner().invoke(pull, [str(tiny_gguf(tmp_path))], catch_exceptions=False)
    assert stat.S_IMODE(empty_store.stat().st_mode) == 0o700


def test_doctor_names_the_extra_of_each_missing_package(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = metadata.version

    def version(package: str) -> str:
        if package in FILE_PACKAGES:
            raise metadata.PackageNotFoundError(package)
        return installed(package)

    monkeypatch.setattr(metadata, "version", version)  # as if none of them were installed
    found, advice = examine()
    missing = {one.fault: one.remedy for one in advice if not one.needed}
    for package, of in FILE_PACKAGES.items():
        assert found[package] is None
        assert f"augmlx[{of.extra}]" in missing[f"{package} is not installed"]
        assert of.files in missing[f"{package} is not installed"]
