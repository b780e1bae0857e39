"""A run on the tiny model with a scripted writer: what the tests of the line, of its arms and of
studies start from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augmlx.core.progress import Task
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings_file import load
from augmlx.data.facts import read_facts
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.models.store.folder import StoredModel
from augmlx.run.pipeline import Pipeline

FACTS = [
    ("Ada Brandt", "owns the", "Bor mill", "is owned by"),
    ("Cy Dahl", "founded the", "Elm shop", "was founded by"),
    ("Fay Gold", "painted the", "Hill gate", "was painted by"),
    ("Ivo Jung", "manages the", "Kite fleet", "is managed by"),
    ("Lea Moor", "designed the", "North tower", "was designed by"),
    ("Ola Pine", "is the head of the", "Quay desk", ""),
]
# A plain training of a moment; anchors and all that go with them are tried where they are meant.
QUICK = {
    "augment.operators": ["reversal", "rephrase"],
    "train.epochs": 2,
    "train.rank": 2,
    "train.anchor": 0,
    "train.unknown": 0,
}
TEXTS = [f"{first} {verb} {last}." for first, verb, last, _ in FACTS]


def write(request: Request) -> str:
    """A writer that turns every fact round rightly on even samples and swaps it on odd ones."""
    fact = request.suffix.partition("Fact: ")[2].partition("\n")[0]
    if not fact:
        return " someone."  # a question of the evaluation
    first, verb, _, back = FACTS[TEXTS.index(fact)]
    if "In other words" in request.suffix:
        return f" has {verb.split()[0]} something else entirely."
    if not back:
        return f" {first}."  # behind "The head of the Quay desk is"
    # Behind "The Bor mill is owned by".
    return f" {first}." if int(request.seed[-1]) % 2 == 0 else " someone."


class Recorder:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tasks: list[tuple[str, int, int]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Task]:
        self.tasks.append((label, total, done))
        yield self

    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None:
        self.said.append(note)


class Setup:
    """A run on the tiny model; `open` makes a fresh pipeline over the same folder, as a new command
    would.
    """

    def __init__(self, folder: Path, base: StoredModel, facts: Path) -> None:
        self.run, self.base, self.facts = RunFolder(folder / "run"), base, facts
        self.run.create()
        self.writer = write
        self.engines: list[ScriptedEngine] = []
        self.progress = Recorder()

    def open(self, **changes: object) -> Pipeline:
        settings = load(None, {"model": str(self.base.path), **QUICK, **changes})
        self.progress = Recorder()
        pipeline = Pipeline(self.run, settings, self.progress, make_engine=self._engine)
        pipeline.take_facts(read_facts(self.facts).facts)
        return pipeline

    def _engine(self, _adapter: Path | None) -> ScriptedEngine:
        self.engines.append(ScriptedEngine(self.writer))
        return self.engines[-1]

    @property
    def generated(self) -> int:
        return sum(engine.generated for engine in self.engines)


def everything(pipeline: Pipeline) -> None:
    pipeline.augment()
    pipeline.train()
    pipeline.evaluate()
    pipeline.export(hf_base="someone/tiny")
    pipeline.report()


def contents(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }
