"""All arms on the same items, written to eval/. An arm that an interrupted comparison finished is not asked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from augmlx.engine import Engine
from augmlx.errors import RunError
from augmlx.evaluation import arms
from augmlx.files import read_jsonl, write_json, write_jsonl
from augmlx.progress import Progress
from augmlx.records import EvalItem, EvalResult, Fact, Json, fingerprint, result_from_json, to_json
from augmlx.rundir import RunDir
from augmlx.settings import Settings

_CODE = 1  # raised when an arm answers otherwise than before


def compare(
    run: RunDir,
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    settings: Settings,
    *,
    engine_of: Callable[[str], Engine],
    mark_of: Callable[[str], str],
    progress: Progress,
    about: Json,
    notes: Sequence[str],
    trained: Sequence[str],
) -> Json:
    """Write items.jsonl, results.jsonl and summary.json; returns the counts for the manifest.

    Args:
        engine_of: the engine of an arm; called for arms that have to be asked.
        mark_of: the fingerprint of that engine, without loading it.
        about: goes into the summary as it is.
        notes: what a reader of the numbers must know.
        trained: the texts that the augmented arm was trained on, for counting items that stand in them word for word.
    """
    results: list[EvalResult] = []
    told = list(notes)
    shared = fingerprint([_CODE, [to_json(item) for item in items], [fact.text for fact in facts], _asking(settings)])
    for arm in settings.eval.arms:
        path = run.eval / "arms" / f"{arm}.jsonl"
        mark = fingerprint([shared, mark_of(arm)])
        head, rows = _finished(run, arm)
        if head.get("fingerprint") != mark:
            head, rows = _ask(arm, items, facts, settings, engine_of(arm), progress)
            write_jsonl(path, [{**head, "fingerprint": mark}, *map(to_json, rows)])
        results += rows
        if note := head.get("note"):
            told.append(note)
    summary = {
        "arms": arms.summarise(results),
        "items": len(items),
        "notes": told,
        "verbatim": arms.verbatim(items, trained),
        "score": settings.eval.score,
        **about,
    }
    write_jsonl(run.eval / "items.jsonl", map(to_json, items))
    write_jsonl(run.eval / "results.jsonl", map(to_json, results))
    write_json(run.eval / "summary.json", summary)
    return {"items": len(items), "arms": len(settings.eval.arms)}


def _asking(settings: Settings) -> Json:
    """What an arm's answers depend on: not which other arms are asked."""
    return settings.eval.model_dump(mode="json", exclude={"arms"})


def _finished(run: RunDir, arm: str) -> tuple[Json, list[EvalResult]]:
    path = run.eval / "arms" / f"{arm}.jsonl"
    if not path.exists():
        return {}, []
    head, *rows = read_jsonl(path)
    return head, [result_from_json(row) for row in rows]


def _ask(
    arm: str, items: Sequence[EvalItem], facts: Sequence[Fact], settings: Settings, engine: Engine, progress: Progress
) -> tuple[Json, list[EvalResult]]:
    context = arms.contexts(items, facts, engine, settings.eval.max_tokens) if arm == "icl" else {}
    note = arms.context_note(context)
    return ({"note": note} if note else {}), arms.answer(arm, items, engine, settings.eval, progress, context)


def read_summary(run: RunDir) -> Json:
    """eval/summary.json of a run. Raises RunError."""
    try:
        summary: Json = json.loads((run.eval / "summary.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{run.eval}: no readable summary", hint=f"run: augmlx eval {run.path}") from error
    return summary
