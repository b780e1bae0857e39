"""What a terminal shows of a summary: the arms side by side, their differences, the notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.records import CHAT
from augmlx.evaluation.statistics import percent

if TYPE_CHECKING:
    from augmlx.evaluation.summary import AnySummary, Cell, Difference

# The base model is told of in the table alone.
_TOLD_AGAINST = tuple(name for name in AUGMENTED.against if name != BASE.name)


def echo_summary(summary: AnySummary) -> None:
    """The arms and their differences on stdout, what a reader must know on stderr."""
    click.echo(arms_table(summary))
    if lines := difference_lines(summary.differences):
        click.echo("\n" + "\n".join(lines))
    for note in summary.notes:
        click.echo(note, err=True)


def arms_table(summary: AnySummary) -> str:
    """The arms side by side: accuracy with its 95 % interval, and exact match, per kind; in a chat
    they are the same. Plain text.
    """
    kinds = summary.kinds
    generated = [kind for kind in kinds if not kind.startswith(CHAT)]
    counts = [f"{kind} (n={_questions(summary, kind)})" for kind in kinds]
    rows = [["arm", *counts, *(f"{kind} exact" for kind in generated)]]
    for arm, cells in summary.arms.items():
        accuracies = [_accuracy(cells[kind]) for kind in kinds]
        rows.append([arm, *accuracies, *(_share(cells[kind].exact) for kind in generated)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()


def _questions(summary: AnySummary, kind: str) -> int:
    return next(cells[kind].n for cells in summary.arms.values() if kind in cells)


def _accuracy(cell: Cell) -> str:
    return f"{_share(cell.accuracy)} [{_share(cell.low)}, {_share(cell.high)}]"


def _share(share: float) -> str:
    return f"{percent(share) / 100:.2f}"


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """What augmentation bought over plain fine-tuning, the context and the control: a line for each
    kind and arm. It is called a difference only where its 95 % interval excludes 0. Plain text.
    """
    lines: list[str] = []
    for row in differences:
        if row.arm == AUGMENTED.name and row.against in _TOLD_AGAINST:
            figures = f"{row.difference:+.2f} [{row.low:+.2f}, {row.high:+.2f}]"
            against = f"{row.kind}: {AUGMENTED.name} against {row.against}"
            lines.append(f"{against} {figures}{_verdict(row)}")
    return lines


def _verdict(row: Difference) -> str:
    if row.n and not row.only_arm and not row.only_against:
        return "; the same answers are right"
    return "" if row.differs else "; may be chance"
