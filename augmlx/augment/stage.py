"""The augment stage over one run folder: journal.sqlite, augmented.jsonl, augmented.csv and
rejected.jsonl.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from augmlx.augment import generate
from augmlx.augment.contradictions import Consistency
from augmlx.augment.journal import open_journal
from augmlx.augment.plan import Plan
from augmlx.core import example_id
from augmlx.core.errors import ModelError
from augmlx.core.files import jsonl_writer, read_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, Json, Rejected, example_from_json, original, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import spreadsheet
from augmlx.data.split import Part
from augmlx.engines.protocol import Engine
from augmlx.english.text import normalise

_TOLD = 5  # messages of one kind


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier rounds left: what they kept and rejected, the adapter that now writes, and where
    the examples of a fact are held out. See rounds.py.
    """

    number: int  # of the round that goes on from it
    augmented: Path
    rejected: Path
    adapter: Path
    held: Mapping[str, Part]  # fact id -> part


@dataclass(frozen=True, slots=True)
class Writer:
    """An engine that writes the augmentations in the place of the settings' model; `mark` names it
    in fingerprints.
    """

    mark: str
    engine: Callable[[], Engine]


def write(
    run: RunFolder,
    facts: Sequence[Fact],
    plan: Plan,
    engine: Engine,
    settings: Settings,
    progress: Progress,
    earlier: Earlier | None = None,
) -> Json:
    """Generate, measure, judge, and take back what contradicts; returns the counts.

    Raises ModelError where no request could be run.
    """
    config, seed = settings.augment, settings.seed
    for note in plan.notes:
        progress.say(note)
    tally, consistency = generate.Tally(), Consistency(facts)
    for one, other in consistency.disputes[:_TOLD]:
        progress.say(f"{one} contradicts {other}; both are trained on")
    if more := consistency.disputes[_TOLD:]:
        progress.say(f"{len(more)} more facts contradict others")
    failure = ""
    with _settled(), open_journal(run.journal) as journal, jsonl_writer(run.rejected) as reject:
        journalled = len(plan) - generate.generate(
            plan, engine, journal, config.batch_size, progress
        )
        if journalled:
            progress.say(
                f"{journalled} of {len(plan)} completions stood in the journal and are only judged"
            )
        generate.measure(plan, engine, journal, config, progress)
        for row in _before(earlier, earlier.rejected) if earlier else ():
            reject(row)
        with jsonl_writer(run.augmented) as keep:
            known = set()
            for example in _kept(earlier):
                known.add(normalise(example.text))
                consistency.settle(example)
                keep(to_json(example))
            for collected in generate.collect(plan, journal, config, engine=engine, seed=seed):
                record = _of_this_round(collected, known, earlier)
                tally.add(record)
                if isinstance(record, Example):
                    consistency.consider(record)
                    keep(to_json(record))
                else:
                    reject(to_json(record))
                    failure = record.why if record.by == "engine" else failure
        for record in _withdraw(run, consistency.losers()):
            tally.withdraw(record)
            reject(to_json(record))
    counts = {"facts": len(facts), **tally.as_json(len(plan)), "tokens": asdict(engine.tokens)}
    counts["premises"] = {
        o.name: {"without": f.without, "capped": f.capped} for o, f in plan.found.items()
    }
    spreadsheet.write_csv(run.augmented_csv, chain(map(original, facts), run.kept_examples()))
    if counts["failed"] and counts["failed"] == counts["produced"]:
        hint = (
            "choose a model with a larger window, shorter exemplars, or a smaller "
            "augment.max_tokens"
        )
        raise ModelError(f"{engine.model}: no request could be run: {failure}", hint=hint)
    return counts


def _kept(earlier: Earlier | None) -> Iterator[Example]:
    return map(example_from_json, _before(earlier, earlier.augmented)) if earlier else iter(())


def _before(earlier: Earlier, path: Path) -> Iterator[Json]:
    """The records of earlier rounds; where the rounds start anew, those of later ones may stand
    there, too.
    """
    return (row for row in read_jsonl(path) if example_id.parse(row["id"]).round < earlier.number)


def _of_this_round(
    record: Example | Rejected, known: Collection[str], earlier: Earlier | None
) -> Example | Rejected:
    """A record under an id of its own, rejected where an earlier round has kept the same text."""
    if earlier is None:
        return record
    name = str(replace(example_id.parse(record.id), round=earlier.number))
    if isinstance(record, Example) and normalise(record.text) in known:
        return Rejected(name, record.text, "duplicate", "an earlier round says it", record.origin)
    return replace(record, id=name)


def _withdraw(run: RunFolder, losers: Mapping[str, str]) -> Iterator[Rejected]:
    """Take examples out of augmented.jsonl; id -> why."""
    if not losers:
        return
    with jsonl_writer(run.augmented) as keep:
        for example in run.kept_examples():
            if why := losers.get(example.id):
                yield Rejected(example.id, example.text, "contradiction", why, example.origin)
            else:
                keep(to_json(example))


@contextmanager
def _settled() -> Iterator[None]:
    """The garbage collector leaves alone what is there already: going through a hundred thousand
    facts over and over finds nothing, and makes each of them dearer the more there are.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
