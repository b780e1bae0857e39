"""What a user starts from: the shipped example, and the files of `augmlx init`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from augmlx.core.files import make_folder, write_text
from augmlx.core.settings import Settings
from augmlx.core.settings_file import to_toml

_SHIPPED = ("facts.csv", "questions.csv")
_SETTINGS = "augmlx.toml"


def example(name: str) -> str:
    """The text of a shipped file: facts.csv or questions.csv, about people of an invented
    company.
    """
    return resources.files("augmlx.data").joinpath("starter_files", name).read_text("utf-8")


def start(folder: Path) -> tuple[list[str], list[str]]:
    """Write the starting files, none over another.

    Returns:
        The names of those made, and of those that were there and are kept.

    Raises:
        StorageError: they cannot be written.
    """
    make_folder(folder)
    texts = {name: example(name) for name in _SHIPPED}
    texts[_SETTINGS] = to_toml(Settings(), to_be_measured=True)
    made, kept = [], []
    for name, text in texts.items():
        path = folder / name
        if path.exists():
            kept.append(name)
        else:
            write_text(path, text)
            made.append(name)
    return made, kept
