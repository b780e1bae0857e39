"""What is trained on, what is held out, and what is left out. Originals are always trained on; only
augmentations are held out.

Facts that share their subject, or that the user put into one group, are held out together, so that
no held-out statement is a neighbour's rewording. An augmentation of several facts is held out with
any of them.

The examples are read several times and never held: a hundred thousand facts fit a small memory.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from augmlx.core.decimals import times
from augmlx.core.records import Example, Fact, original
from augmlx.core.settings import SplitSettings
from augmlx.english.sameness import mark, marks, said
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

AUTO_TEST = 0.2
Part = Literal["train", "valid", "test", "left out"]


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
    found = arguments(fact.text)
    return f"subject:{normalise(found[0].text)}" if found else f"fact:{fact.id}"


def test_share(settings: SplitSettings, *, has_questions: bool) -> float:
    """ "auto" holds out a fifth, unless the user brings questions of their own."""
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
    """Every original and every augmentation once, with its part. `augmented` gives the same
    examples each time; `asked` are the texts that the user's questions and their answers make. With
    `held`, fact id -> part, nothing is drawn anew: the groups of those facts are held out there.

    A share above 0 draws at least one group, and never all of them. Groups that were augmented by
    the most operators are drawn first: what has no reversal cannot be asked for one.

    No text stands in two parts, compared after normalisation: what is trained on anyway, as a fact
    or as another fact's augmentation, is not held out, for it would measure nothing; what the test
    and `valid` share is left to the test.
    """
    place = {fact.id: group_of(fact) for fact in facts}
    if held is None:
        drawn = _draw(place, augmented(), settings, has_questions=has_questions, seed=seed)
    else:
        drawn = {place[fact_id]: part for fact_id, part in held.items()}
    leaks = {known for text in asked for known in marks(text)} if settings.leak == "drop" else set()
    surplus = _surplus(augmented, settings, len(facts), seed)

    def home(example: Example) -> tuple[Part, str]:
        """Where an example would go by its facts alone."""
        homes = {drawn.get(place[fact_id], "train") for fact_id in example.origin.fact_ids}
        if leaks and not leaks.isdisjoint(known for text in said(example) for known in marks(text)):
            return "left out", "states what a question asks for"
        part: Part = "test" if "test" in homes else "valid" if "valid" in homes else "train"
        if part == "train" and surplus(example):
            return "left out", "beyond split.per_fact or split.ratio"
        return part, ""

    trained = {mark(normalise(fact.text)) for fact in facts}
    tested: set[bytes] = set()
    if drawn:
        for example in augmented():
            part, _ = home(example)
            if part in ("train", "test"):
                (trained if part == "train" else tested).add(mark(normalise(example.text)))
    for fact in facts:
        yield Dealt(original(fact), "train")
    for example in augmented():
        part, why = home(example)
        words = mark(normalise(example.text))
        if part in ("valid", "test") and words in trained:
            part = "train"
        elif part == "valid" and words in tested:
            part = "test"
        yield Dealt(example, part, why)


def _draw(
    place: Mapping[str, str],
    examples: Iterable[Example],
    settings: SplitSettings,
    *,
    has_questions: bool,
    seed: int,
) -> dict[str, Part]:
    """The groups that are held out, and where."""
    groups = sorted(set(place.values()))
    limit = len(groups) - 1
    n_test = _count(test_share(settings, has_questions=has_questions), len(groups), limit)
    n_valid = _count(settings.valid, len(groups), limit - n_test)
    if not n_test + n_valid:
        return {}
    Random(f"{seed}:split").shuffle(groups)
    said_by: dict[str, set[str]] = {group: set() for group in groups}
    for example in examples:
        for fact_id in example.origin.fact_ids:
            said_by[place[fact_id]].add(example.origin.operator)
    groups.sort(key=lambda group: -len(said_by[group]))  # keeps the shuffle among equals
    return {
        group: "test" if n < n_test else "valid"
        for n, group in enumerate(groups[: n_test + n_valid])
    }


def _count(share: float, groups: int, limit: int) -> int:
    return 0 if share == 0 else min(max(1, round(share * groups)), max(0, limit))


def _surplus(
    augmented: Callable[[], Iterable[Example]], settings: SplitSettings, originals: int, seed: int
) -> Callable[[Example], bool]:
    """Whether an example is beyond the limits per fact and per original. Of a fact, each operator's
    first is preferred to any operator's second; over all facts, every fact's first to any fact's
    second, and a lot drawn decides the rest.
    """
    if not settings.per_fact and not settings.ratio:
        return lambda _example: False
    rank: dict[str, int] = {}
    nth: Counter[tuple[str, str]] = Counter()
    of_fact: dict[str, list[tuple[int, int, str]]] = {}
    for number, example in enumerate(augmented()):
        fact_id, operator = example.origin.fact_ids[0], example.origin.operator
        of_fact.setdefault(fact_id, []).append((nth[fact_id, operator], number, example.id))
        nth[fact_id, operator] += 1
    for members in of_fact.values():
        rank.update((name, place) for place, (_, _, name) in enumerate(sorted(members)))
    chosen = [
        name for name, place in rank.items() if not settings.per_fact or place < settings.per_fact
    ]
    if settings.ratio and len(chosen) > (most := math.floor(times(settings.ratio, originals))):
        chosen.sort(
            key=lambda name: (rank[name], hashlib.sha256(f"{seed}:mix:{name}".encode()).digest())
        )
        chosen = chosen[:most]
    left = set(chosen)
    return lambda example: example.id not in left
