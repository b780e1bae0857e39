"""Every command and option is documented, and the documents say what the program says."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest

from augmlx.augment.filters import Candidate, judge
from augmlx.augment.generate import load_operators
from augmlx.cli import cli
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.core.settings_file import to_toml

ROOT = Path(__file__).parent.parent.parent


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_a_command_has_help_an_example_and_described_options(name: str) -> None:
    command = cli.commands[name]
    assert re.search(r"\bExamples?:\n +augmlx ", command.help or ""), "no example in the help"
    assert f"augmlx {name}" in (command.help or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert len(parameter.help) > 10, parameter.name


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_speaks_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in cli.commands[name].params)


def test_docs_commands_is_what_the_program_says() -> None:
    written = (ROOT / "docs" / "COMMANDS.md").read_text("utf-8")
    assert written == script("write_commands").document(), "run scripts/write_commands.py"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_the_readme_or_the_guide_shows_every_command(name: str) -> None:
    texts = [(ROOT / path).read_text("utf-8") for path in ("README.md", "docs/GUIDE.md")]
    assert any(re.search(rf"\baugmlx {name}\b", text) for text in texts)


def test_the_settings_file_explains_every_setting() -> None:
    text = to_toml(Settings())
    assert Settings.model_validate(tomllib.loads(text), strict=False) == Settings()
    lines = text.splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    listed = [values for values in tomllib.loads(text).values() if isinstance(values, dict)]
    assert len(settings) >= sum(map(len, listed))
    for number in settings:
        assert re.match(r"# \S", lines[number - 1]), lines[number]


def test_the_operator_of_the_guide_loads(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "GUIDE.md").read_text("utf-8")
    [block] = re.findall(r"```toml\n(# owner\.toml\n.*?)```", guide, re.DOTALL)
    (tmp_path / "owner.toml").write_text(block)
    [operator] = load_operators(AugmentSettings(operators=("owner",)), tmp_path)
    for exemplar in operator.exemplars:
        candidate = Candidate(0, exemplar.result, exemplar.fact, "stop")
        assert judge([candidate], operator.filters, AugmentSettings())[0].kept
