"""An evaluation as the pages show it, read from summary.json of a run's eval folder or of a study.

Every key that a later version added may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augmlx.core.arms import in_table_order
from augmlx.core.records import Json
from augmlx.report.reading import json_of, rows_of, shape, share, share_or_none

_KINDS = ("forward", "reversal", "syllogism", "rephrase")


def in_order(kinds: Iterable[str]) -> list[str]:
    """forward first, then the other kinds we know, then the user's own."""
    found = set(kinds)
    return [kind for kind in _KINDS if kind in found] + sorted(found - set(_KINDS))


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm on one kind of question: accuracy with its 95 % interval; then what only newer
    summaries hold.
    """

    n: int
    accuracy: float
    low: float
    high: float
    exact: float | None = None  # share of exact greedy answers
    f1: float | None = None  # of the greedy answers' tokens
    by_sum: float | None = None  # accuracy under either rule of scoring
    by_token: float | None = None
    seeds: tuple[float, ...] = ()  # accuracy of each seed of a study

    @property
    def right(self) -> int:
        return round(self.accuracy * self.n)


@dataclass(frozen=True, slots=True)
class Difference:
    """accuracy(arm) - accuracy(against) on the same items, its 95 % interval, and whether that
    excludes 0.
    """

    kind: str
    arm: str
    against: str
    n: int
    difference: float
    low: float
    high: float
    differs: bool
    p: float | None = None  # exact McNemar
    only_arm: int | None = None  # items that only this arm answered right
    only_against: int | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """Of one kind: items whose conclusion stood among the augmentations, and not; accuracy of the
    arms on either.
    """

    generated: int
    not_generated: int
    verbatim: tuple[str, ...]
    accuracy: Mapping[str, tuple[float | None, float | None]]  # arm -> (generated, not generated)


@dataclass(frozen=True, slots=True)
class Ability:
    """General ability of one arm: perplexity of the shipped text, share of the shipped questions
    right.
    """

    perplexity: float | None
    accuracy: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Regression:
    """A loss of general ability that is called one."""

    arm: str
    what: str
    before: float
    after: float
    text: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """summary.json, and what items.jsonl and results.jsonl add: the questions, chance, and who
    answered which.
    """

    arms: Mapping[str, Mapping[str, Cell]]  # arm -> kind -> cell
    derived: bool
    notes: tuple[str, ...]
    model: str
    score: str
    chance: Mapping[str, float]  # kind -> mean of 1 / number of choices
    correct: Mapping[str, Mapping[str, Mapping[str, bool]]]  # kind -> arm -> item -> answered right
    differences: tuple[Difference, ...] = ()
    leaks: Mapping[str, Leak] = field(default_factory=dict)
    ability: Mapping[str, Ability] = field(default_factory=dict)
    regressions: tuple[Regression, ...] = ()
    precision: tuple[int, int] | None = None  # (kept, of them right), where truth is known
    items: Mapping[str, Json] = field(default_factory=dict)  # by id
    results: list[Json] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return in_order({kind for cells in self.arms.values() for kind in cells})

    def contrast(self, kind: str, arm: str, against: str) -> Difference | None:
        """The paired difference of two arms on a kind, where the evaluation measured it."""
        same = (d for d in self.differences if (d.kind, d.arm, d.against) == (kind, arm, against))
        return next(same, None)


def read_evaluation(folder: Path, remedy: str) -> Evaluation | None:
    """summary.json of a folder with the files beside it; None where there is none.

    Raises:
        RunError: a file holds something else than augmlx writes; `remedy` is the command that
            writes it anew.
    """
    path, results, items = (
        folder / name for name in ("summary.json", "results.jsonl", "items.jsonl")
    )
    if not path.exists():
        return None
    with shape(path, remedy):
        parsed = _parsed(json_of(path))
    with shape(results, remedy):
        answered = [_result(row) for row in rows_of(results)]
        parsed |= {"results": answered, "chance": _chance(answered), "correct": _correct(answered)}
    with shape(items, remedy):
        parsed |= {"items": {str(row["id"]): row for row in rows_of(items)}}
    return Evaluation(**parsed)


def _parsed(value: Json) -> dict[str, Any]:
    arms = {
        str(arm): {str(kind): _cell(cell) for kind, cell in cells.items()}
        for arm, cells in value["arms"].items()
    }
    return {
        "arms": in_table_order(arms),
        "derived": bool(value.get("derived")),
        "notes": tuple(str(note) for note in value.get("notes", ())),
        "model": str(value.get("model", "")),
        "score": str(value.get("score", "")),
        "differences": tuple(_difference(row) for row in value.get("differences", ())),
        "leaks": {str(kind): _leak(leak) for kind, leak in value.get("leaks", {}).items()},
        "ability": in_table_order(
            {str(arm): _ability(row) for arm, row in (value.get("ability") or {}).items()}
        ),
        "regressions": tuple(_regression(row) for row in value.get("regressions", ())),
        "precision": precision_of(value.get("precision")),
    }


def precision_of(value: Any) -> tuple[int, int] | None:
    """(kept, of them right) of those that could be judged; None where there are none, or truth is
    not known. Raises ValueError.
    """
    if value is None:
        return None
    kept, right = int(value.get("judged", value["kept"])), int(value["right"])
    if not 0 <= right <= kept:
        raise ValueError(value)
    return (kept, right) if kept else None


def _cell(value: Json) -> Cell:
    accuracy, low, high = (share(value[key]) for key in ("accuracy", "low", "high"))
    more = {key: share_or_none(value.get(key)) for key in ("exact", "f1", "by_sum", "by_token")}
    return Cell(
        int(value["n"]),
        accuracy,
        low,
        high,
        **more,
        seeds=tuple(share(a) for a in value.get("seeds", ()) if a is not None),
    )


def _difference(value: Json) -> Difference:
    difference, low, high = (float(value[key]) for key in ("difference", "low", "high"))
    if not all(-1 <= number <= 1 for number in (difference, low, high)):
        raise ValueError(value)
    only = {
        key: None if value.get(key) is None else int(value[key])
        for key in ("only_arm", "only_against")
    }
    return Difference(
        kind=str(value["kind"]),
        arm=str(value["arm"]),
        against=str(value["against"]),
        n=int(value["n"]),
        difference=difference,
        low=low,
        high=high,
        differs=bool(value["differs"]),
        p=share_or_none(value.get("p")),
        **only,
    )


def _leak(value: Json) -> Leak:
    accuracy = {
        str(arm): (
            share_or_none(shares.get("generated")),
            share_or_none(shares.get("not_generated")),
        )
        for arm, shares in value.get("accuracy", {}).items()
    }
    verbatim = tuple(str(item) for item in value.get("verbatim", ()))
    return Leak(
        int(value["generated"]), int(value["not_generated"]), verbatim, in_table_order(accuracy)
    )


def _ability(value: Json) -> Ability:
    perplexity = value.get("perplexity")
    accuracy = share_or_none(value.get("accuracy"))
    # A model that lost all sense can have an infinite one, which says nothing in a table.
    number = math.inf if perplexity is None else float(perplexity)
    return Ability(number if math.isfinite(number) else None, accuracy, int(value.get("n", 0)))


def _regression(value: Json) -> Regression:
    arm, what, text = (str(value[key]) for key in ("arm", "what", "text"))
    return Regression(arm, what, float(value["before"]), float(value["after"]), text)


def _result(row: Json) -> Json:
    scores, tokens = (
        [float(score) for score in row["scores"]],
        [int(count) for count in row.get("tokens", ())],
    )
    return {**row, "scores": scores, "tokens": tokens}


def _chance(answered: list[Json]) -> dict[str, float]:
    shares: dict[str, list[float]] = {}
    for row in answered:
        shares.setdefault(str(row["kind"]), []).append(1 / len(row["scores"]))
    return {kind: sum(values) / len(values) for kind, values in shares.items()}


def _correct(answered: list[Json]) -> dict[str, dict[str, dict[str, bool]]]:
    answers: dict[str, dict[str, dict[str, bool]]] = {}
    for row in answered:
        of_kind = answers.setdefault(str(row["kind"]), {})
        of_kind.setdefault(str(row["arm"]), {})[str(row["item_id"])] = bool(row["correct"])
    return answers
