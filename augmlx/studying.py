"""A controlled study: a world that no model has seen, all arms over several seeds, one summary.

Each seed is a run folder of its own, with another world of the same kind; running the study again goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from augmlx import controls, study
from augmlx.errors import RunError
from augmlx.evaluation import arms, differences
from augmlx.files import make_folder, read_jsonl, write_json
from augmlx.models import loading, store
from augmlx.pipeline import Pipeline
from augmlx.progress import Progress
from augmlx.records import EvalItem, EvalResult, Json, item_from_json, result_from_json
from augmlx.rundir import RunDir
from augmlx.settings import Settings
from augmlx.study import World

ARMS = ("base", "icl", "finetuned", "augmented", "oracle")


@dataclass(frozen=True, slots=True)
class Finished:
    """What one seed came to. `kept` says of each augmentation trained on whether it is true; None where that cannot be
    told."""

    seed: int
    world: World
    items: Sequence[EvalItem]
    results: Sequence[EvalResult]
    kept: Sequence[bool | None]
    without_rephrased: bool = False  # asked for, and nothing to train it on


class Study:
    """The study of one world under one folder; the folder's lock is held by the caller."""

    def __init__(
        self,
        folder: Path,
        world: str,
        settings: Settings,
        progress: Progress,
        *,
        size: float,
        seeds: int,
        open_run: Callable[[RunDir, Settings], Pipeline] | None = None,
    ) -> None:
        self._folder, self._name, self._settings, self._progress = folder, world, settings, progress
        self._size = size
        self._seeds = range(settings.seed, settings.seed + seeds)
        self._open = open_run or (lambda run, chosen: Pipeline(run, chosen, progress))

    def run(self) -> Json:
        """Everything of every seed that is not done yet; returns the summary, which stands in summary.json.

        Raises RunError where the folder holds a study of another world.
        """
        make_folder(self._folder)
        self._claim()
        finished = []
        for seed in self._seeds:
            self._progress.say(f"{self._name}, seed {seed}")
            finished.append(self._one(seed))
        summary = summarised(self._name, self._size, self._settings.model, finished)
        write_json(self._folder / "summary.json", summary)
        return summary

    def _claim(self) -> None:
        path = self._folder / "study.json"
        if path.exists():
            stands = json.loads(path.read_text("utf-8"))
            if stands.get("world") != self._name:
                fault = f"{self._folder}: holds a study of the world {stands.get('world')}"
                raise RunError(fault, hint="choose another folder")
        settings = self._settings.model_dump(mode="json")
        write_json(path, {"world": self._name, "size": self._size, "seeds": list(self._seeds), "settings": settings})

    def _one(self, seed: int) -> Finished:
        world = study.WORLDS[self._name](self._size, seed, loading.token_counter(store.find(self._settings.model)))
        run = RunDir(self._folder / f"seed-{seed}")
        run.create()
        study.write(world, run.path)
        with run.lock():
            pipeline = self._open(run, self._chosen(world, seed))
            pipeline.take_facts(world.facts)
            pipeline.take_questions(run / "questions.csv")
            pipeline.take_oracle(run / "oracle.csv")
            pipeline.augment()
            pipeline.train()
            wanted = pipeline.settings.eval.arms
            lacking = "rephrased" in wanted and not controls.trained_on(run, controls.REPHRASE)
            if lacking:
                pipeline.settings = _without_rephrased(pipeline.settings)
            pipeline.evaluate()
            pipeline.report()
            kept = [world.right(example.text) for example in controls.trained_on(run)]
            results = [result_from_json(row) for row in read_jsonl(run.eval / "results.jsonl")]
            items = [item_from_json(row) for row in read_jsonl(run.eval / "items.jsonl")]
        return Finished(seed, world, items, results, kept, lacking)

    def _chosen(self, world: World, seed: int) -> Settings:
        """The operators of the world and the arms of a study, where the user has said nothing else."""
        values = self._settings.model_dump(exclude_unset=True)
        values.setdefault("augment", {}).setdefault("operators", world.operators)
        values.setdefault("eval", {}).setdefault("arms", ARMS)
        return Settings.model_validate({**values, "seed": seed})


def _without_rephrased(settings: Settings) -> Settings:
    """No rephrasing was kept, so that the control would be plain fine-tuning once more."""
    arms = tuple(arm for arm in settings.eval.arms if arm != "rephrased")
    return settings.model_copy(update={"eval": settings.eval.model_copy(update={"arms": arms})})


def summarised(name: str, size: float, model: str, seeds: Sequence[Finished]) -> Json:
    """The summary of a study: every figure over all seeds together, and the accuracy of each seed.

    Facts are what the bootstrap draws anew, over all seeds: two seeds share none.
    """
    items, results, cluster_of = [], [], {}
    for done in seeds:
        for item in done.items:
            cluster_of[f"{done.seed}/{item.id}"] = f"{done.seed}/{done.world.rests_on[item.id][0]}"
        items += [replace(item, id=f"{done.seed}/{item.id}") for item in done.items]
        results += [replace(result, item_id=f"{done.seed}/{result.item_id}") for result in done.results]
    table = arms.summarise(results, items)
    for arm, kinds in table.items():
        for kind, cell in kinds.items():
            cell["seeds"] = [_accuracy(done.results, arm, kind) for done in seeds]
    told = [right for done in seeds for right in done.kept if right is not None]
    missing = [done.seed for done in seeds if done.without_rephrased]
    notes = [f"seed {seed}: no rephrasing was kept, so there is no arm rephrased" for seed in missing]
    return {
        "world": name,
        "about": seeds[0].world.about,
        "size": size,
        "seeds": [done.seed for done in seeds],
        "model": model,
        "facts": sum(len(done.world.facts) for done in seeds),
        "arms": table,
        "differences": differences.differences(
            results, items, differences.pairs_of(list(table)), seed=seeds[0].seed, cluster_of=cluster_of
        ),
        "precision": {"kept": sum(len(done.kept) for done in seeds), "judged": len(told), "right": sum(told)},
        "notes": notes,
    }


def _accuracy(results: Sequence[EvalResult], arm: str, kind: str) -> float | None:
    found = [result.correct for result in results if (result.arm, result.kind) == (arm, kind)]
    return fmean(found) if found else None
