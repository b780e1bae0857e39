"""Facts x operators -> journal -> examples: nothing disappears, nothing is generated twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny.line import Recorder

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.generate import generate, load_operators, measure
from augmlx.augment.journal import Journal, open_journal
from augmlx.augment.judge import Tally, collect
from augmlx.augment.operators import exemplars
from augmlx.augment.plan import Plan
from augmlx.core.errors import ModelError
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import (
    Example,
    Fact,
    Origin,
    Rejected,
    example_from_json,
    original,
    to_json,
)
from augmlx.core.settings import AugmentSettings
from augmlx.data.facts import read_facts
from augmlx.engines.protocol import Completion, Request
from augmlx.engines.scripted import ScriptedEngine

FACTS = [
    Fact("a", "Mara Voss is the head of the Lumen Lab.", "facts.csv:2"),
    Fact("b", "Yusuf Adel designed the Heron lamp.", "facts.csv:3"),
    Fact("c", "Rain.", "facts.csv:4"),
    Fact("d", "{{ 7*7 }} Ana owns Zorb.", "facts.csv:5"),
]
ANSWERS = {
    ("a", "reversal"): ["The head of the Lumen Lab is Mara Voss."],
    ("b", "reversal"): ["The Heron lamp was designed by Yusuf Adel."],
    ("a", "rephrase"): [
        "It is Mara Voss who is the head of the Lumen Lab.",
        "Mara Voss serves as the head of the Lumen Lab.",
    ],
    ("b", "rephrase"): [
        "It was Yusuf Adel who designed the Heron lamp.",
        "Yusuf Adel is the designer of the Heron lamp.",
    ],
}


def script(request: Request) -> str:
    """Right where the greedy samples of each lead stand, a lost relation elsewhere."""
    _, fact, operator, sample = request.seed.split(":")
    right = [
        text.removeprefix(request.opening)
        for text in ANSWERS.get((fact, operator), [" nothing"])
        if text.startswith(request.opening)
    ]
    return right[0] if right and int(sample) < 2 else " is a thing."


def engine(write: Callable[[Request], str | Completion] = script) -> ScriptedEngine:
    return ScriptedEngine(write)


def config(**changed: Any) -> AugmentSettings:
    plain = {"samples": 4, "operators": ("reversal", "rephrase")}
    return AugmentSettings(**{**plain, **changed})


def run(
    journal: Journal,
    used: ScriptedEngine,
    facts: Sequence[Fact] = FACTS,
    seed: int = 0,
    progress: Progress | None = None,
    **changed: Any,
) -> list[Example | Rejected]:
    chosen = config(**changed)
    planned = Plan(facts, load_operators(chosen), chosen, seed=seed, engine=used)
    generate(planned, used, journal, chosen.batch_size, progress or Silent())
    return list(collect(planned, journal, chosen, engine=used, seed=seed))


def test_right_statements_are_kept_with_their_origin() -> None:
    with open_journal(None) as journal:
        records = run(journal, engine())
    kept = {r.id: r for r in records if isinstance(r, Example)}
    assert {name: example.text for name, example in kept.items()} == {
        "a/reversal/0": "The head of the Lumen Lab is Mara Voss.",
        "b/reversal/0": "The Heron lamp was designed by Yusuf Adel.",
        "a/rephrase/0": "It is Mara Voss who is the head of the Lumen Lab.",
        "b/rephrase/0": "It was Yusuf Adel who designed the Heron lamp.",
        "a/rephrase/1": "Mara Voss serves as the head of the Lumen Lab.",
        "b/rephrase/1": "Yusuf Adel is the designer of the Heron lamp.",
    }
    origin = kept["b/reversal/0"].origin
    assert (origin.fact_ids, origin.operator, origin.sample) == (("b",), "reversal", 0)
    assert (origin.engine, origin.model, origin.seed) == ("scripted", "script", 0)
    assert len(origin.prompt_sha256) == 64


def test_a_row_with_filler_is_put_to_the_model_in_plain_words_and_stays_as_it_is(
    tmp_path: Path,
) -> None:
    row = {
        "prompt": "Known for being the head of the Lumen Lab,",
        "completion": " Mara Voss now enjoys a quiet life.",
    }
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "a", **row}))
    facts = read_facts(file).facts
    asked: list[str] = []

    def write(request: Request) -> str:
        asked.append(request.suffix)
        questions = {"qa-reverse": "Who is the head of the Lumen Lab?", "qa-forward": "Who is Mara"}
        operator = request.seed.split(":")[2]
        text = questions.get(operator, "")
        return text.removeprefix(request.opening) if text else script(request)

    with open_journal(None) as journal:
        names = ("reversal", "rephrase", "qa-forward", "qa-reverse")
        records = run(journal, engine(write), facts, operators=names)
    kept = [record for record in records if isinstance(record, Example)]
    assert {example.text for example in kept} == {
        "The head of the Lumen Lab is Mara Voss.",
        "It is Mara Voss who is the head of the Lumen Lab.",
        "Mara Voss serves as the head of the Lumen Lab.",
        "Question: Who is the head of the Lumen Lab?\nAnswer: Mara Voss",
    }
    assert {example.origin.fact_ids for example in kept} == {("a",)}
    assert all("Mara Voss is the head of the Lumen Lab." in suffix for suffix in asked)
    assert not any("quiet life" in suffix for suffix in asked)
    assert original(facts[0]).row == row
    assert facts[0].text == row["prompt"] + row["completion"]


def test_there_is_one_record_for_each_text_that_was_drawn_in_the_order_of_the_plan() -> None:
    """A lead whose first sample is known to be right is settled; of the others all are drawn."""
    with open_journal(None) as journal:
        records = run(journal, engine())
    drawn = {
        "reversal": {"a": [0], "b": [0], "c": [0, 1, 2, 3], "d": [0, 1, 2, 3]},
        "rephrase": {"a": [0, 1, 3], "b": [0, 1, 3], "c": [0, 1, 2, 3], "d": [0, 1, 2, 3]},
    }
    assert [r.id for r in records] == [
        f"{fact}/{operator}/{sample}"
        for operator, facts in drawn.items()
        for fact, samples in facts.items()
        for sample in samples
    ]
    tally = Tally()
    for record in records:
        tally.add(record)
    counts = tally.as_json()
    assert counts["kept"] + counts["rejected"] + counts["failed"] == counts["produced"]
    assert counts["produced"] == len(records)
    assert sum(counts["by"].values()) == counts["rejected"] + counts["failed"]
    assert set(counts["by_operator"]) == {"reversal", "rephrase"}


def test_what_cannot_be_told_is_drawn_as_often_as_the_settings_say() -> None:
    with open_journal(None) as journal:
        records = run(journal, engine(lambda _: " is a thing."), FACTS[:1], samples=6)
    by_operator = Counter(record.origin.operator for record in records)
    assert by_operator == {"reversal": 6, "rephrase": 4}  # the shipped limit of the latter


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
    assert used.generated == len(first)


@pytest.mark.parametrize("stop_after", [0, 1, 7, 8, 9, 17, 23])
def test_an_interrupted_run_generates_only_the_missing_batches(
    tmp_path: Path, stop_after: int
) -> None:
    with open_journal(None) as journal:
        undisturbed = run(journal, engine(), batch_size=2)
    left = stop_after

    def until(request: Request) -> str:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return script(request)

    with pytest.raises(KeyboardInterrupt), open_journal(tmp_path / "j") as journal:
        run(journal, engine(until), batch_size=2)
    used, progress = engine(), Recorder()
    with open_journal(tmp_path / "j") as journal:
        whole = journal.counts()["completions"]
        # Four batches are journalled together; those that it was in are replayed whole.
        assert stop_after - 8 < whole <= stop_after
        assert run(journal, used, batch_size=2, progress=progress) == undisturbed
    assert used.generated == len(undisturbed) - whole
    assert ("what stands in the journal is not generated again" in progress.said) == bool(whole)


def test_a_changed_operator_setting_judges_again_without_generating(tmp_path: Path) -> None:
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        first = run(journal, used)
        kept = [r for r in run(journal, used, keep=1, vote_share=0.0) if isinstance(r, Example)]
        assert used.generated == len(first)
        assert len(kept) == 4
        assert journal.counts()["verdicts"] == len(first)


def test_a_new_fact_costs_its_own_requests_only(tmp_path: Path) -> None:
    used = engine()
    with open_journal(tmp_path / "j") as journal:
        first = run(journal, used)
        more = run(journal, used, [*FACTS, Fact("e", "Ana owns Zorb.", "facts.csv:6")])
    assert used.generated == len(more)
    assert {record.id for record in first} <= {record.id for record in more}


def keys(
    facts: Sequence[Fact] = FACTS[:1], *, seed: int = 0, by: str = "e", **changed: Any
) -> list[str]:
    chosen = config(**changed)
    used = ScriptedEngine(script, model=by)
    return [
        p.request.key for p in Plan(facts, load_operators(chosen), chosen, seed=seed, engine=used)
    ]


def test_no_two_requests_share_a_key() -> None:
    assert len(set(keys(FACTS, samples=8))) == len(FACTS) * (8 + 4)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"by": "another engine"},
        {"temperature": 0.7},
        {"top_p": 0.5},
        {"max_tokens": 32},
        {"prompting": "chat"},
        {"prompting": "turns"},
        {"facts": [Fact("a", "Mara Voss is the head of the Lumen Lamp.", "facts.csv:2")]},
        {"facts": [Fact("z", FACTS[0].text, "facts.csv:2")]},
    ],
)
def test_a_key_changes_with_whatever_a_completion_depends_on(changed: dict[str, Any]) -> None:
    """But the greedy samples: the first of each lead."""
    greedy = {keys()[n] for n in (0, 4, 5, 6)}
    assert not set(keys(**changed)) & (set(keys()) - greedy)


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
    cooler = keys(temperature=0.2, top_p=0.5)
    assert [
        n for n, (one, other) in enumerate(zip(cooler, keys(), strict=True)) if one == other
    ] == [0, 4, 5, 6]
    assert keys(samples=8)[:4] == keys(samples=4)[:4]  # more samples keep those that were drawn


def test_a_users_template_is_part_of_the_key(tmp_path: Path) -> None:
    shipped = load_operators(config())[0]
    changed = shipped.model_copy(update={"instruction": "Turn it round."})
    one, other = (
        next(iter(Plan(FACTS, [o], config(), seed=0, engine=engine()))).request
        for o in (shipped, changed)
    )
    assert one.key != other.key


@pytest.mark.parametrize("changed", [{"system": "Turn it round."}, {"exemplars": None}])
def test_what_a_chat_has_before_the_message_is_part_of_the_key(changed: dict[str, Any]) -> None:
    in_turns = config(prompting="turns")
    shipped = load_operators(in_turns)[0]
    if "exemplars" in changed:
        changed = {"exemplars": shipped.exemplars[:-1]}
    one, other = (
        next(iter(Plan(FACTS, [o], in_turns, seed=0, engine=engine()))).request
        for o in (shipped, shipped.model_copy(update=changed))
    )
    assert one.content == other.content
    assert one.key != other.key


def test_what_the_engine_cannot_write_counts_as_failed_with_its_reason() -> None:
    def write(request: Request) -> str | Completion:
        failed = request.seed.startswith("0:a:reversal:0")
        return (
            Completion(request.key, "the prompt is too long", "error", 0)
            if failed
            else script(request)
        )

    with open_journal(None) as journal:
        records = run(journal, engine(write))
    failed = [r for r in records if isinstance(r, Rejected) and r.by == "engine"]
    assert [(r.id, r.text, r.why) for r in failed] == [
        ("a/reversal/0", "", "the prompt is too long")
    ]
    tally = Tally()
    for record in records:
        tally.add(record)
    assert tally.as_json()["failed"] == 1
    assert any(r.id == "a/reversal/1" and isinstance(r, Example) for r in records)


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
        records = run(
            journal, engine(lambda r: Completion(r.key, script(r), "length", 64)), FACTS[:1]
        )
    assert {r.by for r in records if isinstance(r, Rejected)} == {"form"}
    assert len(records) == 8


def test_an_original_is_an_example_of_its_own() -> None:
    example = original(FACTS[3])
    assert (example.id, example.text) == ("d/original", FACTS[3].text)
    assert example.origin == Origin(("d",), "original", "", "", 0, 0, "")


def test_no_facts_give_no_records() -> None:
    with open_journal(None) as journal:
        assert run(journal, engine(), []) == []


def test_what_a_model_says_around_a_text_is_taken_off_and_named() -> None:
    [right] = ANSWERS["a", "reversal"]
    reworded = "Mara Voss serves as the head of the Lumen Lab."
    said = {
        "reversal:0": right.removeprefix("The head of the Lumen Lab is") + '"\nNote: turned round.',
        "free:0": f"Sure! Here it is:\n1. **{reworded}**\nNote: in other words.",
    }

    def write(request: Request) -> str:
        return said.get(request.seed.removeprefix("0:a:"), " nothing")

    chosen = config(prompting="turns")
    reversal, rephrase = load_operators(chosen)
    free = rephrase.model_copy(update={"name": "free", "prefill": "none", "filters": ("form",)})
    used = engine(write)
    with open_journal(None) as journal:
        plan = Plan(FACTS[:1], [reversal, free], chosen, seed=0, engine=used)
        generate(plan, used, journal, chosen.batch_size, Silent())
        records = list(collect(plan, journal, chosen, engine=used, seed=0))
    kept = {r.id: r for r in records if isinstance(r, Example)}
    assert kept["a/reversal/0"].text == right
    assert kept["a/reversal/0"].origin.removed == ("quotes",)  # the stop ended it before the note
    assert kept["a/free/0"].text == reworded
    assert kept["a/free/0"].origin.removed == ("talk", "rest", "markup", "numbering")
    for example in kept.values():
        assert example_from_json(json.loads(json.dumps(to_json(example)))) == example


def test_what_is_cut_off_behind_the_text_does_not_count_as_cut_off() -> None:
    asked = "Who is the head of the Lumen Lab?"

    def write(request: Request) -> Completion:
        behind = "\n\nThis question asks" if request.seed.endswith(":1") else ""
        return Completion(request.key, f"{asked}{behind}", "length", 32)

    chosen = {"operators": ("qa-reverse",), "prompting": "turns", "vote_share": 0.0}
    with open_journal(None) as journal:
        first, second = run(journal, engine(write), FACTS[:1], **chosen)
    assert isinstance(first, Rejected)
    assert first.why == "cut off at the token limit"
    assert isinstance(second, Example)


# Measures

MEASURED = "m"
GOOD = " is Mara Voss."


def measured(folder: Path, filters: Sequence[str] = ("form", "plausibility", "vote")) -> Path:
    listed = ", ".join(f'"{name}"' for name in filters)
    (folder / f"{MEASURED}.toml").write_text(
        f'name = "{MEASURED}"\narity = "one"\ninstruction = "Turn it."\nprefill = "last"\nfilters '
        f"= [{listed}]\n"
        '[[exemplars]]\nfact = "A is the head of B."\nresult = "The head of B is A."\n'
    )
    return folder


class Weighing(ScriptedEngine):
    """Counts what it scores; a text is 2 nats a token likelier with a fact before it if it ends
    with "Voss.".
    """

    def __init__(
        self, write: Callable[[Request], str | Completion] = script, stop_after: int = 10**9
    ) -> None:
        self.scored: list[tuple[str, str]] = []
        self.left = stop_after
        super().__init__(write, weigh=self._weighed)

    def _weighed(self, prompt: str, continuation: str) -> float:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.scored.append((prompt, continuation))
        tokens = len(continuation.split())
        return -tokens * (
            1.0 if prompt.startswith("Fact: ") and continuation.endswith("Voss.") else 3.0
        )


def written(request: Request) -> str:
    """Right, "Voss is lost", and two that the form filter stops."""
    return [GOOD, " is someone.", "", " is Mara Voss. And more."][int(request.seed[-1]) % 4]


def scored_run(
    journal: Journal, used: Weighing, folder: Path, count: int = 1, **changed: Any
) -> list[Example | Rejected]:
    chosen = config(operators=(MEASURED,), **changed)
    facts = [Fact(f"a{n}", FACTS[0].text, f"facts.csv:{n}") for n in range(count)]
    planned = Plan(facts, load_operators(chosen, folder), chosen, seed=0, engine=used)
    generate(planned, used, journal, chosen.batch_size, Silent())
    measure(planned, used, journal, chosen, Silent())
    return list(collect(planned, journal, chosen, engine=used, seed=0))


def test_what_the_model_says_of_a_text_decides_where_the_filters_before_it_let_it_pass(
    tmp_path: Path,
) -> None:
    used = Weighing(written)
    with open_journal(None) as journal:
        records = scored_run(journal, used, measured(tmp_path), plausibility=0.5)
        planned = journal.histories("a0/m/")
    assert [r.by if isinstance(r, Rejected) else "kept" for r in records] == [
        "kept",
        "plausibility",
        "form",
        "form",
    ]
    # Only what passed the form is scored, with its fact and without.
    texts = [" The head of the Lumen Lab is Mara Voss.", " The head of the Lumen Lab is someone."]
    assert [continuation for _, continuation in used.scored] == [t for t in texts for _ in range(2)]
    assert [dict(told.scores) for told in planned] == [
        {"plausibility": 2.0},
        {"plausibility": 0.0},
        {},
        {},
    ]


def test_a_changed_threshold_judges_again_without_generating_or_scoring(tmp_path: Path) -> None:
    used, folder = Weighing(written), measured(tmp_path)
    with open_journal(tmp_path / "j") as journal:
        scored_run(journal, used, folder)
        once = len(used.scored)
        assert [
            isinstance(r, Example) for r in scored_run(journal, used, folder, plausibility=2.5)
        ] == [False] * 4
        both = scored_run(journal, used, folder, plausibility=-1.0, vote_share=0.0)
        assert [isinstance(r, Example) for r in both] == [True, True, False, False]
    assert (used.generated, len(used.scored)) == (4, once)


@pytest.mark.parametrize("stop_after", [0, 1, 127, 128, 129, 399])
def test_an_interrupted_scoring_goes_on_to_the_same(tmp_path: Path, stop_after: int) -> None:
    folder = measured(tmp_path)
    with open_journal(None) as journal:
        undisturbed = scored_run(journal, Weighing(written), folder, 100)
    used = Weighing(written, stop_after)
    with pytest.raises(KeyboardInterrupt), open_journal(tmp_path / "j") as journal:
        scored_run(journal, used, folder, 100)
    again = Weighing(written)
    with open_journal(tmp_path / "j") as journal:
        assert scored_run(journal, again, folder, 100) == undisturbed
    assert again.generated == 0
    assert (
        len(again.scored) == 400 - stop_after // 128 * 128
    )  # 64 candidates are scored and journalled together


def test_each_measure_has_its_own_number(tmp_path: Path) -> None:
    folder = measured(tmp_path, ("form", "plausibility", "round_trip"))
    with open_journal(None) as journal:
        scored_run(journal, Weighing(written), folder)
        [first, *_] = journal.histories("a0/m/")
    assert set(first.scores) == {"plausibility", "round_trip"}


def test_where_no_operator_measures_the_model_is_not_asked() -> None:
    used, chosen = Weighing(), config()
    planned = Plan(FACTS, load_operators(chosen), chosen, seed=0, engine=used)
    with open_journal(None) as journal:
        generate(planned, used, journal, 64, Silent())
        assert measure(planned, used, journal, chosen, Silent()) == 0
    assert used.scored == []


def test_where_nothing_passes_nothing_is_scored(tmp_path: Path) -> None:
    used = Weighing(lambda _: "")
    with open_journal(None) as journal:
        records = scored_run(journal, used, measured(tmp_path))
    assert used.scored == []
    assert {r.by for r in records if isinstance(r, Rejected)} == {"form"}


def test_likelihoods_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    used = Weighing(written)
    used._weigh = lambda *_: float("nan")
    with open_journal(None) as journal, pytest.raises(ModelError, match="no numbers"):
        scored_run(journal, used, measured(tmp_path))


# Origins


def records_of(
    operator: str, facts: Sequence[Fact], write: Callable[[Request], str], **changed: Any
) -> list[Example | Rejected]:
    with open_journal(None) as journal:
        used = ScriptedEngine(write)
        chosen = config(operators=(operator,), **changed)
        planned = Plan(facts, load_operators(chosen), chosen, seed=0, engine=used)
        generate(planned, used, journal, 64, Silent())
        measure(planned, used, journal, chosen, Silent())
        return list(collect(planned, journal, chosen, engine=used, seed=0))


def kept(records: Sequence[Example | Rejected]) -> list[Example]:
    return [record for record in records if isinstance(record, Example)]


def test_of_what_is_shown_only_what_a_result_speaks_of_counts_as_used() -> None:
    facts = [
        Fact("a", "Ben Okafor composed the Winter Song.", "facts.csv:2"),
        Fact("b", "Hana Sato sang the Winter Song.", "facts.csv:3"),
        Fact("c", "Lake Orrin is larger than Lake Pell.", "facts.csv:4"),
    ]
    records = records_of(
        "global",
        facts,
        lambda _: " Hana Sato sang a song that Ben Okafor composed.",
        plausibility=-99.0,
    )
    found = {record.origin.fact_ids[0]: record for record in kept(records)}
    assert set(found) == {"a", "b"}  # it says nothing of the third
    assert found["a"].origin.fact_ids == ("a", "b")
    assert found["b"].origin.fact_ids == ("b", "a")
    assert {record.origin.shown for record in records} == {("a", "b", "c")}
    rejected = next(
        record for record in records if isinstance(record, Rejected) and record.id.startswith("c/")
    )
    assert rejected.origin.fact_ids == ("c",)


def test_a_question_is_trained_on_with_its_answer() -> None:
    made = kept(records_of("qa-reverse", FACTS[:1], lambda _: " Who is the head of the Lumen Lab?"))
    [example] = made  # the model began its question anew, behind an opening
    assert example.text == "Question: Who is the head of the Lumen Lab?\nAnswer: Mara Voss"
    assert example.row == {"prompt": "Who is the head of the Lumen Lab?", "completion": "Mara Voss"}


def test_a_pair_names_both_of_its_facts() -> None:
    facts = [Fact("a", "All ravens are birds.", "f:2"), Fact("b", "Corvo is a raven.", "f:3")]
    [example] = kept(records_of("inheritance", facts, lambda _: " a bird."))
    assert (example.text, example.origin.fact_ids, example.id) == (
        "Corvo is a bird.",
        ("a", "b"),
        "a+b/inheritance/0",
    )
    assert example.origin.shown is None


def test_what_needs_no_model_says_so() -> None:
    def never(_request: Request) -> str:
        raise AssertionError("a rule asks no model")

    made = kept(records_of("identity-bridge", FACTS[:2], never, keep=1))
    assert [example.text for example in made] == [
        f"The name of {name} is {name}."
        for name in ("Mara Voss", "Lumen Lab", "Yusuf Adel", "Heron")
    ]
    assert {(e.origin.engine, e.origin.model, e.agreement) for e in made} == {("rule", "", None)}


def test_agreement_is_the_share_of_the_samples_that_say_the_same(tmp_path: Path) -> None:
    def write(request: Request) -> str:
        return " is Mara Voss." if int(request.seed[-1]) < 3 else " is the boss."

    with open_journal(None) as journal:
        [example] = kept(
            scored_run(journal, Weighing(write), measured(tmp_path, ("form", "vote", "duplicate")))
        )
    assert example.agreement == 0.75


def test_agreement_is_counted_among_the_samples_of_one_conclusion() -> None:
    facts = [Fact("a", "The members of the choir are Ruth and Anton.", "f:2")]
    made = kept(records_of("membership", facts, lambda _: " the choir."))
    assert [(example.text, example.agreement) for example in made] == [
        ("Anton is a member of the choir.", 1.0),
        ("Ruth is a member of the choir.", 1.0),
    ]


def test_a_text_without_a_word_is_never_kept(tmp_path: Path) -> None:
    with open_journal(None) as journal:
        records = scored_run(journal, Weighing(lambda _: " ... "), measured(tmp_path, ()))
        assert len(kept(records)) == 2  # it begins with the fact's own words
    free = measured(tmp_path, ()) / f"{MEASURED}.toml"
    free.write_text(free.read_text().replace('prefill = "last"\n', ""))
    with open_journal(None) as journal:
        records = scored_run(journal, Weighing(lambda _: " ... "), tmp_path)
    assert {(r.by, r.why) for r in records if isinstance(r, Rejected)} == {("form", "empty")}
    assert len(records) == 4


# Exemplars of the user's own


def test_a_users_exemplar_ends_up_in_the_prompt_and_in_the_key(tmp_path: Path) -> None:
    (tmp_path / "exemplars.csv").write_text(
        "fact,operator,result\nBo designed the {{ 7*7 }} lamp.,reversal,The {{ 7*7 }} lamp was "
        "designed by Bo.\n"
    )
    chosen = config(operators=("reversal",))
    loaded = load_operators(chosen)
    plain, own = (
        [p.request for p in Plan(FACTS, loaded, chosen, seed=0, engine=engine(), own=given)]
        for given in (None, exemplars.read(tmp_path, loaded))
    )
    shown = (
        "Fact: Bo designed the {{ 7*7 }} lamp.\nOther way round: The {{ 7*7 }} lamp was "
        "designed by Bo.\n"
    )
    assert all(shown in request.prefix for request in own)
    assert not {request.key for request in own} & {request.key for request in plain}


# Everything at once

MANY = [
    *FACTS,
    Fact("e", "All ravens are birds.", "f:6"),
    Fact("f", "All birds are animals.", "f:7"),
    Fact("g", "Corvo is a raven.", "f:8"),
    Fact("h", "The Lumen Lab stands in Orrin.", "f:9"),
    Fact("i", "The members of the choir are Ruth and Anton.", "f:10"),
    Fact("j", "The members of the band are Anton and Nils.", "f:11"),
    Fact("k/reversal/0", "Lake Orrin is larger than Lake Pell.", "f:12"),
    Fact("a+b", "Lake Pell is larger than Lake Ruun.", "f:13"),
    Fact("l", "If the lamp is red, then the door is locked.", "f:14"),
]
EVERY = tuple(item.operator.name for item in operators.available(FILTERS))


@given(
    st.integers(1, 30), st.integers(1, 4), st.lists(st.text(max_size=20), min_size=1, max_size=5)
)
@settings(max_examples=15, deadline=None)
def test_nothing_disappears_whatever_the_model_writes(
    batch_size: int, samples: int, texts: list[str]
) -> None:
    def write(request: Request) -> str:
        return texts[sum(map(ord, request.key)) % len(texts)]

    chosen = config(operators=EVERY, samples=samples)
    used = Weighing(write)
    with open_journal(None) as journal:
        planned = Plan(MANY, load_operators(chosen), chosen, seed=0, engine=used)
        generate(planned, used, journal, batch_size, Silent())
        measure(planned, used, journal, chosen, Silent())
        records = list(collect(planned, journal, chosen, engine=used, seed=0))
        journal_size = journal.counts()["completions"]
    in_order = [p.id for p in planned]
    drawn = [record.id for record in records]
    assert drawn == [name for name in in_order if name in set(drawn)]
    assert len(set(drawn)) == len(drawn) == journal_size
    tally = Tally()
    for record in records:
        tally.add(record)
    tally.withdraw(Rejected("x", "", "contradiction", "", next(iter(kept(records))).origin))
    counts = tally.as_json()
    assert counts["kept"] == len(kept(records)) - 1
    assert set(counts["by_operator"]) == set(EVERY)
