"""Everything the report shows, read from the files of a run folder. A file that is not there yet is left out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from augmlx import settings
from augmlx.errors import AugmlxError, RunError, storage_errors
from augmlx.files import read_jsonl
from augmlx.records import Json
from augmlx.rundir import RunDir
from augmlx.settings import Settings

# In the order in which a reader compares them.
ARMS = ("base", "icl", "finetuned", "augmented")
_KINDS = ("forward", "reversal", "syllogism", "rephrase")


def _in_order(kinds: Iterable[str]) -> list[str]:
    found = set(kinds)
    return [kind for kind in _KINDS if kind in found] + sorted(found - set(_KINDS))


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm on one kind of question: accuracy with its 95 % interval, and the share of exact greedy answers."""

    n: int
    accuracy: float
    low: float
    high: float
    exact: float | None = None

    @property
    def right(self) -> int:
        return round(self.accuracy * self.n)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """eval/summary.json, and what eval/results.jsonl adds: chance, and who answered which question."""

    arms: Mapping[str, Mapping[str, Cell]]  # arm -> kind -> cell
    derived: bool
    notes: tuple[str, ...]
    model: str
    score: str
    chance: Mapping[str, float]  # kind -> mean of 1 / number of choices
    correct: Mapping[str, Mapping[str, Mapping[str, bool]]]  # kind -> arm -> item -> answered right
    verbatim: Mapping[str, int] = field(default_factory=dict)  # kind -> items that stand so in a training text

    @property
    def kinds(self) -> list[str]:
        """forward first, then the other kinds we know, then the user's own."""
        return _in_order({kind for cells in self.arms.values() for kind in cells})


@dataclass(frozen=True, slots=True)
class Gathered:
    """A run, as far as it got. None or empty: that stage has not run."""

    name: str
    manifest: Mapping[str, Json]
    settings: Settings | None
    facts: Mapping[str, Json]  # by id
    kept: list[Json]
    rejected: list[Json]
    loss: Mapping[str, list[tuple[float, float]]] = field(default_factory=dict)  # arm -> (step, nats per token)
    # Of the augmented arm's validations: (step, nats per token), and kind -> (step, share of right answers).
    valid_loss: list[tuple[float, float]] = field(default_factory=list)
    valid_accuracy: Mapping[str, list[tuple[float, float]]] = field(default_factory=dict)
    speed: float | None = None  # tokens a second, the median of the augmented arm's steps
    evaluation: Evaluation | None = None


def gather(run: RunDir) -> Gathered:
    """Read a run folder.

    Raises:
        RunError: there is no such folder, or a file of it holds something else than augmlx writes.
        BadInput, BadSettings, StorageError: a torn line, an unusable augmlx.toml, a file that cannot be read.
    """
    run.require()
    metrics = {"augmented": run / "metrics.jsonl", "finetuned": run.baseline / "metrics.jsonl"}
    rows = {arm: _rows(path) for arm, path in metrics.items()}
    return Gathered(
        name=run.path.resolve().name,
        manifest=run.manifest(),
        settings=settings.load(run.settings) if run.settings.exists() else None,
        facts={str(row.get("id")): row for row in _rows(run.facts)},
        kept=_texts(run.augmented),
        rejected=_texts(run.rejected),
        loss={arm: points for arm, path in metrics.items() if (points := _loss(rows[arm], path))},
        valid_loss=_loss(
            [row for row in rows["augmented"] if row.get("valid_loss") is not None], metrics["augmented"], "valid_loss"
        ),
        valid_accuracy=_valid_accuracy(rows["augmented"], metrics["augmented"]),
        speed=_speed(rows["augmented"], metrics["augmented"]),
        evaluation=_evaluation(run),
    )


def _rows(path: Path) -> list[Json]:
    return list(read_jsonl(path)) if path.exists() else []


@contextmanager
def _shape(path: Path, remedy: str) -> Iterator[None]:
    """Any surprise in a file of ours means that it was changed by hand, or written by another version."""
    try:
        yield
    except AugmlxError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
        raise RunError(f"{path}: not as augmlx writes it", hint=f"run again: {remedy}") from error


def _loss(rows: list[Json], path: Path, key: str = "loss") -> list[tuple[float, float]]:
    with _shape(path, "augmlx train RUN"):
        points = [(float(row["step"]), float(row[key])) for row in rows]
    return [(step, loss) for step, loss in points if math.isfinite(step) and math.isfinite(loss)]


def _valid_accuracy(rows: list[Json], path: Path) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    with _shape(path, "augmlx train RUN"):
        for row in rows:
            for kind, share in (row.get("valid_accuracy") or {}).items():
                if not 0 <= float(share) <= 1:
                    raise ValueError(share)
                lines.setdefault(str(kind), []).append((float(row["step"]), float(share)))
    return {kind: lines[kind] for kind in _in_order(lines)}


def _speed(rows: list[Json], path: Path) -> float | None:
    with _shape(path, "augmlx train RUN"):
        values = sorted(float(row["tokens_per_second"]) for row in rows if row.get("tokens_per_second"))
    return values[len(values) // 2] if values else None


def _texts(path: Path) -> list[Json]:
    """Produced texts with their origin."""
    rows = _rows(path)
    with _shape(path, "augmlx augment FACTS -o RUN"):
        for row in rows:
            if not isinstance(row["origin"]["fact_ids"], list):
                raise TypeError(row["origin"])
    return rows


def _evaluation(run: RunDir) -> Evaluation | None:
    path, results = run.eval / "summary.json", run.eval / "results.jsonl"
    if not path.exists():
        return None
    with _shape(path, "augmlx eval RUN"):
        with storage_errors(path):
            value = json.loads(path.read_text("utf-8"))
        arms = {
            str(arm): {str(kind): _cell(cell) for kind, cell in cells.items()} for arm, cells in value["arms"].items()
        }
        verbatim = {str(kind): int(count) for kind, count in value.get("verbatim", {}).items()}
    ordered = [arm for arm in ARMS if arm in arms] + sorted(set(arms) - set(ARMS))
    with _shape(results, "augmlx eval RUN"):
        rows = _rows(results)
        return Evaluation(
            arms={arm: arms[arm] for arm in ordered},
            derived=bool(value.get("derived")),
            notes=tuple(str(note) for note in value.get("notes", ())),
            model=str(value.get("model", "")),
            score=str(value.get("score", "")),
            chance=_chance(rows),
            correct=_correct(rows),
            verbatim=verbatim,
        )


def _cell(value: Json) -> Cell:
    exact = value.get("exact")
    accuracy, low, high = (float(value[key]) for key in ("accuracy", "low", "high"))
    if not all(0 <= share <= 1 for share in (accuracy, low, high)):
        raise ValueError(value)
    return Cell(int(value["n"]), accuracy, low, high, None if exact is None else float(exact))


def _chance(rows: list[Json]) -> dict[str, float]:
    shares: dict[str, list[float]] = {}
    for row in rows:
        shares.setdefault(str(row["kind"]), []).append(1 / len(row["scores"]))
    return {kind: sum(values) / len(values) for kind, values in shares.items()}


def _correct(rows: list[Json]) -> dict[str, dict[str, dict[str, bool]]]:
    answers: dict[str, dict[str, dict[str, bool]]] = {}
    for row in rows:
        of_kind = answers.setdefault(str(row["kind"]), {})
        of_kind.setdefault(str(row["arm"]), {})[str(row["item_id"])] = bool(row["correct"])
    return answers
