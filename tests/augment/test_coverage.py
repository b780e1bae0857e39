"""Which facts lack a text in which direction, and what is said of it."""

from __future__ import annotations

from pathlib import Path

from augmlx.augment.coverage import Gap, as_json, gaps, lines
from augmlx.augment.filters import FILTERS
from augmlx.augment.operators import load
from augmlx.augment.plan import Plan
from augmlx.core.records import Example, Fact, Json, Origin
from augmlx.core.settings import AugmentSettings
from augmlx.engines.scripted import ScriptedEngine

FACTS = [
    Fact("a", "Ada Brandt owns the Bor mill.", "facts.csv:2"),
    Fact("b", "Cy Dahl founded the Elm shop.", "facts.csv:3"),
    Fact("c", "It rained.", "facts.csv:4"),  # nothing in it can be asked for
]
NAMES = ("reversal", "qa-forward", "contraposition", "identity-bridge", "bridge")


def plan() -> Plan:
    operators = load(NAMES, FILTERS)
    engine = ScriptedEngine(lambda _: " x.")
    return Plan(FACTS, operators, AugmentSettings(operators=NAMES), seed=0, engine=engine)


def origin(fact: str, operator: str) -> Origin:
    return Origin((fact,), operator, "scripted", "m", 0, 0, "")


def rejected(fact: str, operator: str, by: str) -> Json:
    return {"by": by, "origin": {"fact_ids": [fact], "operator": operator}}


def test_a_gap_tells_what_rejected_most_and_what_was_not_asked() -> None:
    kept = [
        Example("a/reversal/0", "x", origin("a", "reversal")),
        Example("a/qa-forward/0", "x", origin("a", "qa-forward")),
    ]
    rows = [
        rejected("a", "reversal", "vote"),  # another sample was kept
        rejected("b", "reversal", "vote"),
        rejected("b", "reversal", "entity"),
        rejected("b", "reversal", "entity"),
        rejected("c", "reversal", "form"),
        rejected("b", "qa-forward", "engine"),
    ]
    found = gaps(FACTS, plan(), kept, rows)
    assert found == [
        Gap("b", "facts.csv:3", "reversal", {"entity": 2, "vote": 1}),
        Gap("c", "facts.csv:4", "reversal", {"form": 1}),
        Gap("b", "facts.csv:3", "qa-forward", {"engine": 1}),
        Gap("c", "facts.csv:4", "qa-forward", {}),
    ]
    assert [gap.by for gap in found] == ["entity", "form", "engine", "not asked"]
    assert as_json(found) == {
        "reversal": {"entity": ["b"], "form": ["c"]},
        "qa-forward": {"engine": ["b"], "not asked": ["c"]},
    }


def test_what_is_said_is_short_and_speaks_of_places_only() -> None:
    missing = [
        Gap(f"f{number:04d}", f"facts.csv:{number + 1}", direction, {by: 4})
        for direction in ("reversal", "rephrase", "qa-forward", "qa-reverse", "own", "other")
        for number, by in enumerate(["entity"] * 40 + ["vote", "form", "form", "engine", "swap"], 1)
    ]
    told = lines(missing, 49, Path("facts"))
    assert len(told) <= 8
    assert told[0] == "nothing kept in some direction for 45 of 49 facts (all: uncovered.jsonl):"
    assert told[1] == (
        "  no reversal for 45: 40 dropped by entity (f0001 at facts.csv:2, f0002 at facts.csv:3, "
        "...), 2 dropped by form (f0042 at facts.csv:43, f0043 at facts.csv:44), 1 dropped by "
        "engine (f0044 at facts.csv:45), 2 by others"
    )
    assert told[5] == "  and no own, no other"
    assert "facts/exemplars.csv" in told[-1]
    assert "beside an augmlx.toml" in lines(missing, 49, None)[-1]


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert lines([], 49, None) == []
