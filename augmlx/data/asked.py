"""The questions that the statements of a run answer, from which its rows get other wordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from augmlx.core.example_id import ORIGINAL
from augmlx.core.records import Example
from augmlx.data.wordings import is_english

# The operator of a statement -> that of the questions that it answers: what a fact says of its
# subject, and its reversal of its other end.
_ASKED_BY: Mapping[str, str] = {ORIGINAL: "qa-forward", "reversal": "qa-reverse"}

Pair = tuple[str, str]  # a question and its answer


class Asked:
    """The first kept question of each fact and operator.

    Args:
        examples: the kept ones.
    """

    def __init__(self, examples: Iterable[Example] = ()) -> None:
        self._pairs: dict[tuple[str, ...], Pair] = {}
        self._english: set[tuple[str, ...]] = set()
        for example in examples:
            row, origin = example.row or {}, example.origin
            if origin.operator in _ASKED_BY.values() and "prompt" in row:
                pair = str(row["prompt"]), str(row["completion"])
                self._pairs.setdefault((origin.operator, *origin.fact_ids), pair)
                if is_english(pair[0]):
                    self._english.add(origin.fact_ids)

    def of(self, statement: Example) -> Pair | None:
        """The question that a fact or its reversal answers, with the answer; None where none was
        kept.
        """
        operator = _ASKED_BY.get(statement.origin.operator)
        return self._pairs.get((operator, *statement.origin.fact_ids)) if operator else None

    def is_in_english(self, statement: Example) -> bool:
        """Whether it is a fact or its reversal of which an English question was kept."""
        is_one = statement.origin.operator in _ASKED_BY
        return is_one and statement.origin.fact_ids in self._english
