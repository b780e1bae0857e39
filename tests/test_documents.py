"""The documents hold: what they show is what the program prints, what they name is there.

A console block is run here, on a tiny model, unless a line before it says `<!-- recorded: when,
what, where -->`. In what is shown, a line "..." stands for any lines, and "..." within a line for
any text. Of every other block the command lines are read as the program reads them.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tiny import trusted, write_model

from augmlx.cli import cli, common
from augmlx.core.settings_file import load
from augmlx.data.starter import example
from augmlx.models.store.folder import find, write_card

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")]
)
LANGUAGES = {"", "console", "sh", "python", "toml", "json", "csv"}
BLOCK = re.compile(
    r"(?P<before>[^\n]*)\n(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)\n(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
RECORDED = re.compile(r"<!-- recorded: \d{4}-\d\d-\d\d, \S.* -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document, and the line of text before it."""

    document: str
    line: int
    language: str
    text: str
    before: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def is_recorded(self) -> bool:
        return RECORDED.fullmatch(self.before.strip()) is not None


def blocks_of(path: Path) -> Iterator[Block]:
    document = path.read_text("utf-8")
    for match in BLOCK.finditer(document):
        line = document.count("\n", 0, match.start("text"))
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        name = path.relative_to(ROOT).as_posix()
        yield Block(name, line, match["language"], text, match["before"])


BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path)]
CONSOLE = [block for block in BLOCKS if block.language == "console"]


def of_language(language: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language == language]
    assert chosen, f"no block is {language}, so a test of them would hold nothing"
    return pytest.mark.parametrize("block", chosen, ids=[block.place for block in chosen])


# What is shown


def session(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that are shown below it."""
    steps: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        else:
            steps[-1][1].append(line)
    return steps


def as_pattern(shown: list[str]) -> str:
    """A regular expression for the output that these lines stand for."""
    pieces = []
    for line in shown:
        if line == "...":
            pieces.append(r"(?:.*\n)*")
        else:
            pieces.append(re.escape(line).replace(re.escape("..."), ".*") + r"\n")
    return "".join(pieces)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose smollm2-135m is a tiny model with a window that holds the shipped prompts."""
    home = tmp_path_factory.mktemp("store")
    tiny = write_model(home / "tiny", max_position_embeddings=4096)
    folder = home / "models" / "smollm2-135m"
    shutil.copytree(tiny.path, folder)
    about = {"hf_base": None, "source": "the tests", "dtype": "float32", "license": "apache-2.0"}
    write_card(folder, folder.name, about)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUGMLX_HOME", str(home))
        trusted(find(folder.name))
    return home


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each document, in which its sessions go on from one block to the next."""
    made = {}
    for path in DOCUMENTS:
        folder = tmp_path_factory.mktemp(path.stem)
        rows = example("facts.csv").splitlines(keepends=True)
        (folder / "team.csv").write_text("".join(rows[:11]), "utf-8")
        made[path.relative_to(ROOT).as_posix()] = folder
    return made


RUN_HERE = [block for block in CONSOLE if not block.is_recorded]


@pytest.mark.parametrize("block", RUN_HERE, ids=[block.place for block in RUN_HERE])
def test_a_console_block_shows_what_the_program_prints(
    block: Block, store: Path, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGMLX_HOME", str(store))
    monkeypatch.chdir(folders[block.document])
    for command, shown in session(block):
        program, *arguments = shlex.split(command)
        assert program == "augmlx", command
        done = CliRunner().invoke(cli, arguments, prog_name="augmlx")
        # What is raised is not printed here, and "..." would stand for it.
        assert done.exception is None or isinstance(done.exception, SystemExit), command
        assert re.fullmatch(as_pattern(shown), done.output), f"{command} printed:\n{done.output}"


@pytest.mark.parametrize("block", RUN_HERE, ids=[block.place for block in RUN_HERE])
def test_a_console_block_that_is_run_shows_more_than_dots(block: Block) -> None:
    for command, shown in session(block):
        assert not shown or any(line.strip(". ") for line in shown), command


def test_some_blocks_are_run_and_some_are_recorded() -> None:
    assert len(RUN_HERE) >= 6
    assert len(CONSOLE) > len(RUN_HERE)


@pytest.mark.parametrize("block", CONSOLE, ids=[block.place for block in CONSOLE])
def test_a_console_block_begins_with_a_command(block: Block) -> None:
    assert block.text.startswith("$ augmlx ")


# What is named


def command_lines(block: Block) -> Iterator[str]:
    """The lines that a user types, continued ones in one."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if block.language != "console":
            yield line
        elif line.startswith("$ "):
            yield line.removeprefix("$ ")


def augmlx_commands(block: Block) -> Iterator[list[str]]:
    """What follows `augmlx` on each line that calls it, under mlx.launch too."""
    for line in command_lines(block):
        plain = line.partition(" < ")[0]
        if not re.search(r"(^|/| -- )augmlx [a-z]", plain) or "[OPTIONS]" in plain:
            continue
        words = shlex.split(plain, comments=True)
        place = next(n for n, word in enumerate(words) if re.fullmatch(r"(\S*/)?augmlx", word))
        yield words[place + 1 :]


CALLED = [
    (block, words)
    for block in BLOCKS
    if block.language in ("", "sh", "console")
    for words in augmlx_commands(block)
]


@pytest.mark.parametrize(
    ("block", "words"), CALLED, ids=[f"{b.place} {' '.join(w[:2])}" for b, w in CALLED]
)
def test_every_command_line_parses(block: Block, words: list[str]) -> None:
    """Command, options, arguments and settings exist, and have values that they may have."""
    name, *arguments = words
    command = cli.commands[name]
    with command.make_context(name, arguments, click.Context(cli)) as context:
        pairs = context.params.get("pairs") or ()
    if block not in RUN_HERE:  # what is run may show what is refused
        load(None, common.overrides(None, None, pairs))


def test_there_are_command_lines_to_parse() -> None:
    assert len(CALLED) >= 40
    assert {words[0] for _, words in CALLED} >= set(cli.commands)


SCRIPT = re.compile(r"(?:\./|\bpython )(scripts/[\w.]+)(.*)")
MODULE = re.compile(r"python -m (tests[\w.]*)")


def source_of(script: Path) -> str:
    """The text of a script and of the scripts that it imports."""
    text = script.read_text("utf-8")
    imported = re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
    helpers = [script.with_name(f"{name}.py") for name in imported]
    return "\n".join([text, *(path.read_text("utf-8") for path in helpers if path.exists())])


def test_scripts_that_are_named_exist_and_have_the_options_that_are_shown() -> None:
    lines = [line for block in BLOCKS for line in command_lines(block)]
    called = [match for line in lines for match in SCRIPT.finditer(line)]
    assert len(called) >= 10
    for match in called:
        script = ROOT / match[1]
        assert script.is_file(), match[0]
        if script.suffix == ".py":  # the others hand their options on to pytest
            for option in re.findall(r" (--[\w-]+)", match[2].partition("#")[0]):
                assert f'"{option}"' in source_of(script), match[0]


def test_modules_that_are_named_can_be_run() -> None:
    named = {name for block in BLOCKS for name in MODULE.findall(block.text)}
    assert named
    for name in named:
        assert importlib.util.find_spec(f"{name}.__main__") is not None, name


@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_a_block_is_of_a_language_that_is_held_to_something(block: Block) -> None:
    assert block.language in LANGUAGES


@of_language("python")
def test_a_python_block_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


@of_language("toml")
def test_a_toml_block_is_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


@of_language("json")
def test_a_json_block_is_json(block: Block) -> None:
    assert json.loads(block.text)


@of_language("csv")
def test_a_csv_block_holds_facts_of_the_example(block: Block) -> None:
    shipped = example("facts.csv").splitlines()
    header, *rows = block.text.splitlines()
    assert header == "id,fact"
    assert rows
    for row in rows:
        assert row in [line.removesuffix(",") for line in shipped], row


# Links


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = [
    (path, target)
    for path in DOCUMENTS
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text("utf-8"))
]


