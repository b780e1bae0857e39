"""What a run is tested on: only what more than a vote says is right."""

from __future__ import annotations

from dataclasses import replace

from tiny.line import Setup

from augmlx.core.files import write_jsonl
from augmlx.core.records import to_json
from augmlx.evaluation.run_items import items_of


def test_what_only_the_vote_passed_is_not_asked_about(setup: Setup) -> None:
    pipeline = setup.open(**{"split.test": 0.9})
    pipeline.augment()
    kept = list(setup.run.kept_examples())
    assert {example.known for example in kept} == {True}  # "The Bor mill is owned by Ada Brandt."
    items, notes = items_of(setup.run, pipeline.facts(), [], pipeline.settings)
    asked = [item for item in items if item.kind == "reversal"]
    assert asked
    assert not any("not asked about" in note for note in notes)

    write_jsonl(setup.run.augmented, [to_json(replace(each, known=False)) for each in kept])
    items, notes = items_of(setup.run, pipeline.facts(), [], pipeline.settings)
    assert items
    assert not [item for item in items if item.kind == "reversal"]
    assert any("not asked about" in note for note in notes)

    write_jsonl(setup.run.augmented, [to_json(replace(each, known=None)) for each in kept])
    assert len(items_of(setup.run, pipeline.facts(), [], pipeline.settings)[0]) > len(items)
