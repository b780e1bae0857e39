"""Facts x operators -> journal -> examples: nothing disappears, nothing is generated twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import Tally, collect, generate, load_operators, original
from augmlx.engine import Completion, Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.journal import Journal, open_journal
from augmlx.plan import Plan
from augmlx.progress import Silent
from augmlx.records import Example, Fact, Origin, Rejected
from augmlx.settings import AugmentSettings

FACTS = [
    Fact("a", "Mara Voss is the head of the Lumen Lab.", "facts.csv:2"),
    Fact("b", "Yusuf Adel designed the Heron lamp.", "facts.csv:3"),
    Fact("c", "Rain.", "facts.csv:4"),
    Fact("d", "{{ 7*7 }} Ana owns Zorb.", "facts.csv:5"),
]
ANSWERS = {
    ("a", "reversal"): " is Mara Voss.",
    ("b", "reversal"): " was designed by Yusuf Adel.",
    ("a", "rephrase"): " serves as the head of the Lumen Lab.",
    ("b", "rephrase"): " is the designer of the Heron lamp.",
}


def script(request: Request) -> str:
    """Right in the even samples, a lost relation in the odd ones."""
    _, fact, operator, sample = request.seed.split(":")
    return ANSWERS.get((fact, operator), " nothing") if int(sample) % 2 == 0 else " is a thing."


def engine(write: Callable[[Request], str | Completion] = script) -> ScriptedEngine:
    return ScriptedEngine(write)


def config(**changed: Any) -> AugmentSettings:
    return AugmentSettings(**{"samples": 4, **changed})


def run(
    journal: Journal, used: ScriptedEngine, facts: Sequence[Fact] = FACTS, seed: int = 0, **changed: Any
) -> list[Example | Rejected]:
    chosen = config(**changed)
    planned = Plan(facts, load_operators(chosen), chosen, seed=seed, engine=used)
    generate(planned, used, journal, chosen.batch_size, Silent())
    return list(collect(planned, journal, chosen, engine=used, seed=seed))


def test_right_statements_are_kept_with_their_origin() -> None:
    with open_journal(None) as journal:
        records = run(journal, engine())
    kept = {r.id: r for r in records if isinstance(r, Example)}
    assert {name: example.text for name, example in kept.items()} == {
        "a/reversal/0": "The head of the Lumen Lab is Mara Voss.",
        "b/reversal/0": "The Heron lamp was designed by Yusuf Adel.",
        "a/rephrase/0": "Mara Voss serves as the head of the Lumen Lab.",
        "b/rephrase/0": "Yusuf Adel is the designer of the Heron lamp.",
    }
    origin = kept["b/reversal/0"].origin
    assert (origin.fact_ids, origin.operator, origin.sample) == (("b",), "reversal", 0)
    assert (origin.engine, origin.model, origin.seed) == ("scripted", "script", 0)
    assert len(origin.prompt_sha256) == 64


def test_there_is_one_record_for_each_request_in_the_order_of_the_plan() -> None:
    with open_journal(None) as journal:
        records = run(journal, engine())
    operators, samples = ("reversal", "rephrase"), range(4)
    assert [r.id for r in records] == [f"{f.id}/{o}/{s}" for o in operators for f in FACTS for s in samples]
    tally = Tally()
    for record in records:
        tally.add(record)
    counts = tally.as_json(len(records))
    assert counts["kept"] + counts["rejected"] + counts["failed"] == counts["produced"] == 32
    assert sum(counts["by"].values()) == counts["rejected"] + counts["failed"]
    assert set(counts["by_operator"]) == set(operators)


def test_the_tally_refuses_to_lose_a_text() -> None:
    tally = Tally()
    tally.add(original(FACTS[0]))
    assert tally.as_json(1)["kept"] == 1
    with pytest.raises(AssertionError):
        tally.as_json(2)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_the_batch_size_changes_nothing(batch_size: int, samples: int, seed: int) -> None:
    with open_journal(None) as one, open_journal(None) as other:
        expected = run(one, engine(), samples=samples, seed=seed, batch_size=1024)
        assert run(other, engine(), samples=samples, seed=seed, batch_size=batch_size) == expected


@given(st.permutations(FACTS))
@settings(max_examples=15, deadline=None)
def test_a_fact_is_judged_the_same_wherever_it_stands(facts: list[Fact]) -> None:
    with open_journal(None) as one, open_journal(None) as other:
        expected = {record.id: record for record in run(one, engine())}
        assert {record.id: record for record in run(other, engine(), facts)} == expected


def test_the_same_again_generates_nothing(tmp_path: Path) -> None:
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        first = run(journal, used)
    with open_journal(tmp_path / "j") as journal:
        assert run(journal, used) == first
    assert used.generated == 32


@pytest.mark.parametrize("stop_after", [0, 1, 23, 24, 25, 31])
def test_an_interrupted_run_generates_only_the_missing_batches(tmp_path: Path, stop_after: int) -> None:
    with open_journal(None) as journal:
        undisturbed = run(journal, engine(), batch_size=6)
    left = stop_after

    def until(request: Request) -> str:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return script(request)

    with pytest.raises(KeyboardInterrupt), open_journal(tmp_path / "j") as journal:
        run(journal, engine(until), batch_size=6)
    whole = stop_after // 24 * 24  # four batches are journalled together; those it was in are replayed whole
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        assert journal.counts()["completions"] == whole
        assert run(journal, used, batch_size=6) == undisturbed
    assert used.generated == 32 - whole


def test_a_changed_operator_setting_judges_again_without_generating(tmp_path: Path) -> None:
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        run(journal, used)
        kept = [r for r in run(journal, used, keep=1, vote_share=0.0) if isinstance(r, Example)]
        assert used.generated == 32
        assert len(kept) == 4
        assert journal.counts()["verdicts"] == 32


def test_a_new_fact_costs_its_own_requests_only(tmp_path: Path) -> None:
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        run(journal, used)
        run(journal, used, [*FACTS, Fact("e", "Ana owns Zorb.", "facts.csv:6")])
    assert used.generated == 32 + 8


def keys(facts: Sequence[Fact] = FACTS[:1], *, seed: int = 0, by: str = "e", **changed: Any) -> list[str]:
    chosen = config(**changed)
    used = ScriptedEngine(script, model=by)
    return [p.request.key for p in Plan(facts, load_operators(chosen), chosen, seed=seed, engine=used)]


def test_no_two_requests_share_a_key() -> None:
    assert len(set(keys(FACTS, samples=8))) == len(FACTS) * 2 * 8


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"by": "another engine"},
        {"temperature": 0.7},
        {"top_p": 0.5},
        {"max_tokens": 32},
        {"prompting": "chat"},
        {"facts": [Fact("a", "Mara Voss is the head of the Lumen Lamp.", "facts.csv:2")]},
        {"facts": [Fact("z", FACTS[0].text, "facts.csv:2")]},
    ],
)
def test_a_key_changes_with_whatever_a_completion_depends_on(changed: dict[str, Any]) -> None:
    sampled = [key for n, key in enumerate(keys(**changed)) if n % 4]
    assert not set(sampled) & set(keys())


@pytest.mark.parametrize(
    "changed",
    [
        {"batch_size": 7},
        {"keep": 1},
        {"vote_share": 0.1},
        {"duplicate_similarity": 0.5},
        {"facts": [Fact("a", FACTS[0].text, "other.csv:9", group="g", row={"x": 1})]},
    ],
)
def test_a_key_does_not_change_with_anything_else(changed: dict[str, Any]) -> None:
    assert keys(**changed) == keys()


def test_the_greedy_sample_does_not_depend_on_the_temperature() -> None:
    assert [k for n, k in enumerate(keys(temperature=0.2, top_p=0.5)) if n % 4 == 0] == keys()[::4]
    assert keys(samples=8)[:4] == keys(samples=4)[:4]  # more samples keep those that were drawn


def test_a_users_template_is_part_of_the_key(tmp_path: Path) -> None:
    shipped = load_operators(config())[0]
    changed = shipped.model_copy(update={"instruction": "Turn it round."})
    one, other = (next(iter(Plan(FACTS, [o], config(), seed=0, engine=engine()))).request for o in (shipped, changed))
    assert one.key != other.key


def test_what_the_engine_cannot_write_counts_as_failed_with_its_reason() -> None:
    def write(request: Request) -> str | Completion:
        failed = request.seed.startswith("0:a:reversal:1")
        return Completion(request.key, "the prompt is too long", "error", 0) if failed else script(request)

    with open_journal(None) as journal:
        records = run(journal, engine(write))
    failed = [r for r in records if isinstance(r, Rejected) and r.by == "engine"]
    assert [(r.id, r.text, r.why) for r in failed] == [("a/reversal/1", "", "the prompt is too long")]
    tally = Tally()
    for record in records:
        tally.add(record)
    assert tally.as_json(len(records))["failed"] == 1
    assert any(r.id == "a/reversal/0" and isinstance(r, Example) for r in records)


def test_failures_take_no_part_in_the_vote() -> None:
    def write(request: Request) -> str | Completion:
        if request.seed.endswith(":0"):
            return script(request)
        return Completion(request.key, "no", "error", 0)

    with open_journal(None) as journal:
        records = run(journal, engine(write), FACTS[:1], vote_share=1.0)
    assert sum(isinstance(r, Example) for r in records) == 2


def test_a_text_cut_off_at_the_limit_is_dropped() -> None:
    with open_journal(None) as journal:
        records = run(journal, engine(lambda r: Completion(r.key, script(r), "length", 64)), FACTS[:1])
    assert {r.by for r in records if isinstance(r, Rejected)} == {"form"}
    assert len(records) == 8


def test_an_original_is_an_example_of_its_own() -> None:
    example = original(FACTS[3])
    assert (example.id, example.text) == ("d/original", FACTS[3].text)
    assert example.origin == Origin(("d",), "original", "", "", 0, 0, "")


def test_no_facts_give_no_records() -> None:
    with open_journal(None) as journal:
        assert run(journal, engine(), []) == []
