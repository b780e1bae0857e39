"""What an evaluation came to: eval/summary.json of a run, and summary.json of a study.

Both files are written and read here and nowhere else. The fields stand in the order of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from augmlx.core.errors import RunError, storage_errors
from augmlx.core.files import write_json
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder

FILE = "summary.json"

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Change = Annotated[float, Field(ge=-1, le=1)]  # of a share
What = Literal["perplexity", "questions"]
T = TypeVar("T")


class _Part:
    """Of a summary: a key that is missing or unknown is an error, and so is NaN."""

    __slots__ = ()
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Cell(_Part):
    """One arm on the questions of one kind.

    Args:
        n: questions.
        accuracy: the share that is answered right, by the rule of `eval.score`.
        low, high: its 95 % Wilson interval.
        by_sum: the accuracy by the choices' summed log-probability.
        by_token: the accuracy by their log-probability per token.
        exact: the share of greedy answers that are the expected one.
        f1: the mean token F1 of the greedy answers.
        runs_on: the share of replies in a chat that go on behind the right answer.
    """

    n: Count
    accuracy: Share
    low: Share
    high: Share
    by_sum: Share
    by_token: Share
    exact: Share
    f1: Share
    runs_on: Share

    @property
    def right(self) -> int:
        """Questions that are answered right."""
        return round(self.accuracy * self.n)


@dataclass(frozen=True, slots=True)
class SeededCell(Cell):
    """A cell over all seeds; `seeds` has each seed's accuracy, None where it asked nothing."""

    seeds: tuple[Share | None, ...]


@dataclass(frozen=True, slots=True)
class Difference(_Part):
    """Two arms on the same questions of one kind: accuracy(arm) - accuracy(against).

    Args:
        n: questions that both answered.
        low, high: the 95 % bootstrap interval of the difference.
        p: of McNemar's exact test.
        only_arm, only_against: questions that only the one, or only the other, got right.
        differs: whether the interval excludes 0.
    """

    kind: str
    arm: str
    against: str
    n: Count
    difference: Change
    low: Change
    high: Change
    p: Share
    only_arm: Count
    only_against: Count
    differs: bool


@dataclass(frozen=True, slots=True)
class LeakShares(_Part):
    """An arm's accuracy on items by whether their conclusion was generated; None: no such item."""

    generated: Share | None
    not_generated: Share | None


@dataclass(frozen=True, slots=True)
class Leak(_Part):
    """Of one kind, how many items' conclusions some augmentation states, and how many none does.

    Args:
        verbatim: ids of the items that stand word for word in an augmentation.
        accuracy: of each arm, on either sort of item.
    """

    generated: Count
    not_generated: Count
    verbatim: tuple[str, ...]
    accuracy: Mapping[str, LeakShares]


@dataclass(frozen=True, slots=True)
class Ability(_Part):
    """How good an arm is at what has nothing to do with the facts.

    Args:
        perplexity: of the shipped text: exp(-nats / tokens) over all chunks.
        tokens: of that text.
        accuracy: the share of the `n` everyday questions that is answered right.
        correct: of each question, whether it is answered right.
        chunks: of the text: (log-probability in nats, tokens).
    """

    perplexity: float
    tokens: Count
    accuracy: Share
    n: Count
    correct: tuple[bool, ...]
    chunks: tuple[tuple[float, Count], ...]


@dataclass(frozen=True, slots=True)
class PooledAbility(_Part):
    """The same over seeds: the geometric mean of the perplexities, the mean accuracy."""

    perplexity: float
    accuracy: Share
    n: Count
    tokens: Count


@dataclass(frozen=True, slots=True)
class Overclaims(_Part):
    """Of one kind of question that no fact answers: how many there are, how many replies name
    something of the facts, and how many differ from the base model's.
    """

    n: Count
    named: Count
    changed: Count


@dataclass(frozen=True, slots=True)
class Regression(_Part):
    """A loss of general ability.

    Args:
        before: the perplexity, or the share of right answers, of the base model.
        after: of the arm.
        low, high: the 95 % interval of after / before for a perplexity, of after - before for
            questions.
        text: the same in a sentence.
    """

    arm: str
    what: What
    before: float
    after: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class TrainingSize(_Part):
    """What an arm was trained on: examples, optimizer steps, tokens."""

    examples: Count
    steps: Count
    tokens: Count


@dataclass(frozen=True, slots=True)
class Precision(_Part):
    """Of the kept augmentations of a study, how many can be judged, and how many are true."""

    kept: Count
    judged: Count
    right: Count

    def __post_init__(self) -> None:
        if not self.right <= self.judged <= self.kept:
            raise ValueError("more are right than judged, or more judged than kept")


