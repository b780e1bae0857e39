from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.records import EvalResult
from augmlx.evaluation.summary import (
    Ability,
    Cell,
    Difference,
    Leak,
    Overclaims,
    Regression,
    Summary,
)
from augmlx.report.evaluated import Evaluation
from augmlx.report.findings import alarms, headline, paired
from augmlx.report.text import interval, percent, points, span


def cell(n: int, accuracy: float, low: float, high: float) -> Cell:
    return Cell(n, accuracy, low, high, accuracy, accuracy, accuracy, accuracy, 0.0)


def evaluation(
    correct: dict[str, dict[str, dict[str, bool]]] | None = None, **arms: dict[str, Cell]
) -> Evaluation:
    summary = Summary(
        arms=arms,
        differences=(),
        leaks={},
        ability={},
        overclaims={},
        regressions=(),
        items=20,
        notes=(),
        score="token",
        derived=False,
        model="m",
        trained={},
    )
    results = [
        EvalResult(item, arm, kind, (-1.0, -2.0), (1, 1), 0, right, "", False)
        for kind, of_kind in (correct or {}).items()
        for arm, of_arm in of_kind.items()
        for item, right in of_arm.items()
    ]
    return Evaluation(summary, results=results)


def changed(found: Evaluation, **changes: Any) -> Evaluation:
    assert isinstance(found.summary, Summary)
    return replace(found, summary=replace(found.summary, **changes))


def arms(
    ours: tuple[float, float, float], theirs: tuple[float, float, float], kind: str = "reversal"
) -> Evaluation:
    return evaluation(augmented={kind: cell(20, *ours)}, finetuned={kind: cell(20, *theirs)})


@pytest.mark.parametrize(
    ("ours", "theirs", "title", "tone"),
    [
        (
            (0.9, 0.7, 0.97),
            (0.3, 0.15, 0.52),
            "Augmentation lifted reversal accuracy from 30 % to 90 %",
            "gain",
        ),
        (
            (0.6, 0.39, 0.78),
            (0.5, 0.3, 0.7),
            "No clear gain from augmentation: reversal 60 %, against 50 %",
            "even",
        ),
        (
            (0.5, 0.3, 0.7),
            (0.5, 0.3, 0.7),
            "Augmentation bought nothing on reversal: 50 % with it and without",
            "even",
        ),
        (
            (0.4, 0.2, 0.6),
            (0.5, 0.3, 0.7),
            "Augmentation bought nothing on reversal: 40 %, against 50 %",
            "even",
        ),
        (
            (0.1, 0.03, 0.3),
            (0.9, 0.7, 0.97),
            "Augmentation cost reversal accuracy: 10 %, down from 90 %",
            "loss",
        ),
    ],
)
def test_the_headline_claims_what_the_intervals_allow(
    ours: tuple[float, float, float], theirs: tuple[float, float, float], title: str, tone: str
) -> None:
    found = headline(arms(ours, theirs))
    assert found.title.replace("\u00a0", " ").startswith(title)
    assert found.tone == tone


def test_the_headline_counts_questions_and_names_the_intervals() -> None:
    detail = headline(arms((0.9, 0.699, 0.972), (0.3, 0.145, 0.519))).detail.replace("\u00a0", " ")
    assert "answered 6 of 20 reversal questions (95 % interval 14 to 52 %)" in detail
    assert "18 of 20 (69 to 98 %)" in detail


@pytest.mark.parametrize(("n", "shown"), [(1, "1 reversal question"), (9, "9 reversal questions")])
def test_a_handful_of_questions_tells_nothing_unless_the_intervals_lie_apart(
    n: int, shown: str
) -> None:
    wide = {"reversal": cell(n, 0.0, 0.0, 0.8)}
    found = headline(evaluation(augmented=wide, finetuned=wide))
    assert (found.title, found.tone) == (f"Too few questions to tell: {shown}", "none")
    apart = evaluation(
        augmented={"reversal": cell(9, 1.0, 0.7, 1.0)},
        finetuned={"reversal": cell(9, 0.0, 0.0, 0.3)},
    )
    assert headline(apart).tone == "gain"


def test_without_reversal_the_kind_with_most_questions_decides_and_forward_comes_last() -> None:
    even = cell(10, 0.5, 0.3, 0.7)
    cells = {"forward": cell(99, 0.5, 0.4, 0.6), "few": even, "many": cell(20, 0.5, 0.3, 0.7)}
    assert "many" in headline(evaluation(augmented=cells, finetuned=cells)).title
    assert (
        "forward"
        in headline(evaluation(augmented={"forward": even}, finetuned={"forward": even})).title
    )


def test_a_missing_arm_makes_no_claim() -> None:
    assert headline(evaluation(augmented={"reversal": cell(9, 1, 0.7, 1)})).tone == "none"
    assert headline(None).tone == "none"


def test_percentages_never_round_to_all_or_nothing() -> None:
    shares = [percent(share).replace("\u00a0", " ") for share in (0.0, 0.001, 0.4949, 0.996, 1.0)]
    assert shares == ["0 %", "< 1 %", "49 %", "99 %", "100 %"]
    assert interval(cell(1, 0.5, 0.111, 0.888)) == "11 to 89\u00a0%"


def test_pairs_count_the_same_questions_only() -> None:
    ours = {"a": True, "b": True, "c": False, "d": False, "e": True}
    theirs = {"a": True, "b": False, "c": True, "d": False, "x": True}
    (row,) = paired(
        evaluation({"reversal": {"augmented": ours, "finetuned": theirs}}), ["reversal", "none"]
    )
    assert (row.both, row.only_with, row.only_without, row.neither) == (1, 1, 1, 1)


