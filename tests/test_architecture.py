"""The house: twelve rooms on seven floors. A module imports from its own room and from lower ones.

What else keeps it readable: no circle, mlx only where it is computed with, no English outside
english/, no arm's name outside the table, no format's file name outside its module.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import augmlx
from augmlx.core.arms import ARMS
from augmlx.english.lexicon import STOPWORDS

ROOT = Path(augmlx.__file__).parent
FLOORS = {
    "core": 1,
    "english": 2,
    "models": 2,
    "engines": 3,
    "data": 3,
    "augment": 4,
    "training": 4,
    "evaluation": 4,
    "exporting": 4,
    "report": 5,
    "run": 6,
    "cli": 7,
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


def room(name: str) -> str:
    """The room of a module; "" for the front door and __main__, which stand outside."""
    _, _, inside = name.partition(".")
    first = inside.partition(".")[0]
    return first if first in FLOORS else ""


def imports(path: Path, *, types: bool = True) -> set[str]:
    """Absolute names imported by a file, inside functions too; `from a import b` counts as a.b
    where that is a module. Without `types`, TYPE_CHECKING blocks are left out.
    """
    tree = ast.parse(path.read_text("utf-8"))
    checked = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in checked and not types:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = {name for name in whole if name in MODULES}
            names |= inner if len(inner) == len(whole) else {*inner, str(node.module)}
    return names


def test_the_top_holds_the_rooms_and_no_loose_module() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(FLOORS)
    assert len(folders) <= 12
    assert len(set(FLOORS.values())) <= 7
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("name", [name for name in MODULES if room(name)])
def test_a_module_imports_only_from_its_room_and_lower_floors(name: str) -> None:
    """Imports for type checkers alone, and those inside functions, count as well."""
    mine = room(name)
    for imported in imports(MODULES[name]):
        if not imported.startswith("augmlx."):
            continue
        other = room(imported)
        assert other == mine or FLOORS[other] < FLOORS[mine], f"{name} imports {imported}"


@pytest.mark.parametrize("name", list(FLOORS))
def test_a_room_says_what_it_is_for_and_what_it_never_does(name: str) -> None:
    told = ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text("utf-8"))) or ""
    lines = told.splitlines()
    assert 2 <= len(lines) <= 6, f"{name}: {len(lines)} lines"
    assert re.search(r"\b(never|no|nothing|nobody)\b", told, re.IGNORECASE), name


def test_there_is_no_circle() -> None:
    graph = {
        name: {n for n in imports(path, types=False) if n in MODULES and n != name}
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
    heavy = {n for n in imports(MODULES[name], types=False) if n.partition(".")[0] in HEAVY}
    assert not heavy or name.startswith(MAY_LOAD_MLX), f"{name} imports {', '.join(sorted(heavy))}"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["augment", "--help"], ["--version"]]
)
def test_help_loads_no_heavy_package(arguments: list[str]) -> None:
    heavy = ("mlx", "mlx_lm", "transformers", "numpy", "torch", "peft", "gguf", "tokenizers")
    code = (
        "import sys\n"
        "from augmlx.cli import cli\n"
        f"try:\n    cli({arguments!r}, prog_name='augmlx')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"loaded = {{*{heavy!r}, 'huggingface_hub'}} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "augmlx" in done.stdout


def test_library_code_prints_nothing() -> None:
    for name, path in MODULES.items():
        if room(name) == "cli":
            continue
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        calls = [node.func for node in nodes if isinstance(node, ast.Call)]
        assert not [c for c in calls if isinstance(c, ast.Name) and c.id == "print"], name


def test_only_pull_and_publish_may_open_a_connection() -> None:
    network = {"socket", "urllib", "http", "requests", "httpx", "huggingface_hub"}
    may = {
        "augmlx.models.store.fetch",
        "augmlx.models.store.hub_child",
        "augmlx.engines.server",  # the one that the user names
        "augmlx.engines.address",  # which resolves its name
        "augmlx.engines.serving.server",  # which listens, and connects to nothing
        "augmlx.exporting.publish_child",  # the other command that may, when it is told to
        "augmlx.exporting.card",  # a card's YAML, which asks nobody: tests/exporting/test_card.py
        "augmlx.models.formats.hub_card",  # likewise: tests/models/formats/test_hub_card.py
        "augmlx.models.loading",  # the name of an error class
    }
    for name in set(MODULES) - may:
        assert not {n.partition(".")[0] for n in imports(MODULES[name])} & network, name


def literals(name: str) -> Iterator[tuple[int, str]]:
    """The texts of a module that are no docstrings: (line, text), pieces of f-strings too."""
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


# A key of a file, a stage of the line, or a record's name: the same letters, another thing.
HOMONYMS = {
    ("augmlx.models.formats.adapter_folder", "base"): "a key of adapter_config.json",
    ("augmlx.core.example_id", "oracle"): "the end of an id",
    ("augmlx.evaluation.worlds.world", "oracle"): "a file of a study",
}


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"augmlx.core.arms"}))
def test_no_arm_is_named_outside_the_table(name: str) -> None:
    for line, text in literals(name):
        assert text not in ARMS or (name, text) in HOMONYMS, f"{name}:{line}: {text!r}"


# A file name of a format -> the modules that may spell it.
FORMATS = {
    "adapters.safetensors": {"augmlx.models.formats.adapter_folder"},
    "adapter_config.json": {"augmlx.models.formats.adapter_folder", "augmlx.exporting.peft_config"},
    "adapter_model.safetensors": {"augmlx.exporting.peft"},
    "config.json": {"augmlx.models.formats.model_folder"},
    "tokenizer_config.json": {"augmlx.models.formats.model_folder"},
    "model.safetensors": {"augmlx.models.formats.model_folder"},
    "augmlx.json": {"augmlx.models.store.folder"},
    "journal.sqlite": {"augmlx.core.run_folder"},
    "augmented.jsonl": {"augmlx.core.run_folder"},
    "rejected.jsonl": {"augmlx.core.run_folder"},
    "manifest.json": {"augmlx.core.run_folder"},
    "facts.jsonl": {"augmlx.core.run_folder", "augmlx.augment.exam.gold"},  # a run's, the exam's
    "summary.json": {"augmlx.evaluation.summary"},
}


@pytest.mark.parametrize("file", FORMATS)
def test_a_formats_file_name_stands_in_its_module_alone(file: str) -> None:
    spelt = {name for name in MODULES if any(text == file for _, text in literals(name))}
    assert spelt <= FORMATS[file]


LEXICON_FILES = [ROOT / "english" / name for name in ("lexicon.toml", "people.toml")]
LISTS = [[*tomllib.loads(file.read_text("utf-8")).values()] for file in LEXICON_FILES]
LEXICON = set(re.findall("[a-z]+", str(LISTS)))
SPLIT_WORDS = re.compile(r"[a-z]+(?:\s+[a-z]+){3,}")
ALTERNATIVES = re.compile(r"[a-z' ]+(?:\|[a-z' ]+)+")


def english_lists(name: str) -> Iterator[tuple[int, str]]:
    """Words by themselves: four or more in a text that is split, three function words or four words
    of the lexicon in a collection, three function words as alternatives of a pattern.
    """
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Set, ast.Tuple, ast.List, ast.Dict)):
            elements = node.keys if isinstance(node, ast.Dict) else node.elts
            texts = [e.value if isinstance(e, ast.Constant) else None for e in elements]
            if (len(texts) > 2 and set(texts) <= STOPWORDS) or (
                len(texts) > 3 and set(texts) <= LEXICON
            ):
                yield node.lineno, str(texts)
        is_split = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_split and node.func.attr == "split" and isinstance(node.func.value, ast.Constant):
            text = node.func.value.value
            if isinstance(text, str) and SPLIT_WORDS.fullmatch(text.strip()):
                yield node.lineno, text
    for line, text in literals(name):
        for alternatives in ALTERNATIVES.findall(text):
            words = {word.strip() for word in alternatives.split("|")}
            if len(words & STOPWORDS) > 2:
                yield line, alternatives


WITH_WORDS = (
    "augmlx.evaluation.worlds",  # names that mean nothing, and judges that share no code with
    "augmlx.augment.exam.judge",  # what they judge: a fault in english/ must not hide itself
)


@pytest.mark.parametrize("name", sorted(n for n in MODULES if room(n) != "english"))
def test_no_list_of_english_words_stands_outside_english(name: str) -> None:
    if not name.startswith(WITH_WORDS):
        assert not list(english_lists(name)), name


@pytest.mark.parametrize("name", sorted(n for n in MODULES if n.startswith("augmlx.augment.exam")))
def test_the_exam_shares_no_code_with_what_it_judges(name: str) -> None:
    others = {n for n in imports(MODULES[name]) if n.startswith("augmlx.")}
    assert all(n.startswith(("augmlx.core", "augmlx.augment.exam")) for n in others), others


def test_a_list_of_english_words_is_recognised_in_every_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module.py"
    monkeypatch.setitem(MODULES, "augmlx.module", module)
    for code in (
        'WORDS = "and or but than".split()',
        'WORDS = frozenset({"not", "never", "no"})',
        'WORDS = ("lives", "lies", "stands", "works")',
        'WORDS = {"in": 1, "at": 2, "of": 3}',
        'WORDS = re.compile(r"\\b(?:is|are|was) (\\w+)")',
    ):
        module.write_text(code, "utf-8")
        assert list(english_lists("augmlx.module")), code
    module.write_text('FIELDS = ("prompt", "answer", "kind", "choices", "id")', "utf-8")
    assert not list(english_lists("augmlx.module"))
