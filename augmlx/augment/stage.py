"""The augment stage over one run folder: facts -> journal, augmented.jsonl, rejected.jsonl and a
CSV.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from augmlx.augment import coverage
from augmlx.augment.contradictions import Consistency
from augmlx.augment.edits import Edit, Editor
from augmlx.augment.generate import generate, measure
from augmlx.augment.journal import Journal, open_journal
from augmlx.augment.judge import Tally, collect
from augmlx.augment.plan import Plan
from augmlx.core import example_id
from augmlx.core.errors import ModelError
from augmlx.core.files import jsonl_writer, read_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact, Json, Rejected, example_from_json, original, to_json
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import AugmentSettings, Settings
from augmlx.data.split import Part
from augmlx.data.spreadsheet import write_csv
from augmlx.engines.protocol import Engine
from augmlx.english.text import normalise

_SHOWN = 5  # messages of one kind
_Write = Callable[[Json], object]  # of one line of JSON


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier rounds left. See run/rounds.py.

    Args:
        number: of the round that goes on from it.
        augmented: what they kept.
        rejected: what they rejected.
        adapter: what now writes.
        held: fact id -> the part that its examples are held out in.
    """

    number: int
    augmented: Path
    rejected: Path
    adapter: Path
    held: Mapping[str, Part]

    def kept_examples(self) -> Iterator[Example]:
        """The examples that earlier rounds kept."""
        return map(example_from_json, self._before(self.augmented))

    def rejected_rows(self) -> Iterator[Json]:
        """What earlier rounds rejected, as it stands in their file."""
        return self._before(self.rejected)

    def _before(self, path: Path) -> Iterator[Json]:
        """The records of earlier rounds; where the rounds start anew, those of later ones may stand
        there, too.
        """
        for row in read_jsonl(path):
            if example_id.parse(row["id"]).round < self.number:
                yield row


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
    edits: Sequence[Edit] = (),
) -> Json:
    """Generate, measure, judge, take back what contradicts, and do the user's edits.

    Args:
        run: gets the files.
        facts: all that the plan is over.
        plan: what is asked.
        engine: what writes.
        settings: of the augmentation, and the seed.
        progress: is told how far it is.
        earlier: what earlier rounds left, in a later one.
        edits: what the user made of kept texts by hand.

    Returns:
        How many texts were produced, kept, rejected and failed, and by what; where there are edits,
        also how many were struck out, changed and added by hand: an added one was not produced.

    Raises:
        ModelError: no request could be run.
    """
    config = settings.augment
    for note in plan.notes:
        progress.say(note)
    consistency = Consistency(facts)
    _tell_disputes(consistency, progress)
    tally = Tally()
    with _settled(), open_journal(run.journal) as journal, jsonl_writer(run.rejected) as reject:
        _fill(journal, plan, engine, config, progress)
        for row in earlier.rejected_rows() if earlier else ():
            reject(row)
        records = collect(plan, journal, config, engine=engine, seed=settings.seed)
        _write_records(run, records, tally, consistency, reject, earlier)
        for record in _withdraw(run, consistency.losers()):
            tally.withdraw(record)
            reject(to_json(record))
        editor = Editor(edits, facts)
        for record in _edit(run, editor) if edits else ():
            tally.withdraw(record)
            reject(to_json(record))
    counts = _counts(facts, plan, tally, engine)
    if edits:
        counts["by_hand"] = editor.counts
    coverage.write(run, facts, plan)
    write_csv(run.augmented_csv, chain(map(original, facts), run.kept_examples()))
    if counts["failed"] and counts["failed"] == counts["produced"]:
        fault = f"{engine.model}: no request could be run: {tally.failure}"
        hint = (
            "choose a model with a larger window, shorter exemplars, or a smaller "
            "augment.max_tokens"
        )
        raise ModelError(fault, hint=hint)
    return counts


def _tell_disputes(consistency: Consistency, progress: Progress) -> None:
    for one, other in consistency.disputes[:_SHOWN]:
        progress.say(f"{one} contradicts {other}; both are trained on")
    more = consistency.disputes[_SHOWN:]
    if more:
        progress.say(f"{len(more)} more facts contradict others")


def _fill(
    journal: Journal, plan: Plan, engine: Engine, config: AugmentSettings, progress: Progress
) -> None:
    """Everything that is asked of the engine -> the journal."""
    written = generate(plan, engine, journal, config.batch_size, progress)
    if not written and len(plan):
        progress.say("every completion stood in the journal; they are only judged")
    measure(plan, engine, journal, config, progress)


def _write_records(
    run: RunFolder,
    records: Iterator[Example | Rejected],
    tally: Tally,
    consistency: Consistency,
    reject: _Write,
    earlier: Earlier | None,
) -> None:
    """What is kept -> augmented.jsonl, behind what earlier rounds kept; the rest is rejected."""
    known_texts = set()
    with jsonl_writer(run.augmented) as keep:
        for example in earlier.kept_examples() if earlier else ():
            known_texts.add(normalise(example.text))
            consistency.settle(example)
            keep(to_json(example))
        for collected in records:
            record = _of_this_round(collected, known_texts, earlier)
            tally.add(record)
            if isinstance(record, Example):
                consistency.consider(record)
                keep(to_json(record))
            else:
                reject(to_json(record))


def _of_this_round(
    record: Example | Rejected, known_texts: Collection[str], earlier: Earlier | None
) -> Example | Rejected:
    """A record under an id of its own, rejected where an earlier round has kept the same text."""
    if earlier is None:
        return record
    parsed = example_id.parse(record.id)
    record_id = str(replace(parsed, round=earlier.number))
    if isinstance(record, Example) and normalise(record.text) in known_texts:
        why = "an earlier round says it"
        return Rejected(record_id, record.text, "duplicate", why, record.origin)
    return replace(record, id=record_id)


def _withdraw(run: RunFolder, losers: Mapping[str, str]) -> Iterator[Rejected]:
    """Take examples out of augmented.jsonl; id -> why."""
    if not losers:
        return
    with jsonl_writer(run.augmented) as keep:
        for example in run.kept_examples():
            why = losers.get(example.id)
            if why is None:
                keep(to_json(example))
            else:
                yield Rejected(example.id, example.text, "contradiction", why, example.origin)


def _edit(run: RunFolder, editor: Editor) -> Iterator[Rejected]:
    """Do the user's edits in augmented.jsonl; gives what is struck out."""
    with jsonl_writer(run.augmented) as keep:
        for example in run.kept_examples():
            record = editor.edit(example)
            if isinstance(record, Rejected):
                yield record
            else:
                keep(to_json(record))
        for example in editor.added():
            keep(to_json(example))


def _counts(facts: Sequence[Fact], plan: Plan, tally: Tally, engine: Engine) -> Json:
    premises = {
        operator.name: {"without": premise_list.without, "capped": premise_list.capped}
        for operator, premise_list in plan.premise_lists.items()
    }
    return {
        "facts": len(facts),
        **tally.as_json(),
        "tokens": asdict(engine.tokens),
        "premises": premises,
    }


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
