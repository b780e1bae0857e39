"""The id of an example: a type with one spelling on disk, so that nobody has to cut up a string.

    mill/original          the fact "mill" itself
    mill/oracle            a consequence of it that the user says is true
    mill/reversal/0        sample 0 of the operator reversal on it
    wugs+tibs/chain/1~2    sample 1 of an operator on two facts, in round 2
    mill/by-hand/0         a text about it that the user has written into augmented.csv
    anchor/7               a text that training is held at, which is of no fact
    unknown/7              a question that nothing is known of

Ids of facts may hold anything, slashes too, and a fact may be called "anchor": the end decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ORIGINAL, ORACLE, ANCHOR, UNKNOWN = "original", "oracle", "anchor", "unknown"
BY_HAND = "by-hand"
_ENDS = (ORIGINAL, ORACLE)
_OF_NO_FACT = (ANCHOR, UNKNOWN)
_SAMPLE = re.compile(r"(?P<sample>\d+)(?:~(?P<round>\d+))?")
_PIECE = re.compile(r"(?:#\d+)+\Z")  # a row that is one of several of an example, or of such a row


@dataclass(frozen=True, slots=True)
class ExampleId:
    """Which operator made an example of what.

    Args:
        of: the id of its fact, or the ids joined by "+"; for an anchor the text's own name.
        operator: a name, or ORIGINAL, ORACLE, ANCHOR, UNKNOWN, BY_HAND for what no operator made.
        sample: which sample of the operator, from 0; None where there are no samples.
        round: which round of `run --rounds` it is of, from 1.
    """

    of: str
    operator: str
    sample: int | None = None
    round: int = 1

    def __str__(self) -> str:
        if self.operator in _OF_NO_FACT:
            return f"{self.operator}/{_quoted(self.of)}"
        if self.sample is None:
            return of_operator(self.of, self.operator)
        turn = f"~{self.round}" if self.round > 1 else ""
        return f"{self.of}/{self.operator}/{self.sample}{turn}"

    @property
    def group(self) -> str:
        """What the samples of one operator on the same facts have in common, of whatever round."""
        return of_operator(self.of, self.operator)

    @property
    def is_original(self) -> bool:
        return self.operator == ORIGINAL

    @property
    def is_by_hand(self) -> bool:
        return self.operator == BY_HAND

    @property
    def is_unknown(self) -> bool:
        return self.operator == UNKNOWN


def of_operator(of: str, operator: str) -> str:
    """The id of the only example that is made of something in this way, or what all begin with."""
    return f"{of}/{operator}"


def parse(text: str) -> ExampleId:
    """The id that is spelt so. One that none of ours is (a row the user has added) is an operator's
    without a name.
    """
    head, _, end = text.rpartition("/")
    if head and end in _ENDS:
        return ExampleId(head, end)
    if head in _OF_NO_FACT:
        return ExampleId(_unquoted(end), head)
    premises, _, operator = head.rpartition("/")
    if premises and (match := _SAMPLE.fullmatch(end)):
        return ExampleId(premises, operator, int(match["sample"]), int(match["round"] or 1))
    return ExampleId(text, "")


def piece(example: str, number: int) -> str:
    """The id of a row that is one of several of an example."""
    return f"{example}#{number}"


def without_piece(row_id: str) -> str:
    """The id of the example that a training row ("mill/original#2") is, or is a piece of."""
    return _PIECE.sub("", row_id)


_QUOTED = {"%": "%25", "/": "%2F", "#": "%23"}


def _quoted(name: str) -> str:
    """A text's name without a slash, and unlike the ends that say something: a text of the
    user's may be called anything.
    """
    if name in _ENDS:
        return f"%{ord(name[0]):02X}{name[1:]}"
    return re.sub(r"[%/#]", lambda match: _QUOTED[match[0]], name)


def _unquoted(name: str) -> str:
    return re.sub(r"%([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), name)
