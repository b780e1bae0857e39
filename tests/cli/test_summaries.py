"""What the commands print about an evaluation."""

from __future__ import annotations

from augmlx.cli.summaries import difference_lines
from augmlx.evaluation.summary import Difference


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
