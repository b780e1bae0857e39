"""Plan -> journal -> examples.

A batch is journalled whole, so a run that was killed goes on with the batch it was in and ends with
the same bytes. What was generated or scored once is never done again: a changed threshold only
judges anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

from augmlx.augment import operators, premises
from augmlx.augment.filters import FILTERS, MEASURES, Candidate, Rows, Scores, Verdict, judge
from augmlx.augment.journal import Entry, Journal
from augmlx.augment.operators import Operator
from augmlx.augment.plan import Plan, Planned
from augmlx.core import example_id
from augmlx.core.errors import BadSettings, ModelError
from augmlx.core.progress import Progress
from augmlx.core.records import Example, Json, Origin, Rejected
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Completion, Engine
from augmlx.english.sameness import wording

# batches that are generated and journalled together, so that rows which end early leave no gap
_JOURNALLED = 4
_SCORED = 64  # candidates that are scored together
_GROUPS = 128  # groups whose completions are looked up, and whose verdicts are written, together


def require_scores(chosen: Sequence[Operator], engine: Engine) -> None:
    """Raises BadSettings where an operator's filters need what the engine cannot do."""
    if engine.can_score:
        return
    for operator in chosen:
        if measured := [name for name in operator.filters if name in MEASURES]:
            raise BadSettings(
                f"augment.operators: {operator.name} is filtered by {measured[0]}, which a server "
                f"cannot score",
                hint=(
                    "leave it out, or put a copy of its file without that filter beside augmlx.toml"
                ),
            )


def load_operators(settings: AugmentSettings, folder: Path | None = None) -> list[Operator]:
    """The operators that the settings name. Raises BadInput."""
    return operators.load(settings.operators, FILTERS, folder)


def generate(
    plan: Plan, engine: Engine, journal: Journal, batch_size: int, progress: Progress
) -> int:
    """Complete what the journal does not hold yet; returns how many completions were written now.

    Raises KeyboardInterrupt through; the batches that were finished stay.
    """
    written, told = 0, False
    stream = iter(plan)
    with progress.task("Augmenting", len(plan)) as task:
        while batch := list(islice(stream, batch_size * _JOURNALLED)):
            known = journal.completions([p.request.key for p in batch])
            # What could not be written is tried again: a server may have been given a larger window
            # by now.
            missing = [
                p
                for p in batch
                if p.request.key not in known or known[p.request.key].finish == "error"
            ]
            if len(missing) < len(batch) and not told:
                told = True
                progress.say("what stands in the journal is not generated again")
            task.advance(len(batch) - len(missing))
            completions = []
            for completion in _complete(missing, engine):
                completions.append(completion)
                task.advance()
            if missing:
                journal.add(
                    [Entry(p.request, p.id, p.operator.name, p.sample) for p in missing],
                    completions,
                )
                written += len(completions)
    return written


def _complete(planned: Sequence[Planned], engine: Engine) -> Iterator[Completion]:
    asked = iter(engine.generate([p.request for p in planned if p.written is None]))
    for p in planned:
        yield next(asked) if p.written is None else Completion(p.request.key, p.written, "stop", 0)


def measure(
    plan: Plan, engine: Engine, journal: Journal, settings: AugmentSettings, progress: Progress
) -> int:
    """Score the candidates that a measured filter of their operator will ask about. Returns how
    many scores were written now.

    What is scored follows from the completions alone, so the batches are the same in every run.
    """
    if not any(set(operator.filters) & MEASURES.keys() for operator in plan.found):
        return 0
    written = 0
    waiting: list[tuple[str, str, Rows]] = []
    with progress.task("Scoring", len(plan)) as task:
        for group in _groups(plan, journal):
            waiting += _to_be_scored(group, settings)
            while len(waiting) >= _SCORED:
                written += _score(waiting[:_SCORED], engine, journal)
                del waiting[:_SCORED]
            task.advance(len(group.members))
        written += _score(waiting, engine, journal)
    return written


def _to_be_scored(group: _Group, settings: AugmentSettings) -> Iterator[tuple[str, str, Rows]]:
    """(request key, measure, what to score) of every candidate that passes the filters before the
    first measure.
    """
    names = group.members[0].operator.filters
    measures = [name for name in names if name in MEASURES]
    if measures:
        before = names[: names.index(measures[0])]
        keys = {p.sample: p.request.key for p in group.members}
        passed = [
            v.candidate for v in judge(group.candidates, before, settings, limit=False) if v.kept
        ]
        for name in measures:
            rows = ((keys[c.sample], MEASURES[name].rows(c)) for c in passed)
            yield from ((key, name, asked) for key, asked in rows if asked)


def _score(batch: Sequence[tuple[str, str, Rows]], engine: Engine, journal: Journal) -> int:
    known = journal.scores([key for key, _, _ in batch])
    missing = [(key, name, rows) for key, name, rows in batch if (key, name) not in known]
    if missing:
        prompts, continuations = zip(
            *chain.from_iterable(rows for _, _, rows in missing), strict=True
        )
        scores = iter(engine.score(prompts, continuations))
        values = [MEASURES[name].value([next(scores) for _ in rows]) for _, name, rows in missing]
        if any(math.isnan(value) for value in values):
            hint = "choose another model, or another quantisation of it"
            raise ModelError(f"{engine.model}: gives likelihoods that are no numbers", hint=hint)
        journal.add_scores((m[0], m[1], value) for m, value in zip(missing, values, strict=True))
    return len(missing)


