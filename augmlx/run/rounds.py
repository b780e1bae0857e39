"""Several rounds: the tuned model reads the same facts again, and what it writes is trained on as
well.

A round lives in a run folder of its own, RUN/rounds/N. It is adopted only if the tuned model
answers no fewer of the same questions than before; what was held out stays held out. The run itself
is whole at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from augmlx.augment.stage import Earlier
from augmlx.core.arms import AUGMENTED
from augmlx.core.errors import BadSettings
from augmlx.core.files import read_jsonl
from augmlx.core.records import (
    Fact,
    Json,
    example_from_json,
    fingerprint,
)
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.split import Part, group_of
from augmlx.evaluation import asking
from augmlx.evaluation.results import read_items, read_results
from augmlx.models.formats.adapter_folder import adapter_fingerprint
from augmlx.run.pipeline import Pipeline


def require_comparison(settings: Settings) -> None:
    """Raises BadSettings where the tuned model is not evaluated: every round would count as no
    worse.
    """
    if AUGMENTED.name not in settings.eval.arms:
        fault = (
            f"eval.arms: {AUGMENTED.name} is not among them, and rounds are kept by what it answers"
        )
        raise BadSettings(fault, hint=f"add {AUGMENTED.name}, or leave out --rounds")


def run_rounds(pipeline: Pipeline, wanted: int) -> list[Json]:
    """Rounds 2 to `wanted` over an evaluated run; the entry of each: right answers before and
    after, and whether it was kept. Rounds that are finished are not run again, as long as the
    adapter is the one they ended with.
    """
    run = pipeline.run
    settings = pipeline.settings.model_dump(mode="json", exclude={"eval": {"arms"}, "memory": True})
    settings["train"] = pipeline.settings.train.learnt
    found = [entry for name, entry in run.manifest().items() if name.startswith("round-")]
    if _mark(run) not in {mark for entry in found for mark in (entry["from"], entry["to"])}:
        run.forget(
            name for name in run.manifest() if name.startswith("round-")
        )  # they went on from another adapter
    entries: list[Json] = []
    for number in range(2, wanted + 1):
        name = f"round-{number}"
        entry = run.manifest().get(name)
        start = entries[-1]["to"] if entries else None
        here = _mark(run)
        known = entry is not None and entry["settings"] == fingerprint(settings)
        if entry is None or not known or (start is not None and entry["from"] != start):
            entry = _round(pipeline, number) | {"from": here, "settings": fingerprint(settings)}
            entry["to"] = _mark(_folder(run, number)) if entry["kept"] else here
            run.forget(f"round-{later}" for later in range(number, 100))
            run.record(name, entry)
        if entry["kept"] and _mark(run) == entry["from"]:
            pipeline.adopt(_folder(run, number), entry["counts"])
        entries.append(entry)
    return entries


def _folder(run: RunFolder, number: int) -> RunFolder:
    return RunFolder(run.path / "rounds" / str(number))


def _mark(run: RunFolder) -> str:
    return adapter_fingerprint(run.adapter)


def _round(pipeline: Pipeline, number: int) -> Json:
    run, settings, facts = pipeline.run, pipeline.settings, pipeline.facts()
    folder = _folder(run, number)
    folder.create()
    with folder.lock():
        child = Pipeline(
            folder,
            settings,
            pipeline.progress,
            operators_folder=pipeline.operators_folder,
            make_engine=pipeline.make_engine,
            earlier=Earlier(number, run.augmented, run.rejected, run.adapter, held_out(run, facts)),
        )
        child.take_facts(facts)
        child.augment()
        counts = child.train()
    before = read_results(run.eval)
    was = sum(result.correct for result in before if result.arm == AUGMENTED.name)
    items = read_items(run.eval)
    engine = pipeline.make_engine(folder.adapter)
    now = sum(
        r.correct
        for r in asking.ask_arm(AUGMENTED.name, items, engine, settings.eval, pipeline.progress)
    )
    kept = now >= was
    outcome = "kept" if kept else "left aside, for it answers fewer"
    pipeline.progress.say(f"round {number}: {now} of {len(items)} right, {was} before; {outcome}")
    return {"right": now, "before": was, "items": len(items), "kept": kept, "counts": counts}


def held_out(run: RunFolder, facts: Sequence[Fact]) -> dict[str, Part]:
    """fact id -> part, of every fact whose augmentations are held out.

    What was drawn of several facts is held out with any of them, so it tells of a fact only where
    no example of one fact does.
    """
    homes: dict[str, Part] = {}
    parts: tuple[Part, ...] = ("valid", "test")
    for part in parts:
        path = run.data / f"{part}.jsonl"
        if path.exists():
            homes |= {row["id"]: part for row in read_jsonl(path)}
    examples = map(example_from_json, read_jsonl(run.augmented)) if homes else iter(())
    place = {fact.id: group_of(fact) for fact in facts}
    found = [
        ([place[i] for i in e.origin.fact_ids], homes[e.id]) for e in examples if e.id in homes
    ]
    # A text of the share for validation that the test has too stands in the test: "valid", last,
    # has the last word.
    single = [(groups[0], home) for groups, home in found if len(groups) == 1]
    held: dict[str, Part] = {
        group: part for part in reversed(parts) for group, home in single if home == part
    }
    for groups, part in found:
        if part not in {held.get(group) for group in groups}:
            held |= dict.fromkeys(groups, part)
    return {fact_id: held[group] for fact_id, group in place.items() if group in held}
