"""Plan -> journal: what the engine writes, and the scores that the filters will ask for.

A batch is journalled whole, so a run that was killed goes on with the batch it was in and ends with
the same bytes. What was generated or scored once is never done again: a changed threshold only
judges anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from augmlx.augment import operators
from augmlx.augment.filters import (
    FILTERS,
    MEASURES,
    Rows,
    asks_model,
    is_known_right,
    judge,
    measures_of,
)
from augmlx.augment.groups import Group, groups_of, members_of_groups, to_draw
from augmlx.augment.journal import Entry, Journal
from augmlx.augment.operators import Operator
from augmlx.augment.plan import Plan, Planned
from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.progress import Progress
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Completion, Engine

# Batches that are generated and journalled together, so that rows which end early leave no gap.
_JOURNALLED = 4
Asked = TypeVar("Asked")  # what holds one request
_SCORED = 64  # candidates that are scored together


def load_operators(settings: AugmentSettings, folder: Path | None = None) -> list[Operator]:
    """The operators that the settings name, the user's own from `folder`. Raises BadInput."""
    return operators.load(settings.operators, FILTERS, folder)


def require_scores(chosen: Sequence[Operator], engine: Engine) -> None:
    """Raises BadSettings where an operator's filters need scores and the engine has none."""
    if engine.can_score:
        return
    for operator in chosen:
        measures = [name for name in operator.filters if name in MEASURES]
        if measures:
            raise BadSettings(
                f"augment.operators: {operator.name} is filtered by {measures[0]}, which a server "
                "cannot score",
                hint="leave it out, or put a copy of its file without that filter beside "
                "augmlx.toml",
            )


# Completions


def generate(
    plan: Plan, engine: Engine, journal: Journal, batch_size: int, progress: Progress
) -> int:
    """Complete the requests that the journal holds no completion of.

    Args:
        plan: all requests, in their order.
        engine: writes the completions.
        journal: takes them, batch by batch.
        batch_size: rows that are decoded together.
        progress: is told how far it is.

    Returns:
        How many completions were written now.

    Raises:
        KeyboardInterrupt: goes through; the batches that were finished stay.
    """
    written = 0
    is_told = False
    with progress.task("Augmenting", len(plan)) as task:
        for groups in members_of_groups(plan):
            known = _written_before(groups, journal)
            if known and not is_told:
                is_told = True
                progress.say("what stands in the journal is not generated again")
            task.advance(len(known))
            done = len(known)
            while batch := list(chain.from_iterable(to_draw(group, known) for group in groups)):
                for part in batched(batch, batch_size * _JOURNALLED):
                    completions = []
                    for completion in _complete(part, engine):
                        completions.append(completion)
                        task.advance()
                    journal.add([_entry(planned) for planned in part], completions)
                    keys = [planned.request.key for planned in part]
                    known |= dict(zip(keys, completions, strict=True))
                    done += len(completions)
                    written += len(completions)
            task.advance(sum(map(len, groups)) - done)  # what need not be drawn
    return written


def _written_before(groups: Sequence[Sequence[Planned]], journal: Journal) -> dict[str, Completion]:
    """What the journal holds of some groups, by key. What could not be written is tried again: a
    server may have been given a larger window by now.
    """
    keys = [planned.request.key for planned in chain.from_iterable(groups)]
    known = journal.completions(keys)
    return {key: completion for key, completion in known.items() if completion.finish != "error"}


def batched(asked: Sequence[Asked], size: int) -> Iterator[Sequence[Asked]]:
    """What is asked in parts of a size."""
    for start in range(0, len(asked), size):
        yield asked[start : start + size]


def _complete(batch: Sequence[Planned], engine: Engine) -> Iterator[Completion]:
    requests = [planned.request for planned in batch if planned.written is None]
    by_engine = iter(engine.generate(requests))
    for planned in batch:
        if planned.written is None:
            yield next(by_engine)
        else:
            yield Completion(planned.request.key, planned.written, "stop", 0)


def _entry(planned: Planned) -> Entry:
    return Entry(planned.request, planned.id, planned.operator.name, planned.sample)


# Scores


@dataclass(frozen=True, slots=True)
class _ToScore:
    """What a measure asks about one candidate: (prompt, continuation) pairs to be scored."""

    key: str  # of its request
    measure: str
    rows: Rows


def measure(
    plan: Plan, engine: Engine, journal: Journal, settings: AugmentSettings, progress: Progress
) -> int:
    """Score the candidates that a measured filter of their operator will ask about.

    What is scored follows from the completions alone, so the batches are the same in every run.

    Args:
        plan: all requests; the journal holds their completions.
        engine: gives the log-probabilities.
        journal: takes the scores.
        settings: of the filters that come before the measured ones.
        progress: is told how far it is.

    Returns:
        How many scores were written now.

    Raises:
        ModelError: the model gives likelihoods that are no numbers.
    """
    if not any(measures_of(operator.filters, settings) for operator in plan.premise_lists):
        return 0
    written = 0
    waiting: list[_ToScore] = []
    with progress.task("Scoring", len(plan)) as task:
        for group in groups_of(plan, journal):
            waiting += _to_be_scored(group, settings)
            while len(waiting) >= _SCORED:
                written += _score(waiting[:_SCORED], engine, journal)
                del waiting[:_SCORED]
            task.advance(len(group.members))
        written += _score(waiting, engine, journal)
    return written


def _to_be_scored(group: Group, settings: AugmentSettings) -> Iterator[_ToScore]:
    """What the measures ask about every candidate that is not known to be right and passes the
    filters before the first that asks the model.
    """
    filters = group.operator.filters
    measures = measures_of(filters, settings)
    if not measures:
        return
    keys = {planned.sample: planned.request.key for planned in group.members}
    first = next(number for number, name in enumerate(filters) if asks_model(name, settings))
    verdicts = judge(group.candidates, filters[:first], settings, limit=False)
    passed = [
        verdict.candidate
        for verdict in verdicts
        if verdict.kept and not is_known_right(verdict.candidate, filters)
    ]
    for name in measures:
        for candidate in passed:
            rows = MEASURES[name].rows(candidate)
            if rows:
                yield _ToScore(keys[candidate.sample], name, rows)


def _score(batch: Sequence[_ToScore], engine: Engine, journal: Journal) -> int:
    """Score what the journal holds no score of; returns how many those are."""
    known = journal.scores([asked.key for asked in batch])
    missing = [asked for asked in batch if (asked.key, asked.measure) not in known]
    if not missing:
        return 0
    pairs = chain.from_iterable(asked.rows for asked in missing)
    prompts, continuations = zip(*pairs, strict=True)
    scores = iter(engine.score(prompts, continuations))
    entries = []
    for asked in missing:
        value = MEASURES[asked.measure].value([next(scores) for _ in asked.rows])
        if math.isnan(value):
            hint = "choose another model, or another quantisation of it"
            raise ModelError(f"{engine.model}: gives likelihoods that are no numbers", hint=hint)
        entries.append((asked.key, asked.measure, value))
    journal.add_scores(entries)
    return len(missing)
