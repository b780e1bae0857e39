"""Several rounds: the tuned model reads the same facts again, and what it writes is trained on as
well.

A round lives in a run folder of its own, RUN/rounds/N. It is adopted only if the tuned model
answers no fewer of the same questions than before; what was held out stays held out. The run itself
is whole at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from augmlx.augment.stage import Earlier
from augmlx.core.arms import AUGMENTED
from augmlx.core.errors import BadSettings
from augmlx.core.files import copy_file, read_jsonl
from augmlx.core.records import Fact, Json, fingerprint
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data.split import Part, group_of
from augmlx.evaluation import asking
from augmlx.evaluation.results import read_items, read_results
from augmlx.models.formats.adapter_folder import adapter_fingerprint
from augmlx.run.pipeline import Pipeline

MOST_ROUNDS = 99
_ENTRY = "round-"  # in the manifest, before the number
_HELD_OUT: tuple[Part, ...] = ("valid", "test")


def require_comparison(settings: Settings) -> None:
    """Raises BadSettings where the tuned model is not evaluated: every round would count as no
    worse.
    """
    if AUGMENTED.name not in settings.eval.arms:
        raise BadSettings(
            f"eval.arms: {AUGMENTED.name} is not among them, and rounds are kept by what it "
            "answers",
            hint=f"add {AUGMENTED.name}, or leave out --rounds",
        )


def run_rounds(pipeline: Pipeline, wanted: int) -> list[Json]:
    """Rounds 2 to `wanted` over an evaluated run. Those that are finished are not run again, as
    long as the adapter is the one they ended with.

    Returns:
        An entry for each round: {right, before, items, kept, counts, from, to, settings}: the right
        answers after it and before it, whether it was kept, the counts of its training, and the
        fingerprints of the adapters it went on from and ended with.
    """
    run = pipeline.run
    _forget_rounds_of_another_adapter(run)
    settings_mark = _settings_mark(pipeline.settings)
    entries: list[Json] = []
    for number in range(2, wanted + 1):
        start = entries[-1]["to"] if entries else None
        entry = run.manifest().get(f"{_ENTRY}{number}")
        if entry is None or not _goes_on_from(entry, start, settings_mark):
            entry = _do_round(pipeline, number, settings_mark)
        if entry["kept"] and adapter_fingerprint(run.adapter) == entry["from"]:
            pipeline.adopt(_folder(run, number), entry["counts"])
        entries.append(entry)
    return entries


def _settings_mark(settings: Settings) -> str:
    """The fingerprint of what of the settings decides a round."""
    values = settings.model_dump(mode="json", exclude={"eval": {"arms"}, "memory": True})
    values["train"] = settings.train.learnt
    return fingerprint(values)


def _goes_on_from(entry: Json, start: str | None, settings_mark: str) -> bool:
    """Whether a finished round is of these settings and, behind another, of that one's adapter."""
    if entry["settings"] != settings_mark:
        return False
    return start is None or entry["from"] == start


def _forget_rounds_of_another_adapter(run: RunFolder) -> None:
    entries = {key: row for key, row in run.manifest().items() if key.startswith(_ENTRY)}
    known_adapters = {entry[end] for entry in entries.values() for end in ("from", "to")}
    if adapter_fingerprint(run.adapter) not in known_adapters:
        run.forget(entries)


def _folder(run: RunFolder, number: int) -> RunFolder:
    return RunFolder(run.path / "rounds" / str(number))


def _do_round(pipeline: Pipeline, number: int, settings_mark: str) -> Json:
    """Augment and train anew, compare, and put the round on record; later ones are forgotten."""
    run = pipeline.run
    start = adapter_fingerprint(run.adapter)
    counts = _train_round(pipeline, number)
    entry = _compared(pipeline, number)
    entry |= {"counts": counts, "from": start, "settings": settings_mark}
    entry["to"] = adapter_fingerprint(_folder(run, number).adapter) if entry["kept"] else start
    run.forget(f"{_ENTRY}{later}" for later in range(number, MOST_ROUNDS + 1))
    run.record(f"{_ENTRY}{number}", entry)
    return entry


def _train_round(pipeline: Pipeline, number: int) -> Json:
    """The round's own run folder, augmented by the tuned model and trained; returns its counts."""
    run, facts = pipeline.run, pipeline.facts()
    folder = _folder(run, number)
    folder.create()
    held = held_out(run, facts)
    with folder.lock():
        child = Pipeline(
            folder,
            pipeline.settings,
            pipeline.progress,
            operators_folder=pipeline.operators_folder,
            make_engine=pipeline.make_engine,
            earlier=Earlier(number, run.augmented, run.rejected, run.adapter, held),
        )
        child.take_facts(facts)
        if run.edited.exists():
            copy_file(run.edited, folder.edited)
        else:
            folder.edited.unlink(missing_ok=True)
        child.augment()
        return child.train()


def _compared(pipeline: Pipeline, number: int) -> Json:
    """The run's own questions, answered by the round's adapter: is it no worse?"""
    run = pipeline.run
    before = sum(
        result.correct for result in read_results(run.eval) if result.arm == AUGMENTED.name
    )
    items = read_items(run.eval)
    engine = pipeline.make_engine(_folder(run, number).adapter)
    answers = asking.ask_arm(
        AUGMENTED.name, items, engine, pipeline.settings.eval, pipeline.progress
    )
    right = sum(result.correct for result in answers)
    kept = right >= before
    outcome = "kept" if kept else "left aside, for it answers fewer"
    pipeline.progress.say(
        f"round {number}: {right} of {len(items)} right, {before} before; {outcome}"
    )
    return {"right": right, "before": before, "items": len(items), "kept": kept}


def held_out(run: RunFolder, facts: Sequence[Fact]) -> dict[str, Part]:
    """Fact id -> part ("valid" or "test"), of every fact whose augmentations are held out.

    What was drawn of several facts is held out with any of them, so it tells of a fact only where
    no example of one fact does.
    """
    part_of_example = _held_examples(run)
    if not part_of_example:
        return {}
    group_of_fact = {fact.id: group_of(fact) for fact in facts}
    held: list[tuple[list[str], Part]] = []  # the groups of an example's facts, and its part
    for example in run.kept_examples():
        if example.id in part_of_example:
            groups = [group_of_fact[fact_id] for fact_id in example.origin.fact_ids]
            held.append((groups, part_of_example[example.id]))
    part_of_group = _parts_of_groups(held)
    return {
        fact_id: part_of_group[group]
        for fact_id, group in group_of_fact.items()
        if group in part_of_group
    }


def _held_examples(run: RunFolder) -> dict[str, Part]:
    part_of_example: dict[str, Part] = {}
    for part in _HELD_OUT:
        path = run.data / f"{part}.jsonl"
        if path.exists():
            part_of_example |= {row["id"]: part for row in read_jsonl(path)}
    return part_of_example


def _parts_of_groups(held: Iterable[tuple[list[str], Part]]) -> dict[str, Part]:
    held = list(held)
    # A text of the share for validation that the test has too stands in the test: "valid", last,
    # has the last word.
    part_of_group: dict[str, Part] = {}
    for part in reversed(_HELD_OUT):
        for groups, home in held:
            if len(groups) == 1 and home == part:
                part_of_group[groups[0]] = part
    for groups, part in held:
        if part not in {part_of_group.get(group) for group in groups}:
            part_of_group |= dict.fromkeys(groups, part)
    return part_of_group