class AnySummary(_Part):
    """What the summary of a run and of a study share."""

    __slots__ = ()
    model: str
    score: Literal["sum", "token"]  # the rule that the accuracy is by
    items: int
    arms: Mapping[str, Mapping[str, Cell]]  # arm -> kind
    differences: tuple[Difference, ...]
    leaks: Mapping[str, Leak]  # by kind
    ability: Mapping[str, Ability | PooledAbility]  # by arm
    overclaims: Mapping[str, Mapping[str, Overclaims]]  # by arm and kind
    regressions: tuple[Regression, ...]
    notes: tuple[str, ...]  # what a reader of the numbers must know

    @property
    def kinds(self) -> list[str]:
        """The kinds of question, in the order that the arms have them in."""
        return list(dict.fromkeys(kind for cells in self.arms.values() for kind in cells))

    def cell(self, arm: str, kind: str) -> Cell | None:
        """One arm on one kind; None where it was not asked."""
        return self.arms.get(arm, {}).get(kind)

    def difference(self, kind: str, arm: str, against: str) -> Difference | None:
        """Two arms on one kind; None where they were not compared."""
        pair = (kind, arm, against)
        rows = (row for row in self.differences if (row.kind, row.arm, row.against) == pair)
        return next(rows, None)


@dataclass(frozen=True, slots=True)
class Summary(AnySummary):
    """eval/summary.json of a run.

    Args:
        derived: whether the questions were derived from the facts, and not brought by the user.
        trained: of each arm that was trained, on how much.
    """

    arms: Mapping[str, Mapping[str, Cell]]
    differences: tuple[Difference, ...]
    leaks: Mapping[str, Leak]
    ability: Mapping[str, Ability]
    overclaims: Mapping[str, Mapping[str, Overclaims]]
    regressions: tuple[Regression, ...]
    items: Count
    notes: tuple[str, ...]
    score: Literal["sum", "token"]
    derived: bool
    model: str
    trained: Mapping[str, TrainingSize]


@dataclass(frozen=True, slots=True)
class StudySummary(AnySummary):
    """summary.json of a study: all seeds together.

    Args:
        world: its name.
        about: what is trained on and what is asked, in a sentence.
        size: 1.0 is as large as in the paper.
        facts: of all seeds.
    """

    world: str
    about: str
    size: float
    seeds: tuple[int, ...]
    model: str
    score: Literal["sum", "token"]
    items: Count
    facts: Count
    arms: Mapping[str, Mapping[str, SeededCell]]
    differences: tuple[Difference, ...]
    leaks: Mapping[str, Leak]
    ability: Mapping[str, PooledAbility]
    overclaims: Mapping[str, Mapping[str, Overclaims]]
    regressions: tuple[Regression, ...]
    precision: Precision
    notes: tuple[str, ...]


_SUMMARY = TypeAdapter(Summary)
_STUDY_SUMMARY = TypeAdapter(StudySummary)
_ABILITY = TypeAdapter(Ability)


def to_json(summary: Summary | StudySummary | Ability) -> Json:
    """A summary, or a part of one, as a JSON object; None stays as null."""
    return asdict(summary)


def ability_from_json(value: Json) -> Ability:
    """The ability that `to_json` made an object of."""
    return _ABILITY.validate_python(value)


def write(folder: Path, summary: Summary | StudySummary) -> None:
    """Write summary.json into a run's eval folder, or into a study's folder."""
    write_json(folder / FILE, to_json(summary))


def read(run: RunFolder) -> Summary:
    """eval/summary.json of a run.

    Raises:
        RunError: there is none, or it is not as augmlx writes it.
        StorageError: it cannot be read.
    """
    command = f"augmlx eval {run.path}"
    path = run.eval / FILE
    if not path.exists():
        raise RunError(f"{run.eval}: no summary", hint=f"run: {command}")
    return _read(path, _SUMMARY, command)


def read_study(folder: Path) -> StudySummary:
    """summary.json of a study's folder. Raises as `read`."""
    command = f"augmlx study WORLD -o {folder}"
    path = folder / FILE
    if not path.exists():
        raise RunError(
            f"{folder}: the study has no results yet",
            hint=f"go on with: {command}, with the same settings",
        )
    return _read(path, _STUDY_SUMMARY, command)


def _read(path: Path, adapter: TypeAdapter[T], command: str) -> T:
    with storage_errors(path):
        content = path.read_bytes()
    try:
        return adapter.validate_json(content, strict=True)
    except ValidationError as error:
        fault = f"{path}: not as augmlx writes it: {first_fault(error)}"
        raise RunError(fault, hint=f"delete it, and run: {command}") from error


def first_fault(error: ValidationError) -> str:
    """The place in the file and what is wrong there, as `arms.base.forward.n: Field required`."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
