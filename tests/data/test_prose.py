"""Nothing of a text is lost: what is no statement is counted, with its line."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.errors import BadInput
from augmlx.data.prose import Prose, read_prose


def read(name: str, content: str) -> Prose | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode())
        try:
            return read_prose(path)
        except BadInput:
            return None


LINES = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20),
    max_size=8,
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_character_of_a_text_is_in_a_statement_of_its_line(
    lines: list[str], end: str
) -> None:
    lines = [line.replace("\r", "").replace("\n", "") for line in lines]
    # The last line makes sure that there is a statement; each "None" or the like is named instead.
    found = read("a.txt", "".join(f"{line}{end}" for line in (*lines, "Ada left.")))
    assert found is not None
    left_out = {line for line, what in found.left_out if what != "line without a word"}
    said = dict.fromkeys(range(1, len(lines) + 2), "")
    for line, statement in found.statements:
        said[line] += statement
    for number, line in enumerate(lines, start=1):
        if number in left_out:
            continue
        if any(map(str.isalnum, line)):
            assert "".join(said[number].split()) == "".join(
                line.removeprefix("\ufeff" * (number == 1)).split()
            )
        else:
            assert not said[number]


# block: its statements, and what is left out of it
BLOCKS: dict[str, tuple[list[str], list[str]]] = {
    "# Head {}": ([], ["heading"]),
    "Head {}\n===": ([], ["heading"]),
    "Ada{} left. Bo\nstays. Cy\nwent.": (["Ada{} left.", "Bo stays.", "Cy went."], []),
    "- item{}\n  - inner{}\n\n  more{}": (["item{}", "inner{}", "more{}"], []),
    "1. one{}\n2. two{}": (["one{}", "two{}"], []),
    "> said{}\n> > deep{}": (["said{}", "deep{}"], []),
    "```\ncode{}\n\ncode\n```": ([], ["block of code"]),
    "| a{} |\n|---|\n| b{} |": ([], ["table"]),
    "<!-- c{}\n\n-->": ([], ["comment"]),
    "<div>\nh{}\n</div>": ([], ["block of HTML"]),
    "***": ([], ["rule"]),
    "![i{}](x.png)": ([], ["image"]),
    "[r{}]: http://x.y": ([], ["target of links"]),
    "~~gone{}~~": ([], ["passage struck out"]),
    "Those are{}:": ([], ["lead-in that ends in a colon"]),
    "wide{}  \nline{}<br>cut{}": (["wide{}", "line{}", "cut{}"], []),
    "*one{}* `two{}` [three{}](u) &amp; \\*four{}\\*": (["one{} two{} three{} & *four{}*"], []),
    "- \n\n***\n\n- x{}": (["x{}"], ["rule"]),
    "foot{}.[^1]\n\n[^1]: word{}": (["foot{}.", "word{}"], []),
    "...": ([], ["line without a word"]),
}


@given(
    st.lists(st.sampled_from(list(BLOCKS)), min_size=1, max_size=7),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_every_block_of_markdown_is_read_or_told_as_left_out(blocks: list[str], end: str) -> None:
    lines, statements, left_out = [], [], []
    for n, block in enumerate(blocks):
        texts, skipped = BLOCKS[block]
        left_out += skipped
        begins = len(lines) + 1
        lines += [
            *block.replace("{}", str(n)).split("\n"),
            "",
            "<!-- -->",
            "",
        ]  # so that no two lists are one
        for text in texts:
            first = text.split()[0].replace("{}", str(n))
            line = next(at for at in range(begins, len(lines) + 1) if first in lines[at - 1])
            statements.append((line, text.replace("{}", str(n))))
    found = read("a.md", end.join(lines))
    assert list(found.statements if found else ()) == statements
    if found:
        counted = re.findall(
            r"(?:: |; )(\d+) ([^();]+) \(lines? \d", found.notes[1].partition("left out")[2]
        )
        wanted = Counter([*left_out, *["comment"] * len(blocks)])
        assert {_singular(what): int(count) for count, what in counted} == wanted


def _singular(what: str) -> str:
    noun, space, rest = what.partition(" ")
    return noun.removesuffix("s") + space + rest


@given(st.text("#-*_`>~|[]()!<>&;:. \nab1\\", max_size=60))
def test_any_markdown_is_read_or_refused(text: str) -> None:
    found = read("a.md", text)
    if found is not None:
        assert found.statements
        assert all(any(map(str.isalnum, statement)) for _, statement in found.statements)
        assert all(1 <= line <= text.count("\n") + 1 for line, _ in found.statements)


@pytest.mark.parametrize(
    "text", [">" * 5000 + " a", "- " * 3000 + "a", "[" * 5000 + "a", "*a " * 3000, "<" * 9000 + "a"]
)
def test_markdown_made_to_break_a_parser_is_read_or_refused_in_time(text: str) -> None:
    found = read("a.md", f"Ada left.\n\n{text}\n")
    assert (
        found is None or (1, "Ada left.") in found.statements
    )  # refused with its line, or nothing before it is lost
