"""augmlx operators: what can be asked for, what is in force, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from augmlx.cli import cli

ECHO = """name = "echo"
about = "the fact as it is"
arity = "one"
instruction = "Say it again."
filters = ["form"]
[[exemplars]]
fact = "A is B."
result = "B is A."
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def operators(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["operators", *map(str, arguments)], prog_name="augmlx")


def rows(*arguments: str | Path) -> dict[str, dict[str, object]]:
    done = operators("--json", *arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    return {row["name"]: row for row in json.loads(done.stdout)["operators"]}


def test_each_operator_has_a_line_and_those_in_force_a_star(folder: Path) -> None:
    lines = operators().stdout.splitlines()
    assert len(lines) == len(rows()) >= 16
    assert [line.split()[1] for line in lines if line.startswith("* ")] == [
        "qa-forward",
        "qa-reverse",
        "rephrase",
        "reversal",
    ]
    by_name = {line[2:].split()[0]: line for line in lines}
    assert by_name["chain"].split()[1] == "pair"
    assert by_name["global"].split()[1] == "corpus"
    assert not any("[" in line for line in lines)
    assert list(folder.iterdir()) == []


def test_json_tells_the_rest(folder: Path) -> None:
    found = rows()
    assert found["reversal"]["in_force"] is True
    assert found["chain"]["in_force"] is False
    assert found["entity-reversal"]["model"] is False
    assert found["reversal"]["model"] is True
    assert found["chain"]["filters"] == ["form", "chain", "duplicate"]
    assert {row["place"] for row in found.values()} == {"shipped"}
    assert all(row["about"] for row in found.values())


def test_operators_beside_the_settings_are_found_and_told_by_their_files(folder: Path) -> None:
    (folder / "augmlx.toml").write_text('[augment]\noperators = ["echo", "chain"]\n')
    (folder / "echo.toml").write_text(ECHO)
    (folder / "reversal.toml").write_text(ECHO.replace('"echo"', '"reversal"'))
    found = rows()
    assert {name for name, row in found.items() if row["in_force"]} == {"echo", "chain"}
    assert found["echo"]["place"] == "echo.toml"
    assert found["reversal"]["place"] == "reversal.toml (in place of the shipped one)"
    lines = operators().stdout.splitlines()
    assert any(
        line.startswith("* echo ") and line.endswith("the fact as it is  [echo.toml]")
        for line in lines
    )
    assert any(
        line.startswith("  reversal ") and "(in place of the shipped one)]" in line
        for line in lines
    )


def test_the_settings_may_be_named(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "mine.toml").write_text('[augment]\noperators = ["echo"]\n')
    (other / "echo.toml").write_text(ECHO)
    assert "echo" not in rows()
    (other / "mine.toml").rename(other / "augmlx.toml")
    assert rows("--config", other / "augmlx.toml")["echo"]["in_force"] is True


# content of echo.toml: what the message says after its path
BROKEN = {
    ECHO.replace('"one"', '"many"'): "echo.toml: arity: Input should be 'one', 'pair' or 'corpus'",
    ECHO.replace('["form"]', '["from"]'): "echo.toml: filters: unknown from",
    ECHO + "fact2 = 1\n": "echo.toml: exemplars.0.fact2: Extra inputs are not permitted",
    "name = ": "echo.toml: not valid TOML: ",
    ECHO.replace("A is B.", ""): "echo.toml: exemplars.0: give one fact, or the list facts",
    'rule = "chain"\n' + ECHO: "echo.toml: rule: chain goes with arity pair",
    'suffix = "{{ fact }}{{ fatc }}"\n' + ECHO: "echo.toml: template: 'fatc' is undefined",
}


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_an_error_with_path_key_and_reason(folder: Path, content: str) -> None:
    (folder / "augmlx.toml").write_text("seed = 1\n")
    (folder / "echo.toml").write_text(content)
    done = operators()
    assert (done.exit_code, done.stdout) == (1, "")
    assert BROKEN[content] in " ".join(done.stderr.split())
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_other_toml_files_of_a_project_are_no_operators(folder: Path) -> None:
    (folder / "augmlx.toml").write_text("seed = 1\n")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "mine"\n[tool.ruff]\nline-length = 120\n'
    )
    (folder / "uv.toml").write_text("")
    assert not {"pyproject", "uv"} & set(rows())
    refused = CliRunner().invoke(
        cli, ["operators", "--config", "pyproject.toml"], prog_name="augmlx"
    )
    assert refused.exit_code == 1


def test_a_file_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "augmlx.toml").write_text("seed = 1\n")
    (folder / "echo.toml").mkdir()
    done = operators()
    assert done.exit_code == 1
    assert "echo.toml" in done.stderr


def test_settings_that_are_not_there_are_an_error(folder: Path) -> None:
    done = operators("--config", folder / "none.toml")
    assert done.exit_code == 1
    assert "none.toml" in done.stderr


def test_a_name_in_the_settings_that_no_operator_has_is_an_error(folder: Path) -> None:
    (folder / "augmlx.toml").write_text('[augment]\noperators = ["revesal"]\n')
    done = operators()
    assert done.exit_code == 1
    assert "no operator named 'revesal'" in done.stderr
