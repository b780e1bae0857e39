"""Plain text and Markdown as statements, one a sentence. What is left out is counted, with its
lines.

Plain text: each line stands by itself and is split into its sentences. Markdown: the sentences of
paragraphs, list items and quotations, without their markup; a sentence may go over several lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augmlx.data.rows import bad_input, lines_of, read_text
from augmlx.english.text import ENDED, Mention, split_sentences

if TYPE_CHECKING:
    from markdown_it.token import Token

TEXT, MARKDOWN = (".txt",), (".md", ".markdown")
KINDS = (*TEXT, *MARKDOWN)
_SHOWN = 5  # line numbers of each kind of what is left out
_NESTING = (
    100  # of quotations and lists; the parser's own limit of 20 drops what is deeper without a word
)

_FRONT_MATTER = re.compile(
    r"(---|\+\+\+)[ \t]*\n(?=[#\n]|[\w\"'.-]+[ \t]*[:=])(?:.*\n)*?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)"
)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
_FOOTNOTE_TEXT = re.compile(
    rf"^ {{0,3}}{_FOOTNOTE.pattern}:", re.MULTILINE
)  # one word behind it would be a link's target
_TICK_BOX = re.compile(r"^\[[ xX]\]\s+")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SKIPPED = {
    "heading_open": "heading",
    "fence": "block of code",
    "code_block": "block of code",
    "html_block": "block of HTML",
    "hr": "rule",
    "table_open": "table",
}


@dataclass(frozen=True, slots=True)
class Prose:
    """The statements of a file, each with the line it begins on, and what the user should know of
    how it was read.
    """

    statements: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    statements: list[tuple[int, str]] = field(default_factory=list)
    skipped: dict[str, list[int]] = field(default_factory=dict)  # what -> the lines it begins on
    warnings: list[str] = field(default_factory=list)

    def skip(self, what: str, line: int) -> None:
        self.skipped.setdefault(what, []).append(line)

    def left_out(self) -> str:
        return "; ".join(
            f"{_many(len(lines), what)} ({_listed(lines)})" for what, lines in self.skipped.items()
        )


def read_prose(path: Path) -> Prose:
    """The statements of a .txt or .md file. Raises BadInput and StorageError; there is at least one
    statement.
    """
    content = read_text(path)
    reading = _Reading()
    of = (
        _read_text(content, reading)
        if path.suffix.lower() in TEXT
        else _read_markdown(path, content, reading)
    )
    if not reading.statements:
        fault = "no statements" + (f"; left out: {reading.left_out()}" if reading.skipped else "")
        raise bad_input(
            path, fault, "write sentences, one a line; or use a table with a column 'fact'"
        )
    notes = [f"{path.name}: {of}, {_many(len(reading.statements), 'statement')} (one a sentence)"]
    if reading.skipped:
        notes.append(f"{path.name}: left out: {reading.left_out()}")
    notes += [f"{path.name}: {warning}" for warning in reading.warnings]
    return Prose(tuple(reading.statements), tuple(notes))


def _many(count: int, what: str) -> str:
    noun, space, rest = what.partition(" ")
    return f"{count} {noun}{'' if count == 1 else 's'}{space}{rest}"


def _listed(lines: Sequence[int]) -> str:
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"line{'' if len(lines) == 1 else 's'} {', '.join(map(str, lines[:_SHOWN]))}{more}"


def _sentences(text: str) -> Iterator[Mention]:
    """The sentences of a text; a piece without a letter or digit, such as "...", stays with its
    neighbour.
    """
    start = end = 0
    for piece in split_sentences(text):
        if end and _has_word(piece.text) and _has_word(text[start:end]):
            yield Mention(text[start:end], start, end)
            start = piece.start
        end = piece.end
    yield Mention(text[start:end], start, end)


def _has_word(text: str) -> bool:
    return any(map(str.isalnum, text))


# Plain text


def _read_text(content: str, reading: _Reading) -> str:
    used, broken, open_end = 0, [], False
    for line, text in lines_of(content):
        text = text.strip()
        if not any(char.isprintable() and char != " " for char in text):
            continue
        if not _has_word(text):
            reading.skip("line without a word", line)
            continue
        if open_end and text[0].islower():
            broken.append(line)
        used, open_end = used + 1, not ENDED.search(text)
        reading.statements += [(line, sentence.text) for sentence in _sentences(text)]
    if broken:
        told = (
            f"{_listed(broken)}: begins in lower case behind a line without an end, and was "
            f"read by itself"
        )
        reading.warnings.append(f"{told}; a statement stands on one line")
    return _many(used, "line")


# Markdown


def _read_markdown(path: Path, content: str, reading: _Reading) -> str:
    from markdown_it import MarkdownIt

    content = _FOOTNOTE_TEXT.sub("", re.sub(r"\r\n?", "\n", content))
    lines = content.split("\n")
    covered: set[int] = set()  # lines, from 0, whose text is somewhere
    if (matter := _FRONT_MATTER.match(content)) is not None:
        reading.skip("header of metadata", 1)
        count = matter[0].count("\n")
        covered |= set(range(count + 1))
        content = "\n" * count + content[matter.end() :]
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable(["table", "strikethrough"])
    env: dict[str, Any] = {}
    try:
        tokens = iter(parser.parse(content, env))
    except RecursionError:
        raise bad_input(
            path, "quotations or lists are nested too deeply", "write it flatter"
        ) from None
    blocks = 0
    for token in tokens:
        leaf = token.type in _SKIPPED or token.type == "inline"
        if not leaf or token.map is None:
            continue
        covered |= set(range(*token.map))
        if token.type == "inline":
            blocks += _take_inline(token, reading)
            continue
        what = _SKIPPED[token.type]
        reading.skip(
            "comment" if token.content.lstrip().startswith("<!--") else what, token.map[0] + 1
        )
        if token.nesting == 1:  # to the end of the heading or table
            closing = token.type.replace("_open", "_close")
            next(other for other in tokens if other.type == closing and other.level == token.level)
    for reference in env.get("references", {}).values():
        reading.skip("target of links", reference["map"][0] + 1)
        covered |= set(range(*reference["map"]))
    for number, line in enumerate(lines):
        if number not in covered and _has_word(line):
            reading.skip("line not understood", number + 1)
    return _many(blocks, "block")


def _take_inline(token: Token, reading: _Reading) -> int:
    """Read one paragraph or list item; returns 1 where it held a statement, else 0."""
    assert token.map is not None
    first, last = token.map[0] + 1, token.map[1]
    text, offsets = _plain(token.children or [], first, reading)
    held = 0
    for sentence in _sentences(text):
        line = min(last, first + bisect_right(offsets, sentence.start))
        if not _has_word(sentence.text):
            if sentence.text:
                reading.skip("line without a word", line)
        elif sentence.text.endswith((":", "：")):
            reading.skip("lead-in that ends in a colon", line)
        else:
            reading.statements.append((line, " ".join(sentence.text.split())))
            held = 1
    return held


def _plain(children: Sequence[Token], first: int, reading: _Reading) -> tuple[str, list[int]]:
    """The text without its markup, and the offsets at which its second, third ... line begins.

    A hard line break ends a sentence. What is struck out does not hold any more, and goes.
    """
    text, struck = "", 0
    offsets: list[int] = []
    for child in children:
        if child.type in ("s_open", "s_close"):
            struck += child.nesting
            if child.nesting == 1:
                reading.skip("passage struck out", first + len(offsets))
        elif child.type == "image":
            reading.skip("image", first + len(offsets))
        elif child.type in ("softbreak", "hardbreak"):
            text += " " if child.type == "softbreak" else "\n"
            offsets.append(len(text))
        elif child.type == "html_inline":
            text += "\n" if _LINE_BREAK.fullmatch(child.content) else ""
            offsets += [len(text)] * child.content.count("\n")
        elif not struck and child.type == "text":
            text += _FOOTNOTE.sub("", child.content if text else _TICK_BOX.sub("", child.content))
        elif not struck:
            text += child.content
    return text, offsets
