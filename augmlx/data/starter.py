"""What a user starts from: the shipped example, and the files of `augmlx init`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from augmlx.core.files import make_folder, write_text
from augmlx.core.settings import Settings, to_toml


def example(name: str) -> str:
    """The text of a shipped file: facts.csv or questions.csv, about people of an invented
    company.
    """
    return resources.files("augmlx.data").joinpath("starter_files", name).read_text("utf-8")


def start(folder: Path) -> tuple[list[str], list[str]]:
    """Write the starting files; returns the names of those made, and of those that were there and
    are kept.

    Raises StorageError.
    """
    make_folder(folder)
    texts = {name: example(name) for name in ("facts.csv", "questions.csv")}
    texts["augmlx.toml"] = to_toml(Settings())
    made, kept = [], []
    for name, text in texts.items():
        if (folder / name).exists():
            kept.append(name)
        else:
            write_text(folder / name, text)
            made.append(name)
    return made, kept
