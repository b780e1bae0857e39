"""Two arms on the same items: the difference, its interval over facts, and when it is called
one.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.core.arms import pairs_among
from augmlx.core.records import EvalItem, EvalResult
from augmlx.evaluation.differences import differences
from augmlx.evaluation.statistics import LEAST_CLUSTERS, mcnemar
from augmlx.evaluation.summary import Difference


def item(n: int, kind: str = "reversal", *fact_ids: str) -> EvalItem:
    return EvalItem(f"{kind}:{n}", kind, "Ida runs", "Zorb", ("Zorb", "Lamp"), fact_ids=fact_ids)


def result(arm: str, of: EvalItem, correct: bool) -> EvalResult:
    return EvalResult(
        of.id, arm, of.kind, (-1.0, -2.0), (1, 1), 0 if correct else 1, correct, "", False
    )


def answered(items: list[EvalItem], **arms: list[bool]) -> list[EvalResult]:
    return [
        result(arm, of, ok)
        for arm, right in arms.items()
        for of, ok in zip(items, right, strict=True)
    ]


def row(right: list[tuple[bool, bool]], facts: int | None = None) -> Difference:
    """The row of "augmented" against "icl"; the items go round the facts."""
    items = [item(n, "reversal", f"f{n % (facts or len(right))}") for n in range(len(right))]
    results = answered(items, augmented=[a for a, _ in right], icl=[b for _, b in right])
    (found,) = differences(results, items, [("augmented", "icl")], seed=0)
    return found


def test_a_row_by_hand() -> None:
    found = row(
        [(True, True)] * 4 + [(True, False)] * 12 + [(False, True)] * 2 + [(False, False)] * 2
    )
    assert (found.kind, found.arm, found.against) == ("reversal", "augmented", "icl")
    assert (found.n, found.only_arm, found.only_against, found.differs) == (
        20,
        12,
        2,
        True,
    )
    assert found.difference == 0.5
    assert found.p == pytest.approx(mcnemar(12, 2)) == pytest.approx(0.0129, abs=1e-4)
    assert 0.1 < found.low < 0.5 < found.high < 0.9


RIGHT = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(RIGHT, st.integers(1, 30))
def test_a_difference_is_called_one_only_where_its_interval_excludes_0(
    right: list[tuple[bool, bool]], facts: int
) -> None:
    found = row(right, facts)
    assert -1 <= found.low <= found.high <= 1
    assert found.differs == (found.low > 0 or found.high < 0)
    assert found.difference == pytest.approx(sum(a - b for a, b in right) / len(right))
    assert found.only_arm - found.only_against == sum(a - b for a, b in right)
    if min(facts, len(right)) < LEAST_CLUSTERS:
        assert not found.differs


@settings(max_examples=20, deadline=None)
@given(RIGHT)
def test_arms_exchanged_give_the_same_with_the_sign_turned(right: list[tuple[bool, bool]]) -> None:
    found, turned = row(right), row([(b, a) for a, b in right])
    assert turned.difference == -found.difference
    assert (turned.p, turned.only_arm) == (found.p, found.only_against)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_few_items_that_differ_are_no_difference_among_however_many() -> None:
    few = row([(True, False)] * (LEAST_CLUSTERS - 1) + [(True, True)] * 200)
    enough = row([(True, False)] * LEAST_CLUSTERS + [(True, True)] * 200)
    assert (few.low, few.differs) == (0, False)
    assert few.high < 0.1
    assert enough.low > 0
    assert enough.differs


def test_equal_arms_do_not_differ() -> None:
    found = row([(True, True)] * 20)
    assert (found.difference, found.low, found.high, found.p, found.differs) == (
        0,
        0,
        0,
        1,
        False,
    )


def test_many_questions_about_few_facts_are_few_trials() -> None:
    right = [(True, False)] * 40
    assert row(right).differs
    assert not row(right, facts=3).differs


def test_clusters_may_be_named_and_override_the_facts() -> None:
    items = [item(n, "reversal", f"f{n}") for n in range(20)]
    results = answered(items, augmented=[True] * 20, icl=[False] * 20)
    pairs = [("augmented", "icl")]
    (own,) = differences(results, items, pairs, seed=0)
    (two,) = differences(
        results, items, pairs, seed=0, cluster_of={of.id: str(n % 2) for n, of in enumerate(items)}
    )
    assert (own.low, own.differs) == (1, True)
    assert (two.low, two.high, two.differs) == (-1, 1, False)


def test_items_without_a_fact_are_each_on_their_own() -> None:
    items = [item(n) for n in range(10)]
    (found,) = differences(
        answered(items, a=[True] * 10, b=[False] * 10), items, [("a", "b")], seed=0
    )
    assert found.differs


def test_only_items_that_both_arms_answered_are_compared_and_kinds_stay_apart() -> None:
    items = [item(n, kind) for kind in ("reversal", "forward") for n in range(8)]
    results = answered(items, augmented=[True] * 16) + answered(items[:3], icl=[False, False, True])
    found = differences(results, items, [("augmented", "icl"), ("augmented", "base")], seed=0)
    assert [(r.kind, r.against, r.n, r.only_arm) for r in found] == [("reversal", "icl", 3, 2)]


def test_a_row_does_not_depend_on_what_else_is_compared() -> None:
    items = [item(n, kind) for kind in ("forward", "reversal") for n in range(15)]
    right = [n % 3 > 0 for n in range(30)]
    results = answered(
        items,
        augmented=right,
        icl=[n % 4 == 0 for n in range(30)],
        base=[n % 5 == 0 for n in range(30)],
    )
    pairs = [("augmented", "icl"), ("augmented", "base")]
    rows = differences(results, items, pairs, seed=3)
    assert len(rows) == 4
    alone = differences(results[::-1], items[15:], pairs[1:], seed=3)
    assert alone == [r for r in rows if (r.kind, r.against) == ("reversal", "base")]


def test_the_pairs_are_those_that_are_present_and_the_users_own() -> None:
    assert pairs_among(["base", "icl", "finetuned", "augmented"]) == [
        ("augmented", "finetuned"),
        ("augmented", "icl"),
        ("augmented", "base"),
        ("finetuned", "base"),
    ]
    everything = [
        "mine",
        "base",
        "icl",
        "icl-augmented",
        "finetuned",
        "rephrased",
        "augmented",
        "oracle",
        "theirs",
    ]
    pairs = pairs_among(everything)
    assert {("oracle", "augmented"), ("augmented", "rephrased"), ("icl-augmented", "icl")} <= set(
        pairs
    )
    assert pairs[-4:] == [
        ("mine", "base"),
        ("augmented", "mine"),
        ("theirs", "base"),
        ("augmented", "theirs"),
    ]
    assert len(set(pairs)) == len(pairs) == 11
    assert pairs_among(["mine", "icl"]) == []
