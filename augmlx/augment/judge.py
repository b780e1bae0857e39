"""Journal -> kept examples and rejected texts, each with its origin, and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from augmlx.augment import filters, operators
from augmlx.augment.fact_index import names_in
from augmlx.augment.filters import Candidate, Verdict
from augmlx.augment.groups import TOGETHER, Group, groups_of
from augmlx.augment.journal import Journal
from augmlx.augment.plan import Plan, Planned
from augmlx.core.records import Example, Fact, Json, Origin, Rejected
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Engine
from augmlx.english.sameness import wording

_BY_ENGINE = "engine"  # rejects what could not be written, where a filter's name stands else


def collect(
    plan: Plan, journal: Journal, settings: AugmentSettings, *, engine: Engine, seed: int
) -> Iterator[Example | Rejected]:
    """Judge the journalled completions: one record for each that was drawn, in the order of the
    plan.

    A completion that the engine could not write is rejected "by engine" and counts as failed.

    Args:
        plan: all requests.
        journal: holds their completions and scores, and takes the verdicts.
        settings: the filters' thresholds.
        engine: what wrote, as origins name it.
        seed: of the run, as origins name it.
    """
    groups = groups_of(plan, journal)
    while several := list(islice(groups, TOGETHER)):
        judged = []
        for group in several:
            verdicts = _verdicts(group, settings)
            for planned, verdict in zip(group.members, verdicts, strict=True):
                judged.append((group, planned, verdict))
        journal.judge(
            (planned.request.key, verdict.kept, verdict.by, verdict.why)
            for _, planned, verdict in judged
        )
        for group, planned, verdict in judged:
            origin = _origin(planned, verdict, engine, seed)
            yield _record(group, planned, verdict, origin)


def _verdicts(group: Group, settings: AugmentSettings) -> list[Verdict]:
    """One verdict per member, in order."""
    names = group.operator.filters
    verdicts = filters.judge(group.candidates, names, settings, group.scores)
    by_sample = {verdict.candidate.sample: verdict for verdict in verdicts}
    for sample, why in group.failed.items():
        nothing = Candidate(sample, text="", source="", finish="error")
        by_sample[sample] = Verdict(nothing, _BY_ENGINE, why)
    return [by_sample[planned.sample] for planned in group.members]


def _record(group: Group, planned: Planned, verdict: Verdict, origin: Origin) -> Example | Rejected:
    text, answer = verdict.candidate.text, verdict.candidate.answer
    if not verdict.kept:
        return Rejected(planned.id, text, verdict.by, verdict.why, origin)
    return Example(
        id=planned.id,
        text=operators.output(planned.operator, text, answer),
        origin=origin,
        row={"prompt": text, "completion": answer} if answer else None,
        agreement=_agreement(group, planned, text) if planned.written is None else None,
        known=filters.is_known(verdict.candidate, planned.operator.filters),
    )


def _agreement(group: Group, planned: Planned, text: str) -> float:
    """The share of the samples that say what this one says, among those of the same lead."""
    samples = {other.sample for other in group.members if other.lead == planned.lead}
    mine = wording(text)
    same = [
        candidate
        for candidate in group.candidates
        if candidate.sample in samples and wording(candidate.text) == mine
    ]
    return round(len(same) / len(samples), 3)


def _origin(planned: Planned, verdict: Verdict, engine: Engine, seed: int) -> Origin:
    by_rule = planned.written is not None
    shown = tuple(fact.id for fact in planned.premises.known)
    return Origin(
        fact_ids=tuple(fact.id for fact in _used(planned, verdict)),
        operator=planned.operator.name,
        engine="rule" if by_rule else engine.name,
        model="" if by_rule else engine.model,
        seed=seed,
        sample=planned.sample,
        prompt_sha256=planned.request.prompt_sha256,
        shown=shown or None,
        removed=verdict.candidate.removed or None,
    )


def _used(planned: Planned, verdict: Verdict) -> tuple[Fact, ...]:
    """The facts that a text was made from: of all that were shown, those that it speaks of."""
    facts, known = planned.premises.facts, planned.premises.known
    if not known or not verdict.kept:
        return facts
    names = names_in(verdict.candidate.text)
    others = [fact for fact in known if fact not in facts]
    spoken_of = [fact for fact in others if names & names_in(fact.text)]
    return (*facts, *spoken_of)


class Tally:
    """Counts what was produced; kept + rejected + failed = produced, always.

    Attributes:
        by_operator: operator -> how many were kept, rejected, failed.
        by: what rejected them -> how many.
        failure: why the engine could not write the last that failed.
    """

    def __init__(self) -> None:
        self.by_operator: dict[str, Counter[str]] = {}
        self.by: Counter[str] = Counter()
        self.failure = ""

    def add(self, record: Example | Rejected) -> None:
        """Count one record."""
        counts = self.by_operator.setdefault(record.origin.operator, Counter())
        if isinstance(record, Example):
            counts["kept"] += 1
            return
        self.by[record.by] += 1
        if record.by == _BY_ENGINE:
            counts["failed"] += 1
            self.failure = record.why
        else:
            counts["rejected"] += 1

    def withdraw(self, record: Rejected) -> None:
        """Count a kept example that is taken back."""
        self.by_operator[record.origin.operator]["kept"] -= 1
        self.add(record)

    def as_json(self) -> Json:
        """The counts of all texts that were produced."""
        totals = {}
        for outcome in ("kept", "rejected", "failed"):
            totals[outcome] = sum(counts[outcome] for counts in self.by_operator.values())
        produced = sum(totals.values())
        by_operator = {name: dict(counts) for name, counts in sorted(self.by_operator.items())}
        by = dict(sorted(self.by.items()))
        return {"produced": produced, **totals, "by": by, "by_operator": by_operator}