def collect(
    plan: Plan, journal: Journal, settings: AugmentSettings, *, engine: Engine, seed: int
) -> Iterator[Example | Rejected]:
    """Judge the journalled completions: one record for each request, in the order of the plan.

    A completion that the engine could not write is rejected "by engine" and counts as failed.
    """
    groups = _groups(plan, journal)
    while several := list(islice(groups, _GROUPS)):
        verdicts = [_judge(group, settings) for group in several]
        journal.judge(
            (p.request.key, v.kept, v.by, v.why)
            for group, judged in zip(several, verdicts, strict=True)
            for p, v in zip(group.members, judged, strict=True)
        )
        for group, judged in zip(several, verdicts, strict=True):
            for p, verdict in zip(group.members, judged, strict=True):
                yield _record(p, verdict, engine, seed, _agreement(group, p, verdict))


@dataclass(frozen=True, slots=True)
class _Group:
    """The samples of one operator on the same premises. What the engine could not write is in
    `failed`, by sample, and takes no part in the vote.
    """

    members: list[Planned]
    candidates: list[Candidate]
    failed: dict[int, str]
    scores: Scores


def _groups(plan: Plan, journal: Journal) -> Iterator[_Group]:
    grouped = (
        list(members) for _, members in groupby(plan, key=lambda p: example_id.parse(p.id).group)
    )
    while several := list(islice(grouped, _GROUPS)):
        keys = [p.request.key for members in several for p in members]
        completions, scores = journal.completions(keys), journal.scores(keys)
        for members in several:
            candidates, failed = [], {}
            for p in members:
                completion = completions[p.request.key]
                if completion.finish == "error":
                    failed[p.sample] = completion.text
                else:
                    candidates.append(_candidate(p, completion))
            samples = {p.request.key: p.sample for p in members}
            own = {
                (samples[key], name): value
                for (key, name), value in scores.items()
                if key in samples
            }
            yield _Group(members, candidates, failed, own)


def _candidate(p: Planned, completion: Completion) -> Candidate:
    opening = p.request.opening
    if p.request.chat and completion.text.startswith(p.request.stop):
        opening = ""  # a server's model began otherwise than it was told to: see HttpEngine
    text = f"{opening}{completion.text.rstrip()}" if opening else completion.text.strip()
    facts = (
        p.premises.facts
        if not p.premises.known
        else dict.fromkeys((*p.premises.known, *p.premises.facts))
    )
    ground, source = tuple(fact.text for fact in facts), p.premises.facts[0].text
    conclusions = max(1, len(p.premises.openings)) if p.written is None else p.sample + 1
    return Candidate(p.sample, text, source, completion.finish, ground, p.answer, conclusions)


def _judge(group: _Group, settings: AugmentSettings) -> list[Verdict]:
    """One verdict per member, in order."""
    filters = group.members[0].operator.filters
    judged = {
        v.candidate.sample: v for v in judge(group.candidates, filters, settings, group.scores)
    }
    for sample, why in group.failed.items():
        judged[sample] = Verdict(Candidate(sample, "", "", "error"), "engine", why)
    return [judged[p.sample] for p in group.members]


def _agreement(group: _Group, p: Planned, verdict: Verdict) -> float:
    """The share of the samples that say what this one says, among those of the same conclusion."""
    said = wording(verdict.candidate.text)
    asked = {
        member.sample for member in group.members if member.request.opening == p.request.opening
    }
    return round(
        sum(c.sample in asked and wording(c.text) == said for c in group.candidates) / len(asked), 3
    )


def _record(
    p: Planned, verdict: Verdict, engine: Engine, seed: int, agreement: float
) -> Example | Rejected:
    facts, known = p.premises.facts, p.premises.known
    used = facts
    if known and verdict.kept:  # of all that was shown, only what the result speaks of was used
        named = premises.names(verdict.candidate.text)
        used = (
            *facts,
            *(fact for fact in known if fact not in facts and named & premises.names(fact.text)),
        )
    origin = Origin(
        fact_ids=tuple(fact.id for fact in used),
        operator=p.operator.name,
        engine="rule" if p.written is not None else engine.name,
        model="" if p.written is not None else engine.model,
        seed=seed,
        sample=p.sample,
        prompt_sha256=p.request.prompt_sha256,
        shown=tuple(fact.id for fact in known) or None,
    )
    text = verdict.candidate.text
    if verdict.kept:
        row = {"prompt": text, "completion": p.answer} if p.answer else None
        share = agreement if p.written is None else None
        return Example(p.id, operators.output(p.operator, text, p.answer), origin, row, share)
    return Rejected(p.id, text, verdict.by, verdict.why, origin)


class Tally:
    """Counts what was produced; kept + rejected + failed = produced, always."""

    def __init__(self) -> None:
        self.by_operator: dict[str, Counter[str]] = {}
        self.by: Counter[str] = Counter()

    def add(self, record: Example | Rejected) -> None:
        counts = self.by_operator.setdefault(record.origin.operator, Counter())
        if isinstance(record, Example):
            counts["kept"] += 1
        else:
            counts["failed" if record.by == "engine" else "rejected"] += 1
            self.by[record.by] += 1

    def withdraw(self, record: Rejected) -> None:
        """A kept example is taken back."""
        self.by_operator[record.origin.operator]["kept"] -= 1
        self.add(record)

    def as_json(self, produced: int) -> Json:
        """Raises AssertionError where something disappeared: that would be a bug."""
        totals = {
            key: sum(c[key] for c in self.by_operator.values())
            for key in ("kept", "rejected", "failed")
        }
        assert sum(totals.values()) == produced, (
            "a produced text is neither kept nor rejected nor failed"
        )
        return {
            "produced": produced,
            **totals,
            "by": dict(sorted(self.by.items())),
            "by_operator": {
                name: dict(counts) for name, counts in sorted(self.by_operator.items())
            },
        }
