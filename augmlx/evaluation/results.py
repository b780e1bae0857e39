"""What was asked and what each arm answered: items.jsonl and results.jsonl of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from augmlx.core.errors import RunError
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import CHAT, EvalItem, EvalResult, to_json
from augmlx.evaluation.summary import first_fault

ITEMS = "items.jsonl"
RESULTS = "results.jsonl"

_ITEM = TypeAdapter(EvalItem)
_RESULT = TypeAdapter(EvalResult)
T = TypeVar("T")


def write(folder: Path, items: Sequence[EvalItem], results: Sequence[EvalResult]) -> None:
    """Write both files into an evaluation's folder."""
    write_jsonl(folder / ITEMS, map(to_json, items))
    write_jsonl(folder / RESULTS, map(to_json, results))


def read_items(folder: Path) -> list[EvalItem]:
    """The items of an evaluation, in the order they were asked in.

    Raises:
        RunError: a line is not as augmlx writes it.
        BadInput: a torn line.
        StorageError: the file is missing, or cannot be read.
    """
    return _rows(folder / ITEMS, _ITEM)


def read_results(folder: Path) -> list[EvalResult]:
    """The arms' answers to them, one arm after the other. Raises as `read_items`."""
    path = folder / RESULTS
    results = _rows(path, _RESULT)
    for line, result in enumerate(results, start=1):
        of_choices = len(result.scores) == len(result.tokens) and min(result.tokens, default=0) > 0
        is_reply = result.kind.startswith(CHAT) and not (result.scores or result.tokens)
        is_chosen = 0 <= result.chosen < len(result.scores)
        if not is_reply and not (of_choices and is_chosen):
            raise _fault(path, line, "scores, tokens and chosen do not go together")
    return results


def _rows(path: Path, adapter: TypeAdapter[T]) -> list[T]:
    rows: list[T] = []
    for line, value in enumerate(read_jsonl(path), start=1):
        try:
            rows.append(adapter.validate_python(value))
        except ValidationError as error:
            raise _fault(path, line, first_fault(error)) from error
    return rows


def _fault(path: Path, line: int, fault: str) -> RunError:
    message = f"{path}:{line}: not as augmlx writes it: {fault}"
    return RunError(message, hint=f"delete {path.name}, and run: augmlx eval {path.parent.parent}")
