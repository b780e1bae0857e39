"""Web pages -> statements, by lxml, with the line that each block begins on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augmlx.core.extras import importing
from augmlx.data.documents.blocks import take_block
from augmlx.data.row import bad_input
from augmlx.data.statements import Reading, has_word
from augmlx.data.text_files import read_text

# What is no part of the running text, and how it is called.
_SKIPPED = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    "title": "heading",
    "table": "table",
    "pre": "block of code",
    "nav": "block of navigation",
    "footer": "footer of the page",
    "form": "form",
    "svg": "image",
    "math": "formula",
    **dict.fromkeys(("del", "s", "strike"), "passage struck out"),
}
_SILENT = (
    "script",
    "style",
    "noscript",
    "template",
    "head",
    "button",
    "select",
    "option",
    "textarea",
)
# The tags that stand within a line.
_INLINE = frozenset(
    "<a><abbr><b><bdi><bdo><big><cite><code><data><dfn><em><font><i><img><ins><kbd><label><mark><q>"
    "<ruby><rb><rt><rp><samp><small><span><strong><sub><sup><time><tt><u><var><wbr>".strip(
        "<>"
    ).split("><")
)


def read_html(path: Path, reading: Reading) -> int:
    """Read the statements of a page; returns how many blocks held one.

    Raises:
        BadInput: lxml is missing, or the page is empty.
    """
    content = read_text(path)
    with importing("lxml", path):
        from lxml import etree, html
    # As bytes that say what they are: a declaration in the page may be about another encoding.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        page = html.document_fromstring(content.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, RecursionError):
        raise bad_input(path, "not a page of HTML", "save it again, or as .txt") from None
    used = 0
    for line, text in _blocks(page, reading):
        used += take_block(reading, line, text)
    return used


def _blocks(page: Any, reading: Reading) -> Iterator[tuple[int, str]]:
    """(line, text) of each run of inline text. No recursion: pages may be nested deeply."""
    pieces: list[str] = []
    line = 0

    def ended() -> Iterator[tuple[int, str]]:
        text = "".join(pieces)
        pieces.clear()
        if has_word(text):
            yield line, text

    stack: list[tuple[Any, bool]] = [(page, True)]  # an element, and whether it opens
    while stack:
        element, opens = stack.pop()
        name = element.tag if isinstance(element.tag, str) else ""
        is_block = bool(name) and name not in _INLINE and name != "br" and name not in _SKIPPED
        if not opens:
            if is_block:
                yield from ended()
            pieces.append(_flowing(element.tail))
            continue
        if name in _SKIPPED or name in _SILENT or not name:
            if name not in ("del", "s", "strike", ""):
                yield from ended()
            if name in _SKIPPED and has_word(element.text_content()):
                reading.skip(_SKIPPED[name], element.sourceline)
            pieces.append(_flowing(element.tail))
            line = line if "".join(pieces).strip() else element.sourceline or line
            continue
        if is_block:
            yield from ended()
        if not "".join(pieces).strip():
            line = element.sourceline or line
        pieces.append("\n" if name == "br" else _flowing(element.text))
        stack.append((element, False))
        stack += [(child, True) for child in reversed(element)]
    yield from ended()


def _flowing(text: str | None) -> str:
    """A text whose line breaks are spaces, as a page shows it."""
    if not text:
        return ""
    words = " ".join(text.split())
    return f"{' ' if text[0].isspace() else ''}{words}{' ' if text[-1].isspace() and words else ''}"
