"""Write docs/COMMANDS.md from the commands' own help and the settings' own descriptions.

.venv/bin/python scripts/write_commands.py
"""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path

import click
from pydantic import BaseModel

from augmlx.cli import cli
from augmlx.core.settings import Settings
from augmlx.core.settings_file import to_toml
from augmlx.exporting.architectures import architectures
from augmlx.exporting.gguf_files import keys

HEADINGS = ("Example:", "Examples:")
TARGET = Path(__file__).parent.parent / "docs" / "COMMANDS.md"


def document() -> str:
    """All commands, then the settings."""
    parts = [
        "# Commands and settings",
        "Written by `scripts/write_commands.py` from the program itself; a test keeps it true.",
        "Exit codes: 0 done, 1 a clear error (what, where, what to do), 2 usage, 130 stopped by "
        "Ctrl-C.",
    ]
    with click.Context(cli, info_name="augmlx") as root:
        for name in cli.list_commands(root):
            command = cli.get_command(root, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=root) as context:
                parts.append(section(name, command, context))
    assert issubclass(Settings, BaseModel)
    parts += ["## What can be exported", *exported()]
    parts += [
        "## Settings",
        "What `augmlx init DIR` writes as augmlx.toml. Flags go before the file, the file before "
        "these defaults; any key can be given as a flag: `--set train.epochs=20`.",
        f"```toml\n{to_toml(Settings())}```",
    ]
    return "\n\n".join(parts) + "\n"


def exported() -> list[str]:
    """The architectures that exporting is proven for, from the files that say so."""
    proven = {name: known for name, known in architectures().items() if known.is_proven}
    rows = [
        f"| {known.name} | `{model_type}` | {'yes' if model_type in keys.WRITTEN else ''} |"
        for model_type, known in proven.items()
    ]
    return [
        f"LoRA and DoRA to PEFT, on {len(proven)} architectures: each is built in transformers, "
        "trained in MLX, exported, and compared with MLX in transformers + PEFT "
        "(`tests/exporting/test_architectures.py`). Others are tried by the same names, and "
        "`--verify` says whether it held. To GGUF only those that are marked.",
        "\n".join(["| models | model_type | GGUF |", "|---|---|---|", *rows]),
    ]


def section(name: str, command: click.Command, context: click.Context) -> str:
    """A command's usage, help and options."""
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [f"## augmlx {name}", f"```\naugmlx {name} {usage}\n```"]
    help_text = inspect.cleandoc(command.help or "")
    parts += [markdown(paragraph) for paragraph in help_text.split("\n\n")]
    rows = option_rows(command, context)
    if rows:
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def markdown(paragraph: str) -> str:
    """A paragraph of a help text; what Click is told to leave as it stands is a block of code."""
    as_it_stands = paragraph.removeprefix("\b\n")
    if as_it_stands == paragraph:
        return paragraph.strip()
    lines = [line.strip() for line in as_it_stands.splitlines() if line not in HEADINGS]
    return "\n".join(["```", *lines, "```"])


def option_rows(command: click.Command, context: click.Context) -> list[str]:
    """The options that are not hidden, as rows of a table."""
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            spelling, about = record
            rows.append(f"| `{spelling}` | {about} |")
    return rows


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    TARGET.write_text(document(), encoding="utf-8")
    print(TARGET.name)


if __name__ == "__main__":
    main()
