"""Text files of the user's: UTF-8 -> one text, and its lines as an editor numbers them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from augmlx.core.errors import BadInput, storage_errors
from augmlx.data.row import Resolve, bad_input

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # their mark begins like that of UTF-16
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Not splitlines(): a text may hold U+2028 and its like as they are.
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file of the user's, open for reading.

    Raises:
        BadInput: there is no such file, or it is a folder.
        StorageError: it cannot be read.
    """
    with storage_errors(path):
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise bad_input(path, "no such file", "check the path") from None
        except IsADirectoryError:
            raise bad_input(path, "a folder, not a file", "name a file in it") from None
    with storage_errors(path), file:
        yield file


def read_text(path: Path, *, kinds: Sequence[str] | None = None) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark, without that mark.

    Args:
        path: the file.
        kinds: the suffixes that it may have. A missing file is a missing file, whatever its name.

    Raises:
        BadInput: it is missing, empty, of another kind or in another encoding.
        StorageError: it cannot be read.
    """
    with opened(path) as file:
        if kinds is not None and path.suffix.lower() not in kinds:
            hint = (
                "use .csv, .tsv, .jsonl, .json, .parquet, .xlsx or .ods; facts may also be .txt, "
                ".md, .docx, .html or .pdf"
            )
            raise bad_input(path, f"a file of the kind '{path.suffix}' is not supported", hint)
        data = file.read()
    text = _decoded(path, data)
    if not text.strip():
        raise bad_input(path, "the file is empty", "give it at least one row")
    return text


def has_columns(path: Path, resolve: Resolve) -> bool:
    """Whether a text is a table that is separated by tabs, as Excel's Unicode text is: its first
    line holds several names, one of a column that is read.
    """
    if path.suffix.lower() != ".txt":
        return False
    first = next(text for _, text in lines_of(read_text(path)) if text.strip())
    names = [name.strip() for name in first.split("\t")]
    if len(names) < 2:
        return False
    try:
        resolve(f"{path}:1", names)
    except BadInput:
        return False
    return True


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith(_UTF_32):
        raise bad_input(f"{path}:1", "the file is UTF-32", "save it as UTF-8")
    if data.startswith(_UTF_16):
        return _utf_16(path, data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        place = f"{path}:{_line_at(data, data.index(0))}"
        hint = "save the file as UTF-8 text; this may be UTF-16, or no text at all"
        raise bad_input(place, "a NUL byte", hint)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"{path}:{_line_at(data, error.start)}"
        raise bad_input(
            place, "not UTF-8", "save the file as UTF-8 (in Excel: CSV UTF-8)"
        ) from None


def _utf_16(path: Path, data: bytes) -> str:
    """What Excel calls Unicode text."""
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        fault = "not the UTF-16 that its mark says; it may be cut off"
        raise bad_input(f"{path}:1", fault, "save it as UTF-8 (in Excel: CSV UTF-8)") from None
    if "\0" in text:
        place = f"{path}:{1 + text.count(chr(10), 0, text.index(chr(0)))}"
        raise bad_input(place, "a NUL byte", "save the file as UTF-8 text")
    return text


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of every line of a text, from 1, each with the line feed, carriage return or
    both that it ends with.
    """
    lines = (match[0] for match in _LINE.finditer(text)) if "\r" in text else _lines_of_unix(text)
    return enumerate(lines, start=1)


def _lines_of_unix(text: str) -> Iterator[str]:
    """One by one: a list of them would be the whole text once more."""
    begun = 0
    while end := text.find("\n", begun) + 1:
        yield text[begun:end]
        begun = end
    if begun < len(text):
        yield text[begun:]


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset]
    feeds, returns, both = before.count(b"\n"), before.count(b"\r"), before.count(b"\r\n")
    return 1 + feeds + returns - both
