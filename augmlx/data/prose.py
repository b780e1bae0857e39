"""Plain text, Markdown and documents -> statements, one a sentence. What is left out is counted,
with its lines.

Plain text: each line stands by itself and is split into its sentences. Of the others each has a
module of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augmlx.data.cells import is_visible
from augmlx.data.documents.docx import read_docx
from augmlx.data.documents.html import read_html
from augmlx.data.documents.pdf import read_pdf
from augmlx.data.markdown import read_markdown
from augmlx.data.row import bad_input
from augmlx.data.statements import Reading, has_word, listed, many, sentences
from augmlx.data.text_files import lines_of, read_text
from augmlx.english.text import ENDED

_TEXT, _MARKDOWN = (".txt",), (".md", ".markdown")
# Each reads a document into a Reading, and returns how many of what held a statement.
_DOCUMENTS = {
    ".docx": (read_docx, "paragraph"),
    ".html": (read_html, "block"),
    ".htm": (read_html, "block"),
    ".pdf": (read_pdf, "page"),
}
KINDS = (*_TEXT, *_MARKDOWN, *_DOCUMENTS)  # suffixes of the files that hold prose


@dataclass(frozen=True, slots=True)
class Prose:
    """The statements of a file, each with the line it begins on, and what the user should know of
    how it was read. `left_out` are (line, what) that are no statements.
    """

    statements: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]
    left_out: tuple[tuple[int, str], ...] = ()


def read_prose(path: Path) -> Prose:
    """The statements of a text or document; at least one. The line of a statement is that of an
    editor; in .docx it is the number of the paragraph, in .pdf that of the page.

    Raises:
        BadInput: it holds none, or cannot be understood.
        StorageError: it cannot be read.
    """
    reading = Reading()
    suffix = path.suffix.lower()
    if suffix in _TEXT:
        amount = many(_read_lines(read_text(path), reading), "line")
    elif suffix in _MARKDOWN:
        amount = many(read_markdown(path, read_text(path), reading), "block")
    else:
        read_document, what = _DOCUMENTS[suffix]
        amount = many(read_document(path, reading), what)
    if not reading.statements:
        left_out = f"; left out: {reading.left_out()}" if reading.skipped else ""
        hint = "write sentences, one a line; or use a table with a column 'fact'"
        raise bad_input(path, f"no statements{left_out}", hint)
    statements = many(len(reading.statements), "statement")
    notes = [f"{path.name}: {amount}, {statements} (one a sentence)"]
    if reading.skipped:
        notes.append(f"{path.name}: left out: {reading.left_out()}")
    notes += [f"{path.name}: {warning}" for warning in reading.warnings]
    return Prose(tuple(reading.statements), tuple(notes), tuple(reading.all_skipped()))


def _read_lines(content: str, reading: Reading) -> int:
    """Read the lines of a plain text; returns how many hold a statement."""
    used = 0
    broken = []
    is_open = False  # whether the last statement has no mark at its end
    for line, raw_text in lines_of(content):
        text = raw_text.strip()
        if not is_visible(text):
            continue
        if not has_word(text):
            reading.skip("line without a word", line)
            continue
        if is_open and text[0].islower():
            broken.append(line)
        is_open = not ENDED.search(text)
        taken = [reading.take(line, sentence.text) for sentence in sentences(text)]
        used += any(taken)
    if broken:
        reading.warnings.append(
            f"{listed(broken)}: begins in lower case behind a line without an end, and was read "
            "by itself; a statement stands on one line"
        )
    return used
