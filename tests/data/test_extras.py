"""A library for one kind of file is loaded for it alone, and named where it is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from augmlx.core.errors import BadInput
from augmlx.core.extras import FILE_PACKAGES
from augmlx.data.facts import read_facts
from tests.data.test_brought import MILL, docx, pdf, xlsx

MODULES = {
    "pyarrow": "pyarrow",
    "python-calamine": "python_calamine",
    "python-docx": "docx",
    "lxml": "lxml",
    "pypdf": "pypdf",
}
LOADED = """
import sys
from pathlib import Path
from augmlx.data.facts import read_facts
read_facts(Path(sys.argv[1]))
print(*{name.partition(".")[0] for name in sys.modules})
"""


def write(path: Path) -> Path:
    """A file of its kind with one fact."""
    texts = {
        ".csv": f"fact\n{MILL}\n",
        ".jsonl": json.dumps({"fact": MILL}),
        ".html": f"<p>{MILL}</p>",
    }
    if path.suffix == ".xlsx":
        xlsx([["fact"], [MILL]])(path)
    elif path.suffix == ".docx":
        docx(("Normal", MILL))(path)
    elif path.suffix == ".pdf":
        pdf([MILL])(path)
    else:
        path.write_text(texts.get(path.suffix, MILL))
    return path


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("a.csv", ""),
        ("a.jsonl", ""),
        ("a.txt", ""),
        ("a.md", ""),
        ("a.html", "lxml"),
        ("a.pdf", "pypdf"),
        ("a.xlsx", "python-calamine"),
        ("a.docx", "python-docx"),
    ],
)
def test_only_the_library_of_a_kind_is_loaded_for_it(
    name: str, package: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name)
    command = [sys.executable, "-c", LOADED, path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split()) & set(MODULES.values())
    may_be = {MODULES[package]} if package else set()
    if package == "python-docx":
        may_be.add("lxml")  # which it is made on
    assert loaded == may_be


def test_every_package_has_a_module_here() -> None:
    assert MODULES.keys() == FILE_PACKAGES.keys()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("a.parquet", "pyarrow"),
        ("a.html", "lxml"),
        ("a.pdf", "pypdf"),
        ("a.xlsx", "python-calamine"),
        ("a.docx", "python-docx"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_text(MILL)
    monkeypatch.setitem(sys.modules, MODULES[package], None)  # as if it were not installed
    with pytest.raises(BadInput) as caught:
        read_facts(path)
    assert caught.value.message.startswith(f"{path}: reading ")
    assert caught.value.message.endswith(f" needs the package {package}")
    assert f"augmlx[{FILE_PACKAGES[package].extra}]" in (caught.value.hint or "")
