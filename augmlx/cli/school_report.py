"""The school report of a model, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augmlx.augment.calibration.report import Report


def lines_of(report: Report) -> Iterator[str]:
    """How the model is best asked, its marks, and what was tried."""
    yield f"asked by: {_way(report.chosen)}"
    yield f"\n{'on ' + str(report.facts) + ' facts':<14}{'kept':>5}{'right':>7}{'facts':>7}"
    for name, tally in report.marks.items():
        verdict = f"  off: {report.off[name]}" if name in report.off else ""
        yield f"{name:<14}{tally.kept:>5}{tally.right:>7}{tally.covered:>7}{verdict}"
    for note in report.notes:
        yield f"note: {note}"
    yield "\ntried:"
    for tried in report.tried:
        outcome = tried.fault or f"{tried.right} of {tried.kept} kept texts right"
        yield f"  {_way(tried.way)}: {outcome}"
    yield "\nwhat it says of texts, on labelled ones (0.5 is chance):"
    for name, (tells, right, wrong) in report.heard.items():
        passing = f"passes {right:.0%} of right and {wrong:.0%} of wrong texts"
        yield f"  {name:<13}{tells:>5.2f}  {passing if name in report.chosen else 'not heard'}"


def _way(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
