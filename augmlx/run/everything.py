"""All of the line in one call, as `augmlx run` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.augment import coverage
from augmlx.core.counting import counted
from augmlx.core.records import Json
from augmlx.evaluation.summary import Summary
from augmlx.run.pipeline import Pipeline
from augmlx.run.rounds import require_comparison, run_rounds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a whole run came to.

    Args:
        counts: what was produced, kept, rejected and failed in the augmentation.
        summary: what the comparison of the arms measured; None where nothing can be asked.
        rounds: an entry for each later round: right answers before and after, whether it was kept.
        adapter: the folder in mlx-lm's own format.
        exported: the PEFT folder; None where the adapter or its model has no such form.
        report: the HTML file.
    """

    counts: Json
    summary: Summary | None
    rounds: Sequence[Json]
    adapter: Path
    exported: Path | None
    report: Path


def run_all(pipeline: Pipeline, *, rounds: int = 1) -> Outcome:
    """Augment, train, evaluate, export and report; what is finished and up to date is skipped.

    Args:
        pipeline: over a run folder that holds the facts.
        rounds: how often the facts are read; from the second time on by the tuned model.

    Raises BadInput, BadSettings, ModelError and RunError, as the stages do.
    """
    if rounds > 1:
        require_comparison(pipeline.settings)
    counts = pipeline.augment()
    pipeline.progress.say(counts_line(counts))
    for line in uncovered_lines(pipeline):
        pipeline.progress.say(line)
    pipeline.train()
    summary = pipeline.evaluate_if_possible()
    entries: Sequence[Json] = ()
    if rounds > 1 and summary is not None:
        entries = run_rounds(pipeline, rounds)
        summary = pipeline.evaluate()
    exported = pipeline.export_if_possible()
    return Outcome(counts, summary, entries, pipeline.run.adapter, exported, pipeline.report())


def counts_line(counts: Json) -> str:
    """One line on what an augmentation produced."""
    facts = counted(counts["facts"], "fact")
    rest = "{produced} produced, {kept} kept, {rejected} rejected, {failed} failed"
    line = f"{facts}: {rest.format(**counts)}"
    by_hand = counts.get("by_hand")
    if not by_hand:
        return line
    edits = "{struck} struck out, {changed} changed, {added} added".format(**by_hand)
    gone = f", {by_hand['gone']} of facts that are gone" if by_hand["gone"] else ""
    return f"{line}; by hand {edits}{gone}"


def uncovered_lines(pipeline: Pipeline) -> list[str]:
    """A few lines on the facts of which nothing was kept in some direction, and what may help."""
    gaps = coverage.read(pipeline.run)
    return coverage.lines(gaps, len(pipeline.facts()), pipeline.operators_folder)
