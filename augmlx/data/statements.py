"""What is gathered while prose is read: statements with their lines, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from augmlx.core.counting import counted, noun_of
from augmlx.english.junk import why_no_statement
from augmlx.english.segments import segments
from augmlx.english.text import Mention

LEAD_IN = (":", "：")  # what a line ends in that only leads to the next
_SHOWN = 5  # line numbers of each kind of what is left out


@dataclass(slots=True)
class Reading:
    """What was read of a file so far.

    Args:
        statements: (line that it begins on, text), one a sentence.
        skipped: what was left out -> the lines it begins on.
        warnings: what looks as if it was not meant so.
    """

    statements: list[tuple[int, str]] = field(default_factory=list)
    skipped: dict[str, list[int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def take(self, line: int, text: str) -> bool:
        """Take a sentence, or note why it is none; returns whether it was taken."""
        why = why_no_statement(text) if has_word(text) else "line without a word"
        if why is not None:
            self.skip(why, line)
            return False
        self.statements.append((line, text))
        return True

    def skip(self, what: str, line: int) -> None:
        """Note that something was left out."""
        lines = self.skipped.setdefault(what, [])
        lines.append(line)

    def all_skipped(self) -> list[tuple[int, str]]:
        """(line, what) of everything that was left out, in the order of the file."""
        return sorted((line, what) for what, lines in self.skipped.items() for line in lines)

    def left_out(self) -> str:
        """Such as "2 headings (lines 1, 5); 1 image (line 7)"."""
        counts = [
            f"{many(len(lines), what)} ({listed(lines)})" for what, lines in self.skipped.items()
        ]
        return "; ".join(counts)


def many(count: int, what: str) -> str:
    """A count with its noun, which is the first word: "2 blocks of code"."""
    noun, space, rest = what.partition(" ")
    return f"{counted(count, noun)}{space}{rest}"


def listed(lines: Sequence[int]) -> str:
    """The first of some line numbers: "lines 1, 5, 7, 8, 9 and 2 more"."""
    numbers = ", ".join(map(str, lines[:_SHOWN]))
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"{noun_of(len(lines), 'line')} {numbers}{more}"


def sentences(text: str) -> Iterator[Mention]:
    """The sentences of a text; a piece without a letter or digit, such as "...", stays with its
    neighbour.
    """
    start = end = 0
    for piece in segments(text):
        if end and has_word(piece.text) and has_word(text[start:end]):
            yield Mention(text[start:end], start, end)
            start = piece.start
        end = piece.end
    yield Mention(text[start:end], start, end)


def has_word(text: str) -> bool:
    """Whether a text holds a letter or a digit."""
    return any(map(str.isalnum, text))
