"""Write docs/COMMANDS.md from the commands' own help and the settings' own descriptions.

.venv/bin/python scripts/write_commands.py
"""

from __future__ import annotations

import inspect
from pathlib import Path

import click
from pydantic import BaseModel

from augmlx.cli import cli
from augmlx.core.settings import Settings
from augmlx.core.settings_file import to_toml

TARGET = Path(__file__).parent.parent / "docs" / "COMMANDS.md"


def document() -> str:
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
    parts += [
        "## Settings",
        "What `augmlx init DIR` writes as augmlx.toml. Flags go before the file, the file before "
        "these defaults; "
        "any key can be given as a flag: `--set train.epochs=20`.",
        f"```toml\n{to_toml(Settings())}```",
    ]
    return "\n\n".join(parts) + "\n"


def section(name: str, command: click.Command, context: click.Context) -> str:
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## augmlx {name}", f"```\naugmlx {name} {usage}\n```"]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        as_it_stands = paragraph.removeprefix("\b\n")
        if as_it_stands == paragraph:
            lines.append(paragraph.strip())
            continue
        shown = [
            line for line in as_it_stands.splitlines() if line not in ("Example:", "Examples:")
        ]
        lines.append("\n".join(["```", *(line.strip() for line in shown), "```"]))
    options = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    rows = [f"| `{record[0]}` | {record[1]} |" for record in options if record is not None]
    if rows:
        lines.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(lines)


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(TARGET.name)
