"""An evaluation as the pages show it: its summary, with the questions and answers behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from augmlx.core.arms import in_table_order
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.run_folder import RunFolder
from augmlx.evaluation import results, summary
from augmlx.evaluation.summary import AnySummary, Cell, Difference, SeededCell

FORWARD, REVERSAL = "forward", "reversal"
KINDS = (FORWARD, REVERSAL, "syllogism", "rephrase")


def in_order(kinds: Iterable[str]) -> list[str]:
    """forward first, then the other kinds we know, then the user's own."""
    names = set(kinds)
    known = [kind for kind in KINDS if kind in names]
    return [*known, *sorted(names.difference(KINDS))]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A summary, and the questions (by id) and answers behind it, where these are at hand."""

    summary: AnySummary
    items: Mapping[str, EvalItem] = field(default_factory=dict)
    results: Sequence[EvalResult] = ()

    @property
    def arms(self) -> Mapping[str, Mapping[str, Cell]]:
        """arm -> kind -> cell, the arms in the order of the table.

        Arms of the user's own come last.
        """
        return in_table_order(self.summary.arms)

    @property
    def kinds(self) -> list[str]:
        """The kinds of question, those that we know first."""
        return in_order(self.summary.kinds)

    def chance(self) -> dict[str, float]:
        """kind -> the share of right answers that guessing would have."""
        shares: dict[str, list[float]] = defaultdict(list)
        for result in self.results:
            if not result.scores:  # in a chat nothing is chosen from
                continue
            share = 1 / len(result.scores)
            shares[result.kind].append(share)
        return {kind: sum(values) / len(values) for kind, values in shares.items()}

    def correct(self) -> dict[str, dict[str, dict[str, bool]]]:
        """kind -> arm -> item id -> whether it was answered right."""
        answers: dict[str, dict[str, dict[str, bool]]] = {}
        for result in self.results:
            by_arm = answers.setdefault(result.kind, {})
            by_item = by_arm.setdefault(result.arm, {})
            by_item[result.item_id] = result.correct
        return answers

    def cell(self, arm: str, kind: str) -> Cell | None:
        """One arm on one kind; None where it was not asked."""
        return self.summary.cell(arm, kind)

    def difference(self, kind: str, arm: str, against: str) -> Difference | None:
        """Two arms on one kind; None where they were not compared."""
        return self.summary.difference(kind, arm, against)


def seed_accuracies(cell: Cell) -> list[float]:
    """The accuracy of each seed that asked anything; none where there were no seeds."""
    if not isinstance(cell, SeededCell):
        return []
    return [accuracy for accuracy in cell.seeds if accuracy is not None]


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
