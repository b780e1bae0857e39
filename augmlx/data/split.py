"""What is trained on, what is held out, and what is left out. Originals are always trained on; only
augmentations are held out.

Facts that share their subject, or that the user put into one group, are held out together, so that
no held-out statement is a neighbour's rewording. An augmentation of several facts is held out with
any of them.

The examples are read several times and never held: a hundred thousand facts fit a small memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from augmlx.core.records import Example, Fact, original
from augmlx.core.settings import SplitSettings
from augmlx.data.limits import surplus_of
from augmlx.english.sameness import mark, marks, said
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

AUTO_TEST = 0.2
Part = Literal["train", "valid", "test", "left out"]
_Reason = tuple[Part, str]  # where an example goes, and why it is left out, where it is


@dataclass(frozen=True, slots=True)
class Dealt:
    """An example and where it goes; `why` it is left out, where it is."""

    example: Example
    part: Part
    why: str = ""


def group_of(fact: Fact) -> str:
    """The user's group, else the fact's subject, else the fact by itself."""
    if fact.group is not None:
        return f"group:{fact.group}"
    mentions = arguments(fact.text)
    if mentions is None:
        return f"fact:{fact.id}"
    return f"subject:{normalise(mentions[0].text)}"


def test_share(settings: SplitSettings, *, has_questions: bool) -> float:
    """The share of groups that the test takes. "auto" holds out a fifth, unless the user brings
    questions of their own.
    """
    if settings.test != "auto":
        return settings.test
    return 0.0 if has_questions else AUTO_TEST


def deal(
    facts: Sequence[Fact],
    augmented: Callable[[], Iterable[Example]],
    settings: SplitSettings,
    *,
    asked: Sequence[str] = (),
    held: Mapping[str, Part] | None = None,
    has_questions: bool,
    seed: int,
) -> Iterator[Dealt]:
    """Every original and every augmentation once, with its part.

    A share above 0 draws at least one group, and never all of them. Groups that were augmented by
    the most operators are drawn first: what has no reversal cannot be asked for one.

    No text stands in two parts, compared after normalisation: what is trained on anyway, as a fact
    or as another fact's augmentation, is not held out, for it would measure nothing; what the test
    and `valid` share is left to the test.

    Args:
        facts: the originals.
        augmented: gives the same augmentations each time it is called.
        settings: the shares, the limits, and what is done with leaks.
        asked: the texts that the user's questions and their answers make.
        held: fact id -> part; nothing is drawn anew, the groups of those facts are held out there.
        has_questions: whether the user brings questions.
        seed: of the draw.
    """
    groups = {fact.id: group_of(fact) for fact in facts}
    if held is None:
        share = test_share(settings, has_questions=has_questions)
        part_of_group = _draw(groups, augmented(), share, settings.valid, seed)
    else:
        part_of_group = {groups[fact_id]: part for fact_id, part in held.items()}
    homes = _Homes(
        groups,
        part_of_group,
        leaks=_marks_of(asked) if settings.leak == "drop" else set(),
        is_surplus=surplus_of(augmented, settings, originals=len(facts), seed=seed),
    )
    trained, tested = _words_of_parts(facts, augmented, homes)
    for fact in facts:
        yield Dealt(original(fact), "train")
    for example in augmented():
        part, why = homes.part_of(example)
        words = mark(normalise(example.text))
        if part in ("valid", "test") and words in trained:
            part = "train"
        elif part == "valid" and words in tested:
            part = "test"
        yield Dealt(example, part, why)


@dataclass(frozen=True, slots=True)
class _Homes:
    """Where an example would go by its facts alone.

    Args:
        groups: fact id -> its group.
        part_of_group: of the groups that are held out.
        leaks: marks of what the questions ask for; what has one is left out.
        is_surplus: whether an example is beyond the limits.
    """

    groups: Mapping[str, str]
    part_of_group: Mapping[str, Part]
    leaks: set[bytes]
    is_surplus: Callable[[Example], bool]

    def part_of(self, example: Example) -> _Reason:
        if self.leaks and not self.leaks.isdisjoint(_marks_of(said(example))):
            return "left out", "states what a question asks for"
        groups = (self.groups[fact_id] for fact_id in example.origin.fact_ids)
        parts = {self.part_of_group.get(group, "train") for group in groups}
        if "test" in parts:
            return "test", ""
        if "valid" in parts:
            return "valid", ""
        if self.is_surplus(example):
            return "left out", "beyond split.per_fact or split.ratio"
        return "train", ""


def _marks_of(texts: Iterable[str]) -> set[bytes]:
    marks_of_texts: set[bytes] = set()
    for text in texts:
        marks_of_texts.update(marks(text))
    return marks_of_texts


def _words_of_parts(
    facts: Sequence[Fact], augmented: Callable[[], Iterable[Example]], homes: _Homes
) -> tuple[set[bytes], set[bytes]]:
    """Marks of the texts that are trained on, and of those that are tested on, by their facts
    alone; where nothing is held out, of the facts alone.
    """
    trained = {mark(normalise(fact.text)) for fact in facts}
    tested: set[bytes] = set()
    if not homes.part_of_group:
        return trained, tested
    for example in augmented():
        part, _ = homes.part_of(example)
        words = mark(normalise(example.text))
        if part == "train":
            trained.add(words)
        elif part == "test":
            tested.add(words)
    return trained, tested


def _draw(
    group_of_fact: Mapping[str, str],
    examples: Iterable[Example],
    share_of_test: float,
    share_of_valid: float,
    seed: int,
) -> dict[str, Part]:
    """The groups that are held out, and where."""
    groups = sorted(set(group_of_fact.values()))
    most = len(groups) - 1
    n_test = _count(share_of_test, len(groups), most)
    n_valid = _count(share_of_valid, len(groups), most - n_test)
    if not n_test + n_valid:
        return {}
    Random(f"{seed}:split").shuffle(groups)
    operators: dict[str, set[str]] = {group: set() for group in groups}
    for example in examples:
        for fact_id in example.origin.fact_ids:
            operators[group_of_fact[fact_id]].add(example.origin.operator)
    groups.sort(key=lambda group: -len(operators[group]))  # keeps the shuffle among equals
    drawn: dict[str, Part] = dict.fromkeys(groups[:n_test], "test")
    return drawn | dict.fromkeys(groups[n_test : n_test + n_valid], "valid")


def _count(share: float, groups: int, most: int) -> int:
    """How many groups a share is: at least one, unless it is 0."""
    if share == 0:
        return 0
    wanted = max(1, round(share * groups))
    return min(wanted, max(0, most))