@pytest.mark.parametrize(
    ("document", "target"), LINKS, ids=[f"{path.name} {target}" for path, target in LINKS]
)
def test_a_link_leads_somewhere(document: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    path = Path(os.path.normpath(document.parent / name)) if name else document
    assert path.exists(), target
    if anchor:
        assert anchor in anchors(path), target


def test_the_readme_leads_to_every_document() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for path in DOCUMENTS:
        name = path.relative_to(ROOT).as_posix()
        assert name == "README.md" or f"]({name})" in readme, name


def test_the_readme_is_short() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 200
    commands = re.findall(r"^\./scripts/\w+", readme, re.MULTILINE)
    assert commands == ["./scripts/demo", "./scripts/test"]


# The tree of ARCHITECTURE.md

SHIPPED = {*".py .toml .html .css .js .json .txt .csv .jsonl .md .typed".split()}


def tree_patterns() -> set[str]:
    """The paths that the tree names, each a pattern; one that ends in "/" is a folder with lines of
    its own, or stands for all that lies in it.
    """
    architecture = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    [tree] = re.findall(r"```\n(augmlx/\n.*?)```", architecture, re.DOTALL)
    folders: list[str] = []
    patterns = set()
    for line in tree.splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        folders[depth:] = [name]
        patterns.add("".join(folders))
    return patterns


def shipped_files() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "augmlx").rglob("*")
        if path.suffix in SHIPPED or path.name == "py.typed"
    }


def test_the_tree_names_every_file() -> None:
    patterns = tree_patterns()
    leaves = {
        f"{pattern}*" if pattern.endswith("/") else pattern
        for pattern in patterns
        if not any(other != pattern and other.startswith(pattern) for other in patterns)
    }
    unnamed = {
        name for name in shipped_files() if not any(fnmatchcase(name, leaf) for leaf in leaves)
    }
    assert not unnamed


def test_every_file_that_the_tree_names_is_there() -> None:
    files = shipped_files()
    for pattern in tree_patterns():
        wanted = f"{pattern}*" if pattern.endswith("/") else pattern
        if pattern == "augmlx/english/parser/":  # none of its files is ours
            assert (ROOT / pattern).is_dir()
            continue
        assert any(fnmatchcase(name, wanted) for name in files), pattern


NAMED = re.compile(r"`((?:[\w*-]+/)+[\w*-]+\.(?:py|toml|md|csv))`")


@pytest.mark.parametrize("name", ["docs/ARCHITECTURE.md", "CONTRIBUTING.md", "docs/BENCHMARKS.md"])
def test_a_file_named_in_the_text_is_there(name: str) -> None:
    named = set(NAMED.findall((ROOT / name).read_text("utf-8")))
    assert named
    for path in named:
        places = [*ROOT.glob(path), *ROOT.glob(f"augmlx/{path}"), *ROOT.glob(f"scripts/{path}")]
        assert places, path


PATHS = re.compile(r"/(?:root|home|work|tmp|Users)/(?!me/)[\w.-]+")


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_a_document_names_no_path_of_somebodys_machine(path: Path) -> None:
    assert not PATHS.findall(path.read_text("utf-8"))