def gap(
    low: float, middle: float, high: float, against: str = "finetuned", n: int = 20
) -> Difference:
    return Difference(
        "reversal", "augmented", against, n, middle, low, high, 0.5, 3, 1, low > 0 or high < 0
    )


LIFTED = arms((0.9, 0.5, 0.97), (0.5, 0.3, 0.7))  # intervals overlap


def test_a_paired_difference_decides_where_there_is_one() -> None:
    assert headline(LIFTED).tone == "even"
    found = headline(changed(LIFTED, differences=(gap(0.2, 0.4, 0.6),)), " over 3 seeds")
    assert (found.title.replace("\u00a0", " "), found.tone) == (
        "Augmentation lifted reversal accuracy from 50 % to 90 %",
        "gain",
    )
    detail = found.detail.replace("\u00a0", " ")
    assert "10 of 20 reversal questions over 3 seeds" in detail
    assert detail.endswith("The paired difference is +40 points (95 % interval +20 to +60).")
    assert headline(changed(LIFTED, differences=(gap(-0.6, -0.4, -0.2),))).tone == "loss"


@pytest.mark.parametrize("n", [4, 20])
def test_a_useless_augmentation_is_called_one(n: int) -> None:
    apart = arms((0.9, 0.7, 0.97), (0.3, 0.15, 0.52))  # would be a gain by their intervals
    found = headline(changed(apart, differences=(gap(-0.1, 0.1, 0.3, n=n),)))
    assert found.title.startswith("Augmentation bought nothing measurable on reversal")
    assert found.tone == "even"
    assert "cannot be told from chance" in found.detail
    assert ("too few" in found.detail) == (n < 10)


def test_a_gain_over_fine_tuning_that_rephrasing_brings_too_is_no_gain_of_augmentation() -> None:
    control = {"rephrased": {"reversal": cell(20, 0.85, 0.64, 0.95)}}
    with_control = changed(LIFTED, arms={**LIFTED.arms, **control})
    plain = gap(0.2, 0.4, 0.6)
    even = headline(changed(with_control, differences=(plain, gap(-0.1, 0.05, 0.2, "rephrased"))))
    assert even.title.startswith("Augmentation bought nothing measurable over rephrasing")
    assert even.tone == "even"
    assert "answered 17 of 20, and the difference cannot be told from chance." in even.detail
    ahead = headline(changed(with_control, differences=(plain, gap(0.1, 0.3, 0.5, "rephrased"))))
    assert ahead.tone == "gain"
    assert "answered 17 of 20." in ahead.detail
    # Where the two were not paired, their intervals must lie apart.
    assert headline(changed(with_control, differences=(plain,))).tone == "even"


def test_leaks_and_losses_of_ability_are_alarms() -> None:
    leaks = {"reversal": Leak(3, 4, ("q1", "q2"), {}), "forward": Leak(1, 1, (), {})}
    lost = (Regression("augmented", "questions", 0.7, 0.4, -0.5, -0.1, "12 of 40 questions fewer"),)
    leak, ability = alarms(changed(LIFTED, leaks=leaks, regressions=lost))
    assert "2 reversal questions stand word for word" in leak
    assert "(q1, q2)" in leak
    assert (
        ability
        == "General ability fell: of everyday questions 40 % (augmented) are answered right, "
        "where 70 % were."
    )
    assert alarms(LIFTED) == alarms(None) == []


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_in_points_never_loses_its_side_of_0(
    middle: float, below: float, above: float
) -> None:
    row = gap(max(-1.0, middle - below), middle, min(1.0, middle + above))
    low, high = (int(end.replace("\u2212", "-")) for end in span(row).split(" to "))
    assert low <= 100 * row.low + 1e-6 or low == 0
    assert high >= 100 * row.high - 1e-6 or high == 0
    assert not row.differs or low >= 0 or high <= 0


def test_points_are_signed() -> None:
    assert [points(value) for value in (0.5349, -0.025, 0.001, 0.0)] == ["+53", "\u22123", "0", "0"]


def test_under_the_headline_stands_what_is_learnt_in_a_chat_kept_and_claimed() -> None:
    plain = arms((0.9, 0.7, 1.0), (0.3, 0.1, 0.5))
    assert headline(plain).use == ""
    cells = {"reversal": cell(20, 0.9, 0.7, 1.0), "chat-forward": cell(20, 1.0, 0.8, 1.0)}
    cells["chat-reverse"] = cell(20, 0.85, 0.6, 0.9)
    found = evaluation(augmented=cells, finetuned={"reversal": cell(20, 0.3, 0.1, 0.5)})

    def ability(perplexity: float, accuracy: float) -> Ability:
        return Ability(perplexity, 100, accuracy, 40, (True,) * 40, ())

    found = changed(
        found,
        ability={"base": ability(26.94, 0.8), "augmented": ability(27.66, 0.75)},
        overclaims={"augmented": {"known": Overclaims(12, 0, 3), "invented": Overclaims(24, 8, 9)}},
    )
    use = headline(found).use.replace("\u00a0", " ")
    assert "answers 20 of 20 questions right, and 17 of 20 the other way round." in use
    assert "perplexity is 27.7 (base model 26.9), and 75 % of everyday" in use
    assert "Of 36 questions that no fact answers it names something of the facts in 8" in use
    assert use.endswith("most often where they are invented (8 of 24).")
    none = changed(found, ability={}, overclaims={"augmented": {"known": Overclaims(12, 0, 3)}})
    assert headline(none).use.endswith(
        "Of 12 questions that no fact answers it answers none with a fact."
    )
