"""Markdown -> statements: the sentences of paragraphs, list items and quotations, without their
markup; a sentence may go over several lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augmlx.data.row import bad_input
from augmlx.data.statements import LEAD_IN, Reading, has_word, sentences

if TYPE_CHECKING:
    from markdown_it.token import Token

# Of quotations and lists; the parser's own limit of 20 drops what is deeper without a word.
_NESTING = 100
_FRONT_MATTER = re.compile(
    r"(---|\+\+\+)[ \t]*\n(?=[#\n]|[\w\"'.-]+[ \t]*[:=])(?:.*\n)*?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)"
)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
# One word behind it would be a link's target.
_FOOTNOTE_TEXT = re.compile(rf"^ {{0,3}}{_FOOTNOTE.pattern}:", re.MULTILINE)
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


def read_markdown(path: Path, content: str, reading: Reading) -> int:
    """Read the statements of a Markdown file.

    Args:
        path: of the file, for messages.
        content: its text.
        reading: takes the statements, and what is left out.

    Returns:
        How many paragraphs and list items hold a statement.

    Raises:
        BadInput: it is nested too deeply.
    """
    content = _FOOTNOTE_TEXT.sub("", re.sub(r"\r\n?", "\n", content))
    lines = content.split("\n")
    covered: set[int] = set()  # lines, from 0, whose text is somewhere
    matter = _FRONT_MATTER.match(content)
    if matter is not None:
        reading.skip("header of metadata", 1)
        matter_lines = matter[0].count("\n")
        covered |= set(range(matter_lines + 1))
        content = "\n" * matter_lines + content[matter.end() :]
    tokens, references = _parsed(path, content)
    blocks = _take_blocks(tokens, reading, covered)
    for first, end in references:
        reading.skip("target of links", first + 1)
        covered |= set(range(first, end))
    for number, line in enumerate(lines):
        if number not in covered and has_word(line):
            reading.skip("line not understood", number + 1)
    return blocks


def _parsed(path: Path, content: str) -> tuple[list[Token], list[tuple[int, int]]]:
    """The tokens of a text, and the lines (first, end; from 0) of the targets of its links."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable(["table", "strikethrough"])
    env: dict[str, Any] = {}
    try:
        tokens = parser.parse(content, env)
    except RecursionError:
        fault = "quotations or lists are nested too deeply"
        raise bad_input(path, fault, "write it flatter") from None
    references = env.get("references", {}).values()
    return tokens, [tuple(reference["map"]) for reference in references]


def _take_blocks(tokens: Sequence[Token], reading: Reading, covered: set[int]) -> int:
    """Read all blocks, whose lines are `covered`; returns how many held a statement."""
    blocks = 0
    remaining = iter(tokens)
    for token in remaining:
        is_leaf = token.type in _SKIPPED or token.type == "inline"
        if not is_leaf or token.map is None:
            continue
        covered |= set(range(*token.map))
        if token.type == "inline":
            blocks += _take_inline(token, reading)
            continue
        is_comment = token.content.lstrip().startswith("<!--")
        reading.skip("comment" if is_comment else _SKIPPED[token.type], token.map[0] + 1)
        if token.nesting == 1:
            _skip_to_the_end(token, remaining)
    return blocks


def _skip_to_the_end(opening: Token, remaining: Iterator[Token]) -> None:
    """Go behind the end of a heading or table."""
    closing = opening.type.replace("_open", "_close")
    for token in remaining:
        if token.type == closing and token.level == opening.level:
            return


def _take_inline(token: Token, reading: Reading) -> bool:
    """Read one paragraph or list item; returns whether it held a statement."""
    assert token.map is not None
    first, last = token.map[0] + 1, token.map[1]
    text, offsets = _plain(token.children or [], first, reading)
    holds_statement = False
    for sentence in sentences(text):
        line = min(last, first + bisect_right(offsets, sentence.start))
        if not sentence.text:
            continue
        if sentence.text.endswith(LEAD_IN):
            reading.skip("lead-in that ends in a colon", line)
        else:
            holds_statement |= reading.take(line, " ".join(sentence.text.split()))
    return holds_statement


def _plain(children: Sequence[Token], first: int, reading: Reading) -> tuple[str, list[int]]:
    """The text without its markup, and the offsets at which its second, third ... line begins.

    A hard line break ends a sentence. What is struck out does not hold any more, and goes.
    """
    text = ""
    struck = 0  # how many strikings-out are open
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
        elif struck:
            continue
        elif child.type == "text":
            shown = child.content if text else _TICK_BOX.sub("", child.content)
            text += _FOOTNOTE.sub("", shown)
        else:
            text += child.content
    return text, offsets
