"""Packages that only one kind of file needs: which extra brings each. None is loaded before such a
file is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from augmlx.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class FilePackage:
    """One package.

    Args:
        extra: of augmlx, that brings it.
        files: what it reads, in messages.
        instead: what can be done without it.
    """

    extra: str
    files: str
    instead: str


_TABLE, _TEXT = "save the table as .csv or .jsonl", "save the text as .txt or .md"
FILE_PACKAGES = {
    "pyarrow": FilePackage("parquet", ".parquet", _TABLE),
    "python-calamine": FilePackage("sheets", ".xlsx and .ods", _TABLE),
    "python-docx": FilePackage("docs", ".docx", _TEXT),
    "lxml": FilePackage("docs", ".html", _TEXT),
    "pypdf": FilePackage("docs", ".pdf", _TEXT),
}


@contextmanager
def importing(package: str, path: Path) -> Iterator[None]:
    """The block imports a package to read a file. Raises BadInput where it is not installed."""
    try:
        yield
    except ImportError:
        needed = FILE_PACKAGES[package]
        fault = f"{path}: reading {needed.files} needs the package {package}"
        hint = f"install it: pip install 'augmlx[{needed.extra}]', or {needed.instead}"
        raise BadInput(fault, hint=hint) from None
