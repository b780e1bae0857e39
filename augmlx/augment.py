"""Facts x operators -> journal -> examples.

The requests are planned in one fixed order (operator, fact, sample) and cut into batches before the first one runs.
A batch is journalled whole, so a run that was killed goes on with the batch it was in and ends with the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from augmlx import operators
from augmlx.engine import Completion, Engine, Request
from augmlx.filters import FILTERS, Candidate, Verdict, judge
from augmlx.journal import Journal
from augmlx.operators import Operator
from augmlx.progress import Progress
from augmlx.records import Example, Fact, Json, Origin, Rejected, fingerprint
from augmlx.settings import AugmentSettings


@dataclass(frozen=True, slots=True)
class Planned:
    """One request with what it is for. The produced text is `prefill` + what the engine writes."""

    request: Request
    fact: Fact
    operator: Operator
    sample: int
    prefill: str


def load_operators(settings: AugmentSettings, folder: Path | None = None) -> list[Operator]:
    """The operators that the settings name. Raises BadInput."""
    return operators.load(settings.operators, FILTERS, folder)


def plan(
    facts: Sequence[Fact], chosen: Sequence[Operator], settings: AugmentSettings, *, seed: int, engine: str
) -> Iterator[Planned]:
    """Every request of a run, in order. `engine` is the engine's fingerprint.

    The key names all that a completion depends on, and nothing else: not the batch size, not the device.
    """
    for operator in chosen:
        for fact in facts:
            prompt = operators.render(operator, fact)
            for sample in range(settings.samples):
                temperature = 0.0 if sample == 0 else settings.temperature
                top_p = 1.0 if sample == 0 else settings.top_p
                text_seed = f"{seed}:{fact.id}:{operator.name}:{sample}"
                what = [prompt.prefix, prompt.suffix, text_seed, temperature, top_p, settings.max_tokens, engine]
                request = Request(
                    key=fingerprint(what),
                    prefix=prompt.prefix,
                    suffix=prompt.suffix,
                    seed=text_seed,
                    temperature=temperature,
                    top_p=top_p,
                    max_tokens=settings.max_tokens,
                )
                yield Planned(request, fact, operator, sample, prompt.prefill)


def generate(
    planned: Iterable[Planned], total: int, engine: Engine, journal: Journal, batch_size: int, progress: Progress
) -> int:
    """Complete what the journal does not hold yet; returns how many completions were written now.

    Raises KeyboardInterrupt through; the batches that were finished stay.
    """
    written = 0
    stream = iter(planned)
    with progress.task("Augmenting", total) as task:
        while batch := list(islice(stream, batch_size)):
            known = journal.completions([p.request.key for p in batch])
            missing = [p for p in batch if p.request.key not in known]
            if missing:
                completions = list(engine.generate([p.request for p in missing]))
                journal.add([(p.request, p.fact.id, p.operator.name, p.sample) for p in missing], completions)
                written += len(completions)
            task.advance(len(batch))
    return written


def collect(
    planned: Iterable[Planned], journal: Journal, settings: AugmentSettings, *, engine: Engine, seed: int
) -> Iterator[Example | Rejected]:
    """Judge the journalled completions: one record for each request, in the order of the plan.

    A completion that the engine could not write is rejected "by engine" and counts as failed.
    """
    for _, group in groupby(planned, key=lambda p: (p.operator.name, p.fact.id)):
        members = list(group)
        completions = journal.completions([p.request.key for p in members])
        verdicts = _judge(members, completions, settings)
        journal.judge((p.request.key, v.kept, v.by, v.why) for p, v in zip(members, verdicts, strict=True))
        for p, verdict in zip(members, verdicts, strict=True):
            origin = Origin(
                fact_ids=(p.fact.id,),
                operator=p.operator.name,
                engine=engine.name,
                model=engine.model,
                seed=seed,
                sample=p.sample,
                prompt_sha256=p.request.prompt_sha256,
            )
            name = f"{p.fact.id}/{p.operator.name}/{p.sample}"
            text = verdict.candidate.text
            yield Example(name, text, origin) if verdict.kept else Rejected(name, text, verdict.by, verdict.why, origin)


def _judge(members: Sequence[Planned], completions: dict[str, Completion], settings: AugmentSettings) -> list[Verdict]:
    """One verdict per member, in order; those the engine failed on do not take part in the vote."""
    candidates, failed = [], {}
    for p in members:
        completion = completions[p.request.key]
        if completion.finish == "error":
            failed[p.sample] = Verdict(Candidate(p.sample, "", p.fact.text, "error"), "engine", completion.text)
            continue
        text = f"{p.prefill}{completion.text.rstrip()}" if p.prefill else completion.text.strip()
        candidates.append(Candidate(p.sample, text, p.fact.text, completion.finish))
    judged = {v.candidate.sample: v for v in judge(candidates, members[0].operator.filters, settings)}
    return [{**judged, **failed}[p.sample] for p in members]


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

    def as_json(self, produced: int) -> Json:
        """Raises AssertionError where something disappeared: that would be a bug."""
        totals = {key: sum(c[key] for c in self.by_operator.values()) for key in ("kept", "rejected", "failed")}
        assert sum(totals.values()) == produced, "a produced text is neither kept nor rejected nor failed"
        return {
            "produced": produced,
            **totals,
            "by": dict(sorted(self.by.items())),
            "by_operator": {name: dict(counts) for name, counts in sorted(self.by_operator.items())},
        }


def original(fact: Fact) -> Example:
    """A fact as a training example of its own."""
    return Example(f"{fact.id}/original", fact.text, Origin((fact.id,), "original", "", "", 0, 0, ""))
