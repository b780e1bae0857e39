"""What the commands print about an evaluation."""

from __future__ import annotations

from dataclasses import replace

from augmlx.cli.summaries import arms_table, difference_lines
from augmlx.evaluation.summary import Cell, Difference, Summary


def row(
    arm: str,
    against: str,
    difference: float,
    low: float,
    high: float,
    only: tuple[int, int] = (3, 1),
) -> Difference:
    return Difference(
        kind="reversal",
        arm=arm,
        against=against,
        n=20,
        difference=difference,
        low=low,
        high=high,
        p=0.5,
        only_arm=only[0],
        only_against=only[1],
        differs=low > 0 or high < 0,
    )


def test_a_difference_is_called_one_only_where_its_interval_excludes_0() -> None:
    rows = [
        row("augmented", "finetuned", 0.6, 0.4, 0.8),
        row("augmented", "icl", 0.1, -0.1, 0.3),
        row("augmented", "rephrased", 0.0, 0.0, 0.0, (0, 0)),
        row("oracle", "augmented", 0.1, 0.05, 0.2),
    ]
    assert difference_lines(rows) == [
        "reversal: augmented against finetuned +0.60 [+0.40, +0.80]",
        "reversal: augmented against icl +0.10 [-0.10, +0.30]; may be chance",
        "reversal: augmented against rephrased +0.00 [+0.00, +0.00]; the same answers are right",
    ]


def test_without_both_arms_there_is_nothing_to_tell() -> None:
    assert difference_lines([]) == []


def test_a_chat_has_no_column_of_exact_replies_for_its_accuracy_is_that() -> None:
    cell = Cell(4, 0.5, 0.2, 0.8, 0.5, 0.5, 0.25, 0.3, 0.0)
    chat = replace(cell, exact=0.5)
    summary = Summary(
        arms={"base": {"forward": cell, "chat-forward": chat}},
        differences=(),
        leaks={},
        ability={},
        overclaims={},
        regressions=(),
        items=8,
        notes=(),
        score="token",
        derived=False,
        model="m",
        trained={},
    )
    heading, _, row = arms_table(summary).splitlines()
    assert heading.split() == "arm forward (n=4) chat-forward (n=4) forward exact".split()
    assert row.split() == "base 0.50 [0.20, 0.80] 0.50 [0.20, 0.80] 0.25".split()
