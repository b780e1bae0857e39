"""A controlled study: a world that no model has seen, all arms over several seeds, one summary.

Each seed is a run folder of its own, with another world of the same kind; running the study again
goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path
from statistics import fmean

from augmlx.core import arms
from augmlx.core.arms import BY_DEFAULT, ORACLE, REPHRASED
from augmlx.core.errors import RunError
from augmlx.core.files import make_folder, read_jsonl, write_json
from augmlx.core.progress import Progress
from augmlx.core.records import EvalItem, EvalResult, Json, item_from_json, result_from_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.evaluation import ability, answer, differences, leaks, worlds
from augmlx.evaluation.worlds import World
from augmlx.models import loading
from augmlx.models.store import folder as store
from augmlx.run import control_arms
from augmlx.run.pipeline import Pipeline

# twice the default: names that mean nothing have to be learnt, too, and the arms differ by what is
# learnt
EPOCHS = 20
_SUMMARY = "summary.json"
_FOREIGN = (
    "manifest.json",
    "facts.jsonl",
    _SUMMARY,
    "report.html",
)  # of a run, or of the user's own
ARMS = (*BY_DEFAULT, ORACLE.name)


@dataclass(frozen=True, slots=True)
class Finished:
    """What one seed came to. `kept` says of each augmentation trained on whether it is true, None
    where that cannot be told; `summary` is that of its evaluation; `notes` are what a reader must
    know besides.
    """

    seed: int
    world: World
    items: Sequence[EvalItem]
    results: Sequence[EvalResult]
    kept: Sequence[bool | None]
    summary: Json
    notes: Sequence[str] = ()


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
        self._folder, self._name, self._settings, self._progress = folder, world, settings, progress
        self._size = size
        self._seeds = range(settings.seed, settings.seed + seeds)
        self._open = open_run or (lambda run, chosen: Pipeline(run, chosen, progress))

    def run(self) -> Json:
        """Everything of every seed that is not done yet; returns the summary, which stands in
        summary.json.

        Raises RunError where the folder holds another study, or something else.
        """
        make_folder(self._folder)
        self._claim()
        finished = []
        for seed in self._seeds:
            self._progress.say(f"{self._name}, seed {seed}")
            finished.append(self._one(seed))
        summary = summarised(self._name, self._size, self._settings, finished)
        write_json(self._folder / _SUMMARY, summary)
        return summary

    def _claim(self) -> None:
        """Take the folder for this study. Results of other settings are taken away: they would look
        like this one's.
        """
        path = self._folder / "study.json"
        world = worlds.WORLDS[self._name](self._size, self._settings.seed)
        settings = self._chosen(world, self._settings.seed).model_dump(mode="json")
        ours = {
            "world": self._name,
            "size": self._size,
            "seeds": list(self._seeds),
            "settings": settings,
        }
        if path.exists():
            stands = _read_claim(path)
            if stands["world"] != self._name:
                fault = f"{self._folder}: holds a study of the world {stands['world']}"
                raise RunError(fault, hint="choose another folder")
            if stands != ours:
                for name in (_SUMMARY, "report.html"):
                    (self._folder / name).unlink(missing_ok=True)
        elif found := [name for name in _FOREIGN if (self._folder / name).exists()]:
            fault = f"{self._folder}: is no study, and holds {', '.join(found)}"
            raise RunError(fault, hint="choose another -o, such as a folder inside it")
        write_json(path, ours)

    def _one(self, seed: int) -> Finished:
        world = worlds.WORLDS[self._name](
            self._size, seed, loading.token_counter(store.find(self._settings.model))
        )
        run = RunFolder(self._folder / f"seed-{seed}")
        run.create()
        notes = []
        with run.lock():
            worlds.write(world, run.path)
            pipeline = self._open(run, self._chosen(world, seed))
            pipeline.take_facts(world.facts)
            pipeline.take_questions(run / "questions.csv")
            pipeline.take_oracle(run / "oracle.csv")
            pipeline.augment()
            pipeline.train()
            if REPHRASED.name in pipeline.settings.eval.arms and not control_arms.trained_on(
                run, control_arms.REPHRASE
            ):
                pipeline.settings = _without_rephrased(pipeline.settings)
                notes.append(f"no rephrasing was kept, so there is no arm {REPHRASED.name}")
            summary = pipeline.evaluate()
            pipeline.report()
            kept = [world.right(example.text) for example in control_arms.trained_on(run)]
            results = [result_from_json(row) for row in read_jsonl(run.eval / "results.jsonl")]
            items = [item_from_json(row) for row in read_jsonl(run.eval / "items.jsonl")]
        return Finished(seed, world, items, results, kept, summary, notes)

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


def _without_rephrased(settings: Settings) -> Settings:
    """No rephrasing was kept, so that the control would be plain fine-tuning once more."""
    arms = tuple(arm for arm in settings.eval.arms if arm != REPHRASED.name)
    return settings.model_copy(update={"eval": settings.eval.model_copy(update={"arms": arms})})


def summarised(name: str, size: float, settings: Settings, seeds: Sequence[Finished]) -> Json:
    """The summary of a study: every figure over all seeds together, and the accuracy of each seed.

    Facts are what the bootstrap draws anew, over all seeds: two seeds share none.
    """
    items, results, cluster_of = [], [], {}
    for done in seeds:
        for item in done.items:
            cluster_of[f"{done.seed}/{item.id}"] = f"{done.seed}/{item.fact_ids[0]}"
        items += [replace(item, id=f"{done.seed}/{item.id}") for item in done.items]
        results += [
            replace(result, item_id=f"{done.seed}/{result.item_id}") for result in done.results
        ]
    table = answer.summarise(results, items)
    for arm, kinds in table.items():
        for kind, cell in kinds.items():
            cell["seeds"] = [_accuracy(done.results, arm, kind) for done in seeds]
    told = [right for done in seeds for right in done.kept if right is not None]
    lost = [
        {**row, "text": f"seed {done.seed}: {row['text']}"}
        for done in seeds
        for row in done.summary["regressions"]
    ]
    return {
        "world": name,
        "about": seeds[0].world.about,
        "size": size,
        "seeds": [done.seed for done in seeds],
        "model": settings.model,
        "score": settings.eval.score,
        "items": len(items),
        "facts": sum(len(done.world.facts) for done in seeds),
        "arms": table,
        "differences": differences.differences(
            results,
            items,
            arms.pairs_among(list(table)),
            seed=seeds[0].seed,
            cluster_of=cluster_of,
        ),
        "leaks": leaks.pooled({done.seed: done.summary["leaks"] for done in seeds}),
        "ability": _ability([done.summary["ability"] for done in seeds]),
        "regressions": lost,
        "precision": {
            "kept": sum(len(done.kept) for done in seeds),
            "judged": len(told),
            "right": sum(told),
        },
        "notes": [
            *_notes(seeds),
            *ability.told((r["arm"], r["what"], r["before"], r["after"]) for r in lost),
        ],
    }


def _notes(seeds: Sequence[Finished]) -> list[str]:
    """What a seed has to tell, but of lost ability, which is told of all seeds together."""
    return [
        f"seed {done.seed}: {note}"
        for done in seeds
        for note in (*done.notes, *done.summary["notes"])
        if not note.startswith(ability.FELL)
    ]


def _ability(seeds: Sequence[Json]) -> Json:
    """The general ability of the arms, over the seeds: the geometric mean of the perplexities, the
    mean of the rest.
    """
    found: Json = {}
    for arm in dict.fromkeys(arm for seed in seeds for arm in seed):
        cells = [seed[arm] for seed in seeds if arm in seed]
        perplexity = exp(fmean(log(cell["perplexity"]) for cell in cells))
        accuracy, n = fmean(cell["accuracy"] for cell in cells), cells[0]["n"]
        found[arm] = {
            "perplexity": perplexity,
            "accuracy": accuracy,
            "n": n,
            "tokens": cells[0]["tokens"],
        }
    return found


def _accuracy(results: Sequence[EvalResult], arm: str, kind: str) -> float | None:
    found = [result.correct for result in results if (result.arm, result.kind) == (arm, kind)]
    return fmean(found) if found else None
