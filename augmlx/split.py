"""What is trained on and what is held out. Originals are always trained on; only augmentations are held out.

Facts that share their subject, or that the user put into one group, are held out together, so that no held-out
statement is a neighbour's rewording.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from augmlx.augment import original
from augmlx.language import arguments, normalise
from augmlx.records import Example, Fact
from augmlx.settings import SplitSettings

AUTO_TEST = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """`train` holds every original; `valid` and `test` hold augmentations of facts whose originals are trained on."""

    train: list[Example]
    valid: list[Example]
    test: list[Example]


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


def split(
    facts: Sequence[Fact], augmented: Iterable[Example], settings: SplitSettings, *, has_questions: bool, seed: int
) -> Split:
    """Deal the examples out. A share above 0 draws at least one group, and never all of them.

    Groups that were augmented by the most operators are drawn first: what has no reversal cannot be asked for one.

    No text stands in two parts, compared after normalisation: what is trained on anyway, as a fact or as another fact's
    augmentation, is not held out, for it would measure nothing; what the test and `valid` share is left to the test.
    """
    place = {fact.id: group_of(fact) for fact in facts}
    groups = sorted(set(place.values()))
    Random(f"{seed}:split").shuffle(groups)
    examples = list(augmented)
    said_by = {group: set[str]() for group in groups}
    for example in examples:
        for fact_id in example.origin.fact_ids:
            said_by[place[fact_id]].add(example.origin.operator)
    groups.sort(key=lambda group: -len(said_by[group]))  # keeps the shuffle among equals
    limit = len(groups) - 1
    n_test = _count(test_share(settings, has_questions=has_questions), len(groups), limit)
    n_valid = _count(settings.valid, len(groups), limit - n_test)
    test, valid = set(groups[:n_test]), set(groups[n_test : n_test + n_valid])
    result = Split(train=[original(fact) for fact in facts], valid=[], test=[])
    dealt = []
    trained = {normalise(fact.text) for fact in facts}
    tested: set[str] = set()
    for example in examples:
        home = {place[fact_id] for fact_id in example.origin.fact_ids}
        part = result.test if home & test else result.valid if home & valid else result.train
        dealt.append((example, part))
        if part is not result.valid:
            (tested if part is result.test else trained).add(normalise(example.text))
    for example, part in dealt:
        words = normalise(example.text)
        (result.train if words in trained else result.test if words in tested else part).append(example)
    return result


def _count(share: float, groups: int, limit: int) -> int:
    return 0 if share == 0 else min(max(1, round(share * groups)), max(0, limit))
