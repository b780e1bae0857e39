"""The floors of augmlx: a module imports only from lower floors, and only some modules may load
mlx.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import augmlx

ROOT = Path(augmlx.__file__).parent
# Longest matching prefix wins. Inside a package, modules may import one another as long as there is
# no circle.
FLOORS = {
    "augmlx": 0,
    "augmlx.core.errors": 0,
    "augmlx.core.records": 0,
    "augmlx.engines.protocol": 0,
    "augmlx.core.progress": 0,
    "augmlx.data": 0,
    "augmlx.core.files": 1,
    "augmlx.english.text": 1,
    "augmlx.english.logic": 2,
    "augmlx.core.settings": 2,
    "augmlx.data.rows": 1,
    "augmlx.data.cells": 2,
    "augmlx.data.prose": 2,
    "augmlx.data.training_sets": 2,
    "augmlx.data.tables": 3,
    "augmlx.core.run_folder": 2,
    "augmlx.augment.journal": 2,
    "augmlx.english.sameness": 3,
    "augmlx.data.starter": 3,
    "augmlx.run.stages": 3,
    "augmlx.augment.operators": 3,
    "augmlx.augment.filters": 3,
    "augmlx.models": 3,
    "augmlx.engines": 4,
    "augmlx.engines.local": 5,
    "augmlx.training": 4,
    "augmlx.evaluation": 4,
    "augmlx.exporting": 4,
    "augmlx.data.row_forms": 4,
    "augmlx.augment.replay": 4,
    "augmlx.augment.contradictions": 4,
    "augmlx.augment.premises": 4,
    "augmlx.evaluation.worlds": 4,
    "augmlx.augment.plan": 5,
    "augmlx.augment.generate": 6,
    "augmlx.augment.explain": 6,
    "augmlx.data.split": 7,
    "augmlx.report": 7,
    "augmlx.augment.stage": 8,
    "augmlx.data.stage": 9,
    "augmlx.augment.preview": 9,
    "augmlx.evaluation.run_items": 10,
    "augmlx.run.ask": 10,
    "augmlx.run.control_arms": 10,
    "augmlx.run.follow": 10,
    "augmlx.core.mlx_launch": 0,
    "augmlx.run.pipeline": 11,
    "augmlx.run.rounds": 12,
    "augmlx.run.study": 12,
    "augmlx.cli": 13,
    "augmlx.__main__": 14,
}
MAY_LOAD_MLX = ("augmlx.models", "augmlx.engines", "augmlx.training", "augmlx.exporting")
HEAVY = ("mlx", "mlx_lm", "transformers", "torch", "peft")


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def floor(name: str) -> int:
    if name == "augmlx":
        return 0
    while name != "augmlx":
        if name in FLOORS:
            return FLOORS[name]
        name = name.rpartition(".")[0]
    raise AssertionError("a module without a floor: add it to FLOORS")


def unit(name: str) -> str:
    """The entry of FLOORS that a module belongs to."""
    while name not in FLOORS:
        name = name.rpartition(".")[0]
    return name


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    """Absolute names imported by a file, TYPE_CHECKING blocks aside; `from a import b` counts as
    a.b where that is a module.
    """
    tree = ast.parse(path.read_text("utf-8"))
    checked = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in tree.body if top_only else ast.walk(tree):
        if node in checked:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = {name for name in whole if name in MODULES}
            names |= inner if len(inner) == len(whole) else {*inner, str(node.module)}
    return names


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_lower_floors(name: str) -> None:
    for imported in imports(MODULES[name]):
        if imported.partition(".")[0] != "augmlx" or imported == "augmlx":
            continue
        same = unit(imported) == unit(name)
        assert same or floor(imported) < floor(name), (
            f"{name} (floor {floor(name)}) imports {imported}"
        )


def test_no_two_modules_import_each_other() -> None:
    graph = {
        name: {n for n in imports(path) if n in MODULES and n != name}
        for name, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a circle: {' -> '.join((*trail, name))}"
        if name not in done:
            for other in graph[name]:
                # A package's __init__ is loaded with any of its modules; it may name them without
                # being named back.
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("name", MODULES)
def test_only_the_marked_modules_load_mlx_and_friends(name: str) -> None:
    heavy = {n for n in imports(MODULES[name]) if n.partition(".")[0] in HEAVY}
    assert not heavy or name.startswith(MAY_LOAD_MLX), f"{name} imports {', '.join(sorted(heavy))}"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["augment", "--help"], ["--version"]]
)
def test_help_loads_no_heavy_package(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from augmlx.cli import cli\n"
        f"try:\n    cli({arguments!r}, prog_name='augmlx')\nexcept SystemExit as end:\n    assert "
        f"not end.code\n"
        "heavy = {'mlx', 'mlx_lm', 'transformers', 'numpy', 'torch', 'peft', 'gguf', "
        "'tokenizers', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "augmlx" in done.stdout


def test_library_code_prints_nothing() -> None:
    for name, path in MODULES.items():
        if name.startswith("augmlx.cli"):
            continue
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        ]
        assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], name


def test_only_pull_may_open_a_connection() -> None:
    network = {
        "socket",
        "urllib",
        "urllib.request",
        "http",
        "http.client",
        "requests",
        "httpx",
        "huggingface_hub",
    }
    for name, path in MODULES.items():
        if name in {
            "augmlx.models.store.fetch",
            "augmlx.models.store.hub_child",
            "augmlx.engines.server",
        }:
            continue
        assert not imports(path) & network, name
