"""The public names: all there, all light, all at work in docs/API.md, whose blocks are run here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from tiny import trusted, write_model

import augmlx
from augmlx.models.store.folder import find, write_card

API = Path(__file__).parents[1] / "docs" / "API.md"
PUBLIC = [name for name in augmlx.__all__ if name != "__version__"]


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", API.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, and a store whose smollm2-135m is a tiny model."""
    starter = resources.files("augmlx.data") / "starter_files"
    for name in ("facts.csv", "questions.csv"):
        with resources.as_file(starter / name) as shipped:
            lines = shipped.read_text("utf-8").splitlines(keepends=True)
            (tmp_path / name).write_text("".join(lines[:9]), "utf-8")
    tiny = write_model(tmp_path / "tiny-model", max_position_embeddings=2048)
    model = tmp_path / "store" / "models" / "smollm2-135m"
    shutil.copytree(tiny.path, model)
    write_card(model, model.name, {"hf_base": None, "source": "the tests", "bits": None})
    monkeypatch.setenv("AUGMLX_HOME", str(tmp_path / "store"))
    trusted(find(model.name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_blocks_of_the_documentation_run(folder: Path) -> None:
    names: dict[str, object] = {}
    for number, block in enumerate(blocks(), start=1):
        exec(compile(block, f"docs/API.md, block {number}", "exec"), names)  # noqa: S102
    assert (folder / "runs/first/report.html").exists()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_at_work_in_the_documentation(name: str) -> None:
    assert getattr(augmlx, name) is not None
    assert any(re.search(rf"\baugmlx\.{name}\b", block) for block in blocks())


def test_an_unknown_name_is_refused_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        augmlx.nothing  # noqa: B018
    assert "Pipeline" in dir(augmlx)


def test_importing_augmlx_loads_nothing_else_of_it() -> None:
    code = "import sys, augmlx; print([n for n in sys.modules if n.startswith('augmlx.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
