"""All arms on the same items, written to eval/. An arm that an interrupted comparison finished is
not asked again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from augmlx.core import arms
from augmlx.core.arms import BASE
from augmlx.core.errors import RunError
from augmlx.core.files import read_jsonl, write_json, write_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import (
    EvalItem,
    EvalResult,
    Example,
    Fact,
    Json,
    fingerprint,
    result_from_json,
    to_json,
)
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.engines.protocol import Engine
from augmlx.evaluation import ability, differences, leaks
from augmlx.evaluation import answer as answer_module
from augmlx.evaluation.items import link

FILES = ("summary.json", "results.jsonl", "items.jsonl")  # of eval/
_CODE = 4  # raised when an arm answers otherwise than before


def mark(settings: Settings) -> Json:
    """What else than items, engines and settings decides what is told: the code, and what general
    ability is.
    """
    return {"code": _CODE, "ability": ability.mark() if settings.eval.ability else ""}


def compare(
    run: RunFolder,
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    settings: Settings,
    *,
    arms_of: Sequence[str],
    engine_of: Callable[[str], Engine],
    mark_of: Callable[[str], str],
    progress: Progress,
    about: Json,
    notes: Sequence[str],
    trained: Sequence[Example],
) -> Json:
    """Write items.jsonl, results.jsonl and summary.json; returns the counts for the manifest.

    Args:
        arms_of: the arms, in the order that they are shown in.
        engine_of: the engine of an arm; called for arms that have to be asked.
        mark_of: the fingerprint of that engine, without loading it.
        about: goes into the summary as it is.
        notes: what a reader of the numbers must know.
        trained: the augmentations that the augmented arm was trained on: what of the items'
            conclusions they state, and what the arm icl-augmented is shown.
    """
    asking = _Asking(run, items, facts, trained, settings, progress)
    results: list[EvalResult] = []
    told, general = list(notes), {}
    for arm in arms_of:
        head, rows = asking.finished(arm, mark_of(arm)) or asking.ask(
            arm, engine_of(arm), mark_of(arm)
        )
        results += rows
        if note := head.get("note"):
            told.append(note)
        if "ability" in head:
            general[arm] = head["ability"]
    accounts = leaks.account(items, facts, trained, results)
    lost = [
        row
        for arm, after in general.items()
        if arm != BASE.name and BASE.name in general
        for row in ability.regressions(general[BASE.name], after, arm, seed=settings.seed)
    ]
    if general and BASE.name not in general:
        told.append(
            f"The arm {BASE.name} was not asked, so nothing tells whether general ability was lost."
        )
    named = link(items, facts)
    summary = {
        "arms": answer_module.summarise(results, items),
        "differences": differences.differences(
            results,
            items,
            arms.pairs_among(arms_of),
            seed=settings.seed,
            cluster_of={item.id: facts[named[item.id]].id for item in items},
        ),
        "leaks": accounts,
        "ability": general,
        "regressions": lost,
        "items": len(items),
        "notes": [
            *told,
            *leaks.told(accounts),
            *ability.told((row["arm"], row["what"], row["before"], row["after"]) for row in lost),
            *([ability.REMEDY] if lost and not settings.split.replay else []),
        ],
        "score": settings.eval.score,
        **about,
    }
    write_jsonl(run.eval / "items.jsonl", map(to_json, items))
    write_jsonl(run.eval / "results.jsonl", map(to_json, results))
    write_json(run.eval / "summary.json", summary)
    return {"items": len(items), "arms": len(arms_of)}


class _Asking:
    """The arms' answers on disk, one file each."""

    def __init__(
        self,
        run: RunFolder,
        items: Sequence[EvalItem],
        facts: Sequence[Fact],
        trained: Sequence[Example],
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._run, self._items, self._facts, self._settings, self._progress = (
            run,
            items,
            facts,
            settings,
            progress,
        )
        self._beside: dict[str, list[str]] = {}  # fact id -> the augmentations that begin with it
        for example in trained:
            self._beside.setdefault(example.origin.fact_ids[0], []).append(example.text)
        # What an arm's answers depend on: not which other arms are asked.
        config = settings.eval.model_dump(mode="json", exclude={"arms", "adapters"})
        self._shared = [
            mark(settings),
            [to_json(item) for item in items],
            [fact.text for fact in facts],
            config,
        ]

    def _mark(self, arm: str, engine_mark: str) -> str:
        return fingerprint([self._shared, self._beside_in(arm) or [], engine_mark])

    def _beside_in(self, arm: str) -> dict[str, list[str]] | None:
        """What stands in an arm's prompt behind the facts."""
        return self._beside if arms.shown_to(arm) == "facts and augmentations" else None

    def _path(self, arm: str) -> Path:
        return self._run.eval / "arms" / f"{arm}.jsonl"

    def finished(self, arm: str, engine_mark: str) -> tuple[Json, list[EvalResult]] | None:
        """What stands on disk of an arm, if it is of these items, facts, settings and engine."""
        if not self._path(arm).exists():
            return None
        head, *rows = read_jsonl(self._path(arm))
        if head.get("fingerprint") != self._mark(arm, engine_mark):
            return None
        return head, [result_from_json(row) for row in rows]

    def ask(self, arm: str, engine: Engine, engine_mark: str) -> tuple[Json, list[EvalResult]]:
        config = self._settings.eval
        shown: dict[str, str] = {}
        head: Json = {"fingerprint": self._mark(arm, engine_mark)}
        if arms.shown_to(arm) != "nothing":
            beside = self._beside_in(arm)
            shown, left_out = answer_module.contexts(
                self._items, self._facts, engine, config.max_tokens, beside
            )
            if note := answer_module.context_note(arm, shown, left_out):
                head["note"] = note
        rows = answer_module.answer(arm, self._items, engine, config, self._progress, shown)
        if config.ability and arms.shown_to(arm) == "nothing" and engine.can_score:
            head["ability"] = ability.measure(engine, self._progress)
        write_jsonl(self._path(arm), [head, *map(to_json, rows)])
        return head, rows


def read_summary(run: RunFolder) -> Json:
    """eval/summary.json of a run. Raises RunError."""
    try:
        summary: Json = json.loads((run.eval / "summary.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{run.eval}: no readable summary", hint=f"run: augmlx eval {run.path}"
        ) from error
    return summary
