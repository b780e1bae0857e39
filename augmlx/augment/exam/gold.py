"""The facts of the exam with what may be asked and said of them, and labelled texts over them.

Both files are read once. A slip in them must not pass for a fault of the model, so each row is
checked when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from augmlx.augment.exam.words import fold, has
from augmlx.core.errors import BadInput

LANGUAGES = ("en", "de", "fr", "es", "zh")
KINDS_OF_ANSWER = ("", "person", "org", "thing", "place", "time", "amount", "cause")
_FOLDER = resources.files("augmlx.augment.exam")
_KEYS = frozenset(("id", "kind", "lang", "fact", "qa", "reversal", "keep", "wrong"))


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that may be asked of a fact.

    `answers` are the right ones, `asks` what the question must contain, `wrong` rules of questions
    that are turned round, `kind` what the question's word must fit. Two of one `end` count once.
    """

    answers: tuple[str, ...]
    asks: tuple[str, ...]
    wrong: tuple[re.Pattern[str], ...]
    kind: str
    end: int


@dataclass(frozen=True, slots=True)
class Turned:
    """What a reversal must begin with (one of `starts`) and contain (all of `contains`)."""

    starts: tuple[str, ...]
    contains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """A fact and what is right of it.

    Every statement must contain all of `keep`, and one that a rule of `wrong` finds is wrong.
    Without a `reversal` none is expected.
    """

    id: str
    kind: str
    lang: str
    fact: str
    asked: tuple[Asked, ...]
    reversal: Turned | None
    keep: tuple[str, ...]
    wrong: tuple[re.Pattern[str], ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Every text of the gold that a right statement or question may take words from."""
        texts = [self.fact, *self.keep]
        if self.reversal is not None:
            texts += [*self.reversal.starts, *self.reversal.contains]
        for asked in self.asked:
            texts += [*asked.answers, *asked.asks]
        return tuple(texts)

    @property
    def ends(self) -> frozenset[int]:
        """The ends of the fact that may be asked for."""
        return frozenset(asked.end for asked in self.asked)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text as a small model writes it, labelled by hand; `why` says what is wrong with it."""

    fact_id: str
    operator: str
    text: str
    answer: str
    right: bool
    why: str


@cache
def golds() -> tuple[Gold, ...]:
    """The facts of the exam."""
    with resources.as_file(_FOLDER / "facts.jsonl") as path:
        return read_golds(path)


@cache
def labelled_texts() -> tuple[Labelled, ...]:
    """The labelled texts over the facts of the exam."""
    with resources.as_file(_FOLDER / "texts.jsonl") as path:
        return tuple(Labelled(**row) for _, row in _rows(path))


def read_golds(path: Path) -> tuple[Gold, ...]:
    """Read and check a file of gold, one JSON object a line.

    Raises:
        BadInput: a row lacks a key, its rules do not fit its own fact, or its id is there twice.
    """
    read: dict[str, Gold] = {}
    for place, row in _rows(path):
        gold = _gold(place, row)
        _check(place, gold)
        if gold.id in read:
            raise BadInput(f"{place}: the id {gold.id} is there twice")
        read[gold.id] = gold
    return tuple(read.values())


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
        if line.strip():
            yield f"{path.name}:{number}", json.loads(line)


def _gold(place: str, row: Mapping[str, Any]) -> Gold:
    if missing := _KEYS - set(row):
        raise BadInput(f"{place}: lacks {', '.join(sorted(missing))}")
    turned = row["reversal"]
    return Gold(
        id=row["id"],
        kind=row["kind"],
        lang=row["lang"],
        fact=row["fact"],
        asked=tuple(_asked(place, number, asked) for number, asked in enumerate(row["qa"])),
        reversal=turned and Turned(tuple(turned["starts"]), tuple(turned["contains"])),
        keep=tuple(row["keep"]),
        wrong=_rules(place, row["wrong"]),
    )


def _asked(place: str, number: int, row: Mapping[str, Any]) -> Asked:
    return Asked(
        answers=tuple(row["answer"]),
        asks=tuple(row["asks"]),
        wrong=_rules(place, row.get("not", [])),
        kind=row.get("is", ""),
        end=row.get("end", number),
    )


def _rules(place: str, rules: list[str]) -> tuple[re.Pattern[str], ...]:
    """Rules search folded texts, so a capital in one would never match."""
    for rule in rules:
        if rule not in (rule.lower(), fold(rule)):
            raise BadInput(f"{place}: the rule {rule!r} is not in lower case")
    return tuple(re.compile(rule) for rule in rules)


def _check(place: str, gold: Gold) -> None:
    if gold.lang not in LANGUAGES:
        raise BadInput(f"{place}: no language {gold.lang!r}")
    if strange := [asked.kind for asked in gold.asked if asked.kind not in KINDS_OF_ANSWER]:
        raise BadInput(f"{place}: no kind of answer {strange[0]!r}")
    plain = fold(gold.fact)
    if lost := [part for part in gold.keep if not has(plain, part)]:
        raise BadInput(f"{place}: the fact itself lacks {lost[0]!r}")
    if matching := [rule.pattern for rule in gold.wrong if rule.search(plain)]:
        raise BadInput(f"{place}: the fact itself matches {matching[0]!r}")
