"""The 40 documents of documents.toml, each written in its format as such files are.

python -m tests.data.documents FOLDER
"""

from __future__ import annotations

import csv
import html
import io
import json
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.data.test_brought import docx, ods, pdf, xlsx

_KINDS = {"# ": "heading", "- ": "item", "> ": "quotation", "! ": "none"}
_STYLES = {"heading": "Heading 1", "item": "List Bullet", "quotation": "Quote"}
_TAGS = {"heading": "h2", "item": "li", "quotation": "blockquote"}
_PAGE = 9  # lines on a page
_WIDE = 74  # characters in a line of a page


class Block(NamedTuple):
    """One paragraph, heading, item or row; `kind` "none" is no statement."""

    kind: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def _blocks(text: str) -> Iterator[Block]:
    for line in text.strip().splitlines():
        kind = _KINDS.get(line[:2], "paragraph")
        said = line if kind == "paragraph" else line[2:]
        yield Block(kind, tuple(said.split(" | ")))


DOCUMENTS: Mapping[str, tuple[Block, ...]] = {
    name: tuple(_blocks(text))
    for name, text in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}


def sentences(name: str) -> list[str]:
    """What must be read of a document, each whole; of tables the rows."""
    blocks = [block for block in DOCUMENTS[name] if block.kind not in ("heading", "none")]
    return [sentence for block in blocks for sentence in block.sentences]


def write(name: str, folder: Path) -> Path:
    """Write a document; returns its path."""
    path = folder / name
    _WRITERS[path.suffix](DOCUMENTS[name], path)
    return path


def _txt(blocks: tuple[Block, ...], path: Path) -> None:
    path.write_bytes("\r\n".join(block.text for block in blocks).encode())


def _md(blocks: tuple[Block, ...], path: Path) -> None:
    marks = {kind: mark for mark, kind in _KINDS.items()} | {"none": "", "paragraph": ""}
    texts = []
    for block in blocks:
        mark = marks[block.kind]
        wide = 0 if block.kind == "heading" else 60
        lines = textwrap.wrap(block.text, wide or 999, break_on_hyphens=False)
        texts.append("\n".join([mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]))
    path.write_text("---\ntags: [a]\n---\n\n" + "\n\n".join(texts) + "\n", "utf-8")


def _html(blocks: tuple[Block, ...], path: Path) -> None:
    body = "\n".join(
        f"<{tag}>{textwrap.fill(html.escape(block.text), 80)}</{tag}>"
        for block in blocks
        for tag in [_TAGS.get(block.kind, "p")]
    )
    page = (
        "<!doctype html><html><head><meta charset='utf-8'><title>T</title></head><body>"
        f"<nav><a href='/'>Home</a></nav><main>{body}</main><footer>Imprint</footer></body></html>"
    )
    path.write_text(page, "utf-8")


def _docx(blocks: tuple[Block, ...], path: Path) -> None:
    styled = [(_STYLES.get(block.kind, "Normal"), block.text) for block in blocks]
    docx(*styled, ("table", "Total"))(path)


def _pdf(blocks: tuple[Block, ...], path: Path) -> None:
    """Lines of one width with words divided at their ends, a running title, numbered pages."""
    lines = []
    for block in blocks:
        lines += _divided(textwrap.wrap(block.text, _WIDE, break_on_hyphens=False))
    pages = [lines[start : start + _PAGE] for start in range(0, len(lines), _PAGE)]
    pdf(*([path.stem, *page, str(number)] for number, page in enumerate(pages, start=1)))(path)


def _divided(lines: list[str]) -> Iterator[str]:
    """Lines, with the first four letters of a long word at the end of the one before."""
    taken = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        word = following.partition(" ")[0]
        is_long = len(word) > 8 and word.isalpha() and word.islower()
        yield line[taken:] + (f" {word[:4]}-" if is_long else "")
        taken = 4 if is_long else 0


def _csv(blocks: tuple[Block, ...], path: Path) -> None:
    """As spreadsheets of several countries save them."""
    delimiter, encoding, first = {
        "policies": (",", "utf-8-sig", ""),
        "employees": (";", "utf-8", ""),
        "geography": ("\t", "utf-16", ""),
        "betrieb": (";", "utf-8", "sep=;\r\n"),
    }[path.stem]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["id", "fact", "checked"])
    writer.writerows([n, block.text, ""] for n, block in enumerate(blocks))
    path.write_bytes((first + file.getvalue()).encode(encoding))


def _json(blocks: tuple[Block, ...], path: Path) -> None:
    path.write_text(json.dumps([{"text": block.text} for block in blocks], indent=1))


def _jsonl(blocks: tuple[Block, ...], path: Path) -> None:
    path.write_text("".join(f"{json.dumps({'fact': block.text})}\n" for block in blocks))


def _xlsx(blocks: tuple[Block, ...], path: Path) -> None:
    rows = [[block.text, 4.5] for block in blocks]
    xlsx([["fact", "checked"], *rows])(path)


def _ods(blocks: tuple[Block, ...], path: Path) -> None:
    ods(["fact", "checked"], *([html.escape(block.text), "x"] for block in blocks))(path)


_WRITERS: Mapping[str, Callable[[tuple[Block, ...], Path], None]] = {
    ".txt": _txt,
    ".md": _md,
    ".html": _html,
    ".docx": _docx,
    ".pdf": _pdf,
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".xlsx": _xlsx,
    ".ods": _ods,
}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for each in DOCUMENTS:
        write(each, target)
