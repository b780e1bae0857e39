"""A controlled study: a world that no model has seen, all arms over several seeds, one summary.

Each seed is a run folder of its own, with another world of the same kind; running the study again
goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from augmlx.core.arms import BY_DEFAULT, ORACLE, REPHRASED
from augmlx.core.errors import RunError
from augmlx.core.files import make_folder, write_json
from augmlx.core.progress import Progress
from augmlx.core.records import Json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.evaluation import summary, worlds
from augmlx.evaluation.pooling import SeedResult, pooled
from augmlx.evaluation.results import read_items, read_results
from augmlx.evaluation.summary import StudySummary
from augmlx.evaluation.worlds.world import World
from augmlx.models import loading
from augmlx.models.store import folder as store
from augmlx.run import control_arms
from augmlx.run.pipeline import Pipeline

# Twice the default: names that mean nothing have to be learnt, too, and the arms differ by what is
# learnt.
EPOCHS = 20
ARMS = (*BY_DEFAULT, ORACLE.name)


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
        open_run: Callable[[RunFolder, Settings], Pipeline] | None = None,
    ) -> None:
        self._folder = folder
        self._world = world
        self._settings = settings
        self._progress = progress
        self._size = size
        self._seeds = range(settings.seed, settings.seed + seeds)
        self._open = open_run or (lambda run, chosen: Pipeline(run, chosen, progress))

    def run(self) -> StudySummary:
        """Do everything of every seed that is not done yet; returns what summary.json then holds.

        Raises:
            RunError: the folder holds another study, or something else.
        """
        make_folder(self._folder)
        self._claim()
        results: list[SeedResult] = []
        for seed in self._seeds:
            self._progress.say(f"{self._world}, seed {seed}")
            results.append(self._one(seed))
        whole = pooled(self._world, self._size, self._settings, results)
        summary.write(self._folder, whole)
        return whole

    def _claim(self) -> None:
        """Take the folder for this study. Results of other settings are taken away: they would look
        like this one's.
        """
        folder = RunFolder(self._folder)
        path = folder / "study.json"
        ours = self._description()
        pages = (folder / summary.FILE, folder.report)
        if path.exists():
            stands = _read_claim(path)
            if stands["world"] != self._world:
                fault = f"{self._folder}: holds a study of the world {stands['world']}"
                raise RunError(fault, hint="choose another folder")
            if stands != ours:
                for page in pages:
                    page.unlink(missing_ok=True)
        else:
            # Of a run, or of the user's own.
            foreign = [folder.manifest_file, folder.facts, *pages]
            names = [file.name for file in foreign if file.exists()]
            if names:
                fault = f"{self._folder}: is no study, and holds {', '.join(names)}"
                raise RunError(fault, hint="choose another -o, such as a folder inside it")
        write_json(path, ours)

    def _description(self) -> Json:
        """What study.json says."""
        first = self._settings.seed
        world = worlds.WORLDS[self._world](self._size, first)
        return {
            "world": self._world,
            "size": self._size,
            "seeds": list(self._seeds),
            "settings": self._chosen(world, first).model_dump(mode="json"),
        }

    def _one(self, seed: int) -> SeedResult:
        """Run one seed from its world's facts to its report."""
        count = loading.token_counter(store.find(self._settings.model))
        world = worlds.WORLDS[self._world](self._size, seed, count)
        run = RunFolder(self._folder / f"seed-{seed}")
        run.create()
        notes = []
        with run.lock():
            pipeline = self._open(run, self._chosen(world, seed))
            _bring(world, pipeline)
            pipeline.augment()
            pipeline.train()
            if REPHRASED.name in pipeline.settings.eval.arms and not _has_rephrasings(run):
                pipeline.settings = _without_rephrased(pipeline.settings)
                notes.append(f"no rephrasing was kept, so there is no arm {REPHRASED.name}")
            of_seed = pipeline.evaluate()
            pipeline.report()
            return SeedResult(
                seed=seed,
                world=world,
                items=read_items(run.eval),
                results=read_results(run.eval),
                verdicts=[world.right(example.text) for example in control_arms.trained_on(run)],
                summary=of_seed,
                notes=notes,
            )

    def _chosen(self, world: World, seed: int) -> Settings:
        """The operators of the world, the epochs and the arms of a study, where the user has said
        nothing else.
        """
        values = self._settings.model_dump(exclude_unset=True)
        values.setdefault("augment", {}).setdefault("operators", world.operators)
        values.setdefault("train", {}).setdefault("epochs", EPOCHS)
        values.setdefault("eval", {}).setdefault("arms", ARMS)
        return Settings.model_validate({**values, "seed": seed})


def _read_claim(path: Path) -> Json:
    try:
        stands = json.loads(path.read_text("utf-8"))
        if {"world", "size", "seeds", "settings"} <= stands.keys():
            return dict(stands)
    except (ValueError, AttributeError):
        pass
    raise RunError(
        f"{path}: not a study of augmlx", hint="choose another folder, or take the file away"
    )


def _bring(world: World, pipeline: Pipeline) -> None:
    """Write a world's files into the run folder, and take them as a user's."""
    run = pipeline.run
    worlds.write(world, run.path)
    pipeline.take_facts(world.facts)
    pipeline.take_questions(run / "questions.csv")
    pipeline.take_oracle(run / "oracle.csv")


def _has_rephrasings(run: RunFolder) -> bool:
    return bool(control_arms.trained_on(run, control_arms.REPHRASE))


def _without_rephrased(settings: Settings) -> Settings:
    """No rephrasing was kept, so that the control would be plain fine-tuning once more."""
    arms = tuple(arm for arm in settings.eval.arms if arm != REPHRASED.name)
    return settings.model_copy(update={"eval": settings.eval.model_copy(update={"arms": arms})})
