"""Word documents -> statements, by python-docx. A paragraph's number stands for its line."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from augmlx.core.extras import importing
from augmlx.data.documents.blocks import take_block
from augmlx.data.row import bad_input
from augmlx.data.statements import Reading, has_word
from augmlx.data.text_files import opened

_HEADINGS = ("heading", "title", "subtitle", "toc")


def read_docx(path: Path, reading: Reading) -> int:
    """Read the statements of a document; returns how many paragraphs held one.

    Headings and tables are left out; what was deleted under "track changes" does not hold any more.

    Raises:
        BadInput: python-docx is missing, or the file is none.
    """
    with opened(path) as file:
        with importing("python-docx", path):
            import docx
            from docx.opc.exceptions import PackageNotFoundError
            from docx.oxml.ns import qn
        try:
            document = docx.Document(file)
        except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError):
            hint = "save it again as .docx (an old .doc, or one with a password, is not read)"
            raise bad_input(path, "not a Word document, or a damaged one", hint) from None
    styles = {style.style_id: str(style.name).casefold() for style in document.styles}
    used = number = 0
    tables: set[Any] = set()
    for paragraph in document.element.body.iter(qn("w:p")):
        table = next(paragraph.iterancestors(qn("w:tbl")), None)
        if table is not None:
            if table not in tables:
                reading.skip("table", number + 1)
            tables.add(table)
            continue
        if any(True for _ in paragraph.iterancestors(qn("w:txbxContent"))):
            continue  # a box stands in its paragraph twice; the paragraph's own text is read
        number += 1
        text = _text(paragraph, qn)
        if not has_word(text):
            continue
        style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        name = styles.get(style.get(qn("w:val")), "") if style is not None else ""
        if name.startswith(_HEADINGS):
            reading.skip("heading", number)
        else:
            used += take_block(reading, number, text)
    return used


def _text(paragraph: Any, qn: Any) -> str:
    """What a paragraph says as it stands now, with its boxes."""
    said = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
    pieces = []
    for element in paragraph.iter():
        if any(True for _ in element.iterancestors(_FALLBACK)):
            continue
        if element.tag == qn("w:t"):
            pieces.append(element.text or "")
        else:
            pieces.append(said.get(element.tag, ""))
    return "".join(pieces)


# An older program's copy of what stands beside it.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
