"""An evaluation as the pages show it: its summary, with the questions and answers behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from augmlx.core.arms import in_table_order
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.run_folder import RunFolder
from augmlx.evaluation import results, summary
from augmlx.evaluation.summary import AnySummary, Cell

_KINDS = ("forward", "reversal", "syllogism", "rephrase")


def in_order(kinds: Iterable[str]) -> list[str]:
    """forward first, then the other kinds we know, then the user's own."""
    names = set(kinds)
    return [kind for kind in _KINDS if kind in names] + sorted(names - set(_KINDS))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A summary, and the questions (by id) and answers behind it, where these are at hand."""

    summary: AnySummary
    items: Mapping[str, EvalItem] = field(default_factory=dict)
    results: Sequence[EvalResult] = ()

    @property
    def arms(self) -> Mapping[str, Mapping[str, Cell]]:
        """arm -> kind -> cell, the arms in the order of the table."""
        return in_table_order(self.summary.arms)

    @property
    def kinds(self) -> list[str]:
        return in_order(self.summary.kinds)

    def chance(self) -> dict[str, float]:
        """kind -> the share of right answers that guessing would have."""
        shares: dict[str, list[float]] = {}
        for row in self.results:
            shares.setdefault(row.kind, []).append(1 / len(row.scores))
        return {kind: sum(values) / len(values) for kind, values in shares.items()}

    def correct(self) -> dict[str, dict[str, dict[str, bool]]]:
        """kind -> arm -> item id -> whether it was answered right."""
        answers: dict[str, dict[str, dict[str, bool]]] = {}
        for row in self.results:
            of_kind = answers.setdefault(row.kind, {})
            of_kind.setdefault(row.arm, {})[row.item_id] = row.correct
        return answers


def read_evaluation(run: RunFolder) -> Evaluation | None:
    """The evaluation of a run; None where it has none. Questions or answers may be missing.

    Raises:
        RunError: a file of it is not as augmlx writes it.
        BadInput: a torn line.
        StorageError: a file cannot be read.
    """
    if not (run.eval / summary.FILE).exists():
        return None
    items: list[EvalItem] = []
    if (run.eval / results.ITEMS).exists():
        items = results.read_items(run.eval)
    answers: list[EvalResult] = []
    if (run.eval / results.RESULTS).exists():
        answers = results.read_results(run.eval)
    return Evaluation(summary.read(run), {item.id: item for item in items}, answers)
