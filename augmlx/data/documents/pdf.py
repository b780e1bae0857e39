"""PDF -> statements, by pypdf. The number of the page stands for the line.

A PDF knows no sentences, only lines on pages: lines are joined into paragraphs again, words that
were divided at the end of a line are made whole, and what stands at the top or the foot of many
pages is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from augmlx.core.extras import importing
from augmlx.data.documents.blocks import take_block
from augmlx.data.row import bad_input
from augmlx.data.statements import Reading, has_word
from augmlx.data.text_files import opened
from augmlx.english.text import ENDED

_DIGITS = re.compile(r"\d+")
_DIVIDED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")
_SHORT = 0.72  # of the widest line: what is shorter ends a paragraph
_EDGE = 2  # lines at the top and at the foot of a page that may be a running title
_BULLET = re.compile(r"^\s*([•●▪◦‣–*-]|\(?\d{1,2}[.)]|\(?[a-z]\))\s+")
Lines = list[tuple[int, str]]  # (page, line)


def read_pdf(path: Path, reading: Reading) -> int:
    """Read the statements of a PDF; returns how many pages held one.

    Raises:
        BadInput: pypdf is missing, the file is none, it has a password, or no text (a scan).
    """
    with opened(path) as file:
        with importing("pypdf", path):
            import pypdf
            from pypdf.errors import PyPdfError
        try:
            document = pypdf.PdfReader(file)
            if document.is_encrypted and not document.decrypt(""):
                raise bad_input(path, "has a password", "save it without one")
            pages = [page.extract_text().splitlines() for page in document.pages]
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise bad_input(path, "not a PDF, or a damaged one", "save it again") from None
    lines = list(_running_text(pages, reading))
    if not any(has_word(line) for _, line in lines):
        hint = "it may be a scan: read it with a program for text recognition first"
        raise bad_input(path, "no text in the file", hint)
    holding = set()
    for page, text in _paragraphs(lines, reading):
        if take_block(reading, page, text):
            holding.add(page)
    return len(holding)


def _running_text(pages: Sequence[Sequence[str]], reading: Reading) -> Iterator[tuple[int, str]]:
    """The lines of all pages without their running titles and numbers; a blank one between pages
    that end with a sentence.
    """
    filled = [[line.strip() for line in page if line.strip()] for page in pages]
    edges: Counter[str] = Counter()
    for lines in filled:
        edges.update({_shape(line) for line in (*lines[:_EDGE], *lines[-_EDGE:])})
    repeated = {shape for shape, count in edges.items() if count > 1 and count * 2 > len(pages)}
    for number, page in enumerate(pages, start=1):
        at_edge = {*filled[number - 1][:_EDGE], *filled[number - 1][-_EDGE:]}
        for raw_line in page:
            line = raw_line.strip()
            if line in at_edge and (_shape(line) in repeated or line.isdigit()):
                reading.skip("running title", number)
            else:
                yield number, line


def _shape(line: str) -> str:
    """A line with its numbers left open: "Page 3 of 9"."""
    return _DIGITS.sub("0", line)


def _paragraphs(lines: Lines, reading: Reading) -> Iterator[tuple[int, str]]:
    """(page that it begins on, text) of each paragraph; headings are left out."""
    widest = max(len(line) for _, line in lines)
    begun, parts = 0, ""
    for place, (page, line) in enumerate(lines):
        is_new = not line or _BULLET.match(line)
        if is_new and parts:
            yield from _closed(begun, parts, reading)
            parts = ""
        if not line:
            continue
        begun = begun if parts else page
        parts = _joined(parts, _BULLET.sub("", line))
        following = lines[place + 1][1] if place + 1 < len(lines) else ""
        is_short = len(line) < _SHORT * widest
        opens = following[:1].isupper() or following[:1].isdigit()
        if is_short and (opens or not following):
            yield from _closed(begun, parts, reading)
            parts = ""
    if parts:
        yield from _closed(begun, parts, reading)


def _closed(page: int, text: str, reading: Reading) -> Iterator[tuple[int, str]]:
    """A paragraph that has an end; a short one without is a heading."""
    if not ENDED.search(text) and len(text.split()) < 8 and has_word(text):
        reading.skip("heading or line without an end", page)
    else:
        yield page, text


def _joined(text: str, line: str) -> str:
    if not text:
        return line
    if _DIVIDED.search(text) and line[:1].islower():
        return f"{text[:-1]}{line}"
    return f"{text} {line}"
