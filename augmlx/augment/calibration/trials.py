"""One way of asking, tried on some facts of the exam."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augmlx.augment.exam.gold import Gold
from augmlx.augment.exam.judge import written_of
from augmlx.augment.exam.marks import Marks, mark
from augmlx.augment.generate import generate, load_operators, measure
from augmlx.augment.journal import Journal
from augmlx.augment.judge import collect
from augmlx.augment.plan import Plan
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Completion, Engine
from augmlx.english.text import normalise

EXAMINED = ("reversal", "rephrase", "qa-forward", "qa-reverse")
_SEED = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one way of asking.

    Attributes:
        way: the settings of augment that it is made of.
        marks: of what was kept.
        produced: how many texts were written.
        same: the text that was written most often, and how often.
        echoes: how many texts hold their fact word for word.
        failed: why requests could not be run, where any could not.
    """

    way: Mapping[str, Any]
    marks: Marks
    produced: int
    same: tuple[str, int]
    echoes: int
    failed: str


def try_out(
    way: Mapping[str, Any],
    golds: Sequence[Gold],
    engine: Engine,
    journal: Journal,
    progress: Progress,
) -> Trial:
    """Let the model write about some facts of the exam, filter it as ever, and mark it.

    What the journal holds already is not written again, in this trial or in a later one.
    """
    config = AugmentSettings(operators=EXAMINED, **way)
    facts = [Fact(gold.id, gold.fact, source=gold.id) for gold in golds]
    plan = Plan(facts, load_operators(config), config, seed=_SEED, engine=engine)
    generate(plan, engine, journal, config.batch_size, progress)
    measure(plan, engine, journal, config, progress)
    records = list(collect(plan, journal, config, engine=engine, seed=_SEED))
    kept = [record for record in records if isinstance(record, Example)]
    written = [written for example in kept if (written := written_of(example)) is not None]
    return Trial(way, mark(golds, written), len(records), *_habits(plan, journal))


def _habits(plan: Plan, journal: Journal) -> tuple[tuple[str, int], int, str]:
    """What is said most often, how often a fact is only repeated, and why requests failed."""
    said: Counter[str] = Counter()
    echoes, failed = 0, ""
    for fact, completion in _completions(plan, journal):
        if completion.finish == "error":
            failed = completion.text
            continue
        text = completion.text.strip()
        said[text] += 1
        echoes += normalise(fact) in normalise(text)
    return next(iter(said.most_common(1)), ("", 0)), echoes, failed


def _completions(plan: Plan, journal: Journal) -> Iterator[tuple[str, Completion]]:
    """What was written, each with the fact that it is about."""
    fact_of_key = {each.request.key: each.premises.facts[0].text for each in plan}
    completions = journal.completions(list(fact_of_key))
    for key, completion in completions.items():
        yield fact_of_key[key], completion
