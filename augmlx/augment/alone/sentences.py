"""What was read of files -> sentences, each with those before it and what grammar knows that it may
become.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from augmlx.augment.languages.detection import languages_of
from augmlx.augment.languages.lexicon import ENGLISH
from augmlx.core.records import Fact
from augmlx.data.facts import FactTable
from augmlx.data.statements import sentences
from augmlx.english.clauses.named import Named
from augmlx.english.clauses.parting import parted
from augmlx.english.clauses.pronouns import Pronoun, meant_by, resolved, rivals
from augmlx.english.clauses.reading import read

ELSEWHERE = "speaks of what another sentence names"
_SHOWN = 3  # sentences before
_TO_THE_NEXT_WORD = re.compile(r"\S*\s+[\w'-]+(?=[\s,])")
_LINE = re.compile(r":(\d+)$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a fact.

    Args:
        text: as it stands.
        fact: that holds it; where it is the whole fact, that is its text.
        before: the sentences before it that it may speak of, the nearest last.
        whole: it with its pronouns resolved; None where it is not sure how.
        parts: the statements that it makes, where they are several.
        opening: what its statements begin with, as far as that says what there is to do.
        is_sure: whether that is so, and no mere guess of whom or what a pronoun stands for.
        readings: of a guess, and then of the other names that fit, (the sentence up to the name,
            the rest of it); none where there is no guess.
    """

    text: str
    fact: Fact
    before: tuple[str, ...]
    whole: str | None
    parts: tuple[str, ...]
    opening: str = ""
    is_sure: bool = True
    readings: tuple[tuple[str, str], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it says nothing without the sentences before it."""
        return self.whole != self.text

    @property
    def is_asked(self) -> bool:
        """Whether there is something to do for a model."""
        return bool(self.parts) or (self.is_open and self.whole is not None)


def sentences_of(table: FactTable) -> list[Sentence]:
    """The sentences of a table's facts, in order; rows of a training set, and what is not English,
    as they are. A heading, and in a table each row, begins anew.
    """
    texts = [fact.text for fact in table.facts]
    spoken = languages_of(texts) if texts else []
    headings = sorted(_line(source) for source, why in table.left_out if why == "heading")
    found: list[Sentence] = []
    before: list[str] = []
    line = 0
    for fact, language in zip(table.facts, spoken, strict=True):
        here = _line(fact.source)
        if not table.is_prose or any(line < heading <= here for heading in headings):
            before = []
        line = here
        if fact.row is not None or language != ENGLISH:
            before = []
            found.append(Sentence(fact.text, fact, (), fact.text, ()))
            continue
        found += _read(fact, before)
    return found


def _read(fact: Fact, before: list[str]) -> Iterator[Sentence]:
    """The sentences of a fact, which `before` gets."""
    for mention in sentences(fact.text):
        shown = tuple(before[-_SHOWN:])
        meant = meant_by(mention.text, before)
        if meant is None:
            yield Sentence(mention.text, fact, shown, None, ())
        else:
            whole = resolved(mention.text, meant)
            parts = parted(whole)
            opening = _opening(mention.text, whole, parts, meant)
            is_sure, readings = _doubts(mention.text, meant, before)
            yield Sentence(mention.text, fact, shown, whole, parts, opening, is_sure, readings)
        before.append(mention.text)


def _opening(text: str, whole: str, parts: Sequence[str], meant: Mapping[Pronoun, Named]) -> str:
    """What the statements of a sentence begin with: the first one and what the second is about; or
    the words up to the one behind the last name that stands for a pronoun, if there is one.
    """
    if parts:
        return f"{parts[0]} {_beginning(whole, *parts[:2])}".rstrip()
    last = max(meant, key=lambda each: each.start, default=None)
    if last is None:
        return ""
    replaced = len(whole) - len(text)  # characters that the names are longer
    begun = _TO_THE_NEXT_WORD.match(whole, last.end + replaced)
    return whole[: begun.end() if begun else last.end + replaced]


def _doubts(
    text: str, meant: Mapping[Pronoun, Named], before: Sequence[str]
) -> tuple[bool, tuple[tuple[str, str], ...]]:
    """Whether it is sure what the pronouns of a sentence stand for, and the readings where not.

    "They can lock it." behind "Riders wear a helmet." may be about what was spoken of before.
    """
    is_sure = all(named.is_sure for named in meant.values())
    is_by_the_way = any(
        not named.is_subject and pronoun.wanted != "person" for pronoun, named in meant.items()
    )
    if is_sure and not is_by_the_way:
        return True, ()
    readings = _readings(text, meant, before)
    return is_sure and len(meant) == 1 and len(readings) == 1, readings


def _readings(
    text: str, meant: Mapping[Pronoun, Named], before: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """A sentence with each name that its only pronoun may stand for, cut behind the name; the one
    that is guessed first.
    """
    if len(meant) != 1:
        return ()
    ((pronoun, guess),) = meant.items()
    names = (guess, *rivals(pronoun, guess, before))
    rest = text[pronoun.end :]
    wholes = (resolved(text, {pronoun: name}) for name in names)
    return tuple((whole[: len(whole) - len(rest)], rest) for whole in wholes)


def _beginning(whole: str, first: str, second: str) -> str:
    """What a second statement says in words that its sentence does not have there: its subject, and
    what stands for a pronoun of it; else its own subject.
    """
    words = second.removesuffix(".").split()
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first.split(), words, strict=False))
    shared = sum(1 for _ in pairs)
    stands = whole.lower()
    ends = (n for n in range(len(words)) if " ".join(words[n:]).lower() in stands)
    begun = max(shared, next(ends, 0))
    clause = read(second)
    if not begun and clause is not None and clause.subject is not None:
        begun = len(clause.subject.text.split())
    return " ".join(words[:begun])


def _line(source: str) -> int:
    """The number at the end of "handbook.md:17"."""
    found = _LINE.search(source)
    return int(found[1]) if found else 0
