"""Studies on a tiny model with a scripted writer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny.line import Recorder, contents

from augmlx.core.errors import RunError
from augmlx.core.records import EvalItem, EvalResult
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.core.settings_file import load
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.evaluation import worlds as study
from augmlx.evaluation.pooling import SeedResult, pooled
from augmlx.evaluation.summary import (
    Ability,
    Leak,
    Overclaims,
    Precision,
    Regression,
    Summary,
    read_study,
)
from augmlx.models.loading import token_counter
from augmlx.models.store.folder import StoredModel
from augmlx.run.pipeline import Pipeline
from augmlx.run.study import Study

SIZE = 0.05
LOST = Regression("augmented", "questions", 0.5, 0.25, -0.4, -0.1, "worse")


class Writer:
    """Turns every comparison of the worlds of some seeds round; knows the world as a good model
    would know English.
    """

    def __init__(self, base: StoredModel) -> None:
        worlds = [study.WORLDS["reversals"](SIZE, seed, token_counter(base)) for seed in (0, 1)]
        self._turned = {
            world.facts[number].text: consequence.text
            for world in worlds
            for consequence in world.oracle
            for number in [int(consequence.fact_ids[0][1:]) - 1]
        }
        self.left = -1  # answers until it is interrupted

    def __call__(self, request: Request) -> str:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        fact = request.suffix.partition("Fact: ")[2].partition("\n")[0]
        turned = self._turned.get(fact, "")
        return (
            turned.removeprefix(request.opening)
            if "Other way round" in request.suffix
            else " is so."
        )


def opened(
    folder: Path,
    base: StoredModel,
    writer: Callable[[Request], str],
    name: str = "reversals",
    **changes: object,
) -> Study:
    settings = load(
        None,
        {
            "model": str(base.path),
            "train.rank": 2,
            "train.epochs": 1,
            "augment.samples": 2,
            **changes,
        },
    )
    progress = Recorder()

    def open_run(run: RunFolder, chosen: Settings) -> Pipeline:
        return Pipeline(run, chosen, progress, make_engine=lambda _: ScriptedEngine(writer))

    return Study(folder, name, settings, progress, size=SIZE, seeds=2, open_run=open_run)


def test_every_seed_is_a_run_that_can_be_read_and_the_summary_holds_all(
    tmp_path: Path, base: StoredModel
) -> None:
    summary = opened(tmp_path / "s", base, Writer(base)).run()
    assert read_study(tmp_path / "s") == summary
    assert list(summary.arms) == ["base", "icl", "finetuned", "augmented", "oracle"]
    for seed in (0, 1):
        names = {path.name for path in (tmp_path / f"s/seed-{seed}").iterdir()}
        assert {
            "facts.csv",
            "questions.csv",
            "oracle.csv",
            "manifest.json",
            "report.html",
            "adapter",
        } <= names
    cell = summary.arms["augmented"]["reversal"]
    assert cell.n == 2 * 5
    assert cell.accuracy == pytest.approx(sum(cell.seeds) / 2)
    assert summary.facts == 10
    assert summary.precision.kept == summary.precision.right == summary.precision.judged == 10


def test_an_interrupted_study_goes_on_to_the_same_result(tmp_path: Path, base: StoredModel) -> None:
    whole = opened(tmp_path / "whole", base, Writer(base)).run()
    writer = Writer(base)
    for left in (3, 12, 30, 70):  # in the augmenting and in the asking, of either seed
        writer.left = left
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path / "cut", base, writer).run()
    writer.left = -1
    assert opened(tmp_path / "cut", base, writer).run() == whole
    aside = ("manifest.json", "metrics.jsonl", "report.html", "journal.sqlite", ".lock")
    assert contents(tmp_path / "cut", without=aside) == contents(tmp_path / "whole", without=aside)


def test_a_finished_study_does_nothing_twice(tmp_path: Path, base: StoredModel) -> None:
    writer = Writer(base)
    first = opened(tmp_path / "s", base, writer).run()
    writer.left = 0  # whatever is asked interrupts
    assert opened(tmp_path / "s", base, writer).run() == first


def test_a_study_of_another_world_is_refused(tmp_path: Path, base: StoredModel) -> None:
    writer = Writer(base)
    opened(tmp_path / "s", base, writer).run()
    with pytest.raises(RunError, match="a study of the world reversals"):
        opened(tmp_path / "s", base, writer, "celebrities").run()


def test_a_control_that_nothing_sets_apart_is_left_out_and_named(
    tmp_path: Path, base: StoredModel
) -> None:
    arms = ["finetuned", "rephrased", "augmented"]
    summary = opened(tmp_path / "s", base, Writer(base), **{"eval.arms": arms}).run()
    assert list(summary.arms) == ["finetuned", "augmented"]
    lacking = [note for note in summary.notes if "no arm rephrased" in note]
    assert [note.partition(":")[0] for note in lacking] == ["seed 0", "seed 1"]
    plain = opened(tmp_path / "t", base, Writer(base), **{"eval.arms": ["augmented"]}).run()
    assert not any("rephrased" in note for note in plain.notes)


def finished(seed: int, right: dict[str, list[bool]]) -> SeedResult:
    """A seed whose arms got these items right."""
    world = study.WORLDS["reversals"](SIZE, seed)
    asked = [question for question in world.questions if question.kind == "reversal"]
    names = [question.id for question in asked]
    items = [
        EvalItem(q.id, "reversal", "They are", "so", ("so", "not so"), (), q.facts) for q in asked
    ]
    results = [
        EvalResult(name, arm, "reversal", (-1.0, -2.0), (1, 1), 0 if told else 1, told, "", False)
        for arm, found in right.items()
        for name, told in zip(names, found, strict=True)
    ]
    summary = Summary(
        arms={},
        differences=(),
        leaks={"reversal": Leak(4, 1, ("q0002",), {})},
        ability={"base": Ability(10.0 ** (seed + 1), 9, 0.5, 80, (), ())},
        overclaims={"augmented": {"invented": Overclaims(4, seed, 2)}},
        regressions=(LOST,),
        items=5,
        notes=("read",),
        score="token",
        derived=False,
        model="tiny",
        trained={},
    )
    return SeedResult(seed, world, items, results, [True, None, False], summary)


def test_a_difference_is_pooled_over_seeds_and_facts_of_two_seeds_are_two() -> None:
    ours, theirs = [True] * 5, [False] * 4 + [True]
    seeds = [finished(seed, {"finetuned": theirs, "augmented": ours}) for seed in range(3)]
    summary = pooled("reversals", SIZE, Settings(model="tiny"), seeds)
    (row,) = [row for row in summary.differences if row.against == "finetuned"]
    assert (row.n, row.only_arm, row.only_against) == (15, 12, 0)
    assert row.difference == pytest.approx(0.8)
    assert row.differs
    assert 0.5 < row.low < 0.8 < row.high <= 1
    assert summary.precision == Precision(kept=9, judged=6, right=3)
    assert summary.arms["augmented"]["reversal"].seeds == (1.0, 1.0, 1.0)
    assert summary.leaks["reversal"].verbatim == ("0/q0002", "1/q0002", "2/q0002")
    assert summary.leaks["reversal"].generated == 12
    assert summary.ability["base"].perplexity == pytest.approx(100.0)
    assert [row.text for row in summary.regressions] == [
        "seed 0: worse",
        "seed 1: worse",
        "seed 2: worse",
    ]
    fell = (
        "General ability fell: of everyday questions 25 % (augmented) are answered right, "
        "where 50 % were."
    )
    assert summary.notes == ("seed 0: read", "seed 1: read", "seed 2: read", fell)


def test_results_of_other_settings_do_not_outlive_them(tmp_path: Path, base: StoredModel) -> None:
    writer = Writer(base)
    opened(tmp_path / "s", base, writer).run()
    writer.left = 0
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path / "s", base, writer, **{"augment.temperature": 0.5}).run()
    assert not (tmp_path / "s/summary.json").exists()
    told = json.loads((tmp_path / "s/study.json").read_text())["settings"]
    assert told["augment"]["temperature"] == 0.5
    assert told["eval"]["arms"] == ["base", "icl", "finetuned", "augmented", "oracle"]


@pytest.mark.parametrize("name", ["summary.json", "facts.jsonl", "manifest.json", "report.html"])
def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, base: StoredModel, name: str
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(RunError, match=f"is no study, and holds {name}"):
        opened(tmp_path, base, Writer(base)).run()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("text", ["not json", "[1]", '{"world": "reversals"}'])
def test_a_study_file_of_something_else_is_left_alone(
    tmp_path: Path, base: StoredModel, text: str
) -> None:
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(RunError, match="not a study of augmlx"):
        opened(tmp_path, base, Writer(base)).run()
    assert (tmp_path / "study.json").read_text() == text
