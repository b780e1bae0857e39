"""The plan: every request once, the same each time, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.operators import Exemplar, Operator
from augmlx.augment.plan import Plan, Planned
from augmlx.core.records import Fact
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Prompting
from augmlx.engines.scripted import ScriptedEngine

EVERY = [item.operator for item in operators.available(FILTERS)]
BY_NAME = {operator.name: operator for operator in EVERY}
TEXTS = [
    "Mara Voss is the head of the Lumen Lab.",
    "The Lumen Lab stands in Orrin.",
    "Yusuf Adel designed the Heron lamp.",
    "All ravens are birds.",
    "All birds are animals.",
    "Corvo is a raven.",
    "Lake Orrin is larger than Lake Pell.",
    "Lake Pell is larger than Lake Ruun.",
    "The members of the choir are Ruth, Anton and Julia.",
    "The members of the band are Anton, Nils and Pim.",
    "If the lamp is red, then the door is locked.",
    "Rain.",
    "{{ 7*7 }} Ana owns Zorb.",
]


class Engine(ScriptedEngine):
    def __init__(self, *, prompting: Prompting = "raw", window: int = 4096) -> None:
        super().__init__(lambda _: "")
        self.prompting, self.window = prompting, window


def facts(texts: Sequence[str] = TEXTS) -> list[Fact]:
    return [Fact(f"f{n}", text, f"facts.csv:{n + 2}") for n, text in enumerate(texts)]


def plan(
    chosen: Sequence[Operator] = EVERY,
    texts: Sequence[str] = TEXTS,
    *,
    engine: Engine | None = None,
    **given: Any,
) -> Plan:
    more = {name: given.pop(name) for name in ("own", "about", "seed") if name in given}
    config = AugmentSettings(**{"samples": 3, **given})
    return Plan(facts(texts), chosen, config, engine=engine or Engine(), **{"seed": 0, **more})


def named(*names: str) -> list[Operator]:
    return [BY_NAME[name] for name in names]


def of(planned: Plan, name: str) -> list[Planned]:
    return [p for p in planned if p.operator.name == name]


@given(
    st.permutations(TEXTS),
    st.lists(st.sampled_from(EVERY), unique=True, max_size=6),
    st.integers(1, 9),
    st.integers(1, 3),
)
@settings(max_examples=30)
def test_every_request_is_planned_once_and_the_same_each_time(
    texts: list[str], chosen: list[Operator], samples: int, partners: int
) -> None:
    made = plan(chosen, texts, samples=samples, partners=partners)
    first = list(made)
    assert (
        len(made) == len(first) == len({p.request.key for p in first}) == len({p.id for p in first})
    )
    assert list(made) == first == list(plan(chosen, texts, samples=samples, partners=partners))
    assert {p.operator.name for p in first} <= {operator.name for operator in chosen}
    assert all(p.operator.name == p.id.split("/")[-2] for p in first)


def test_the_samples_of_a_group_follow_one_another() -> None:
    names = [p.id.rpartition("/")[0] for p in plan(samples=5)]
    assert len([name for name, _ in groupby(names)]) == len(set(names))


def test_every_operator_finds_something_to_do_here() -> None:
    made = plan()
    assert {p.operator.name for p in made} == set(BY_NAME)
    assert all(found.premises for found in made.premise_lists.values())


def test_ids_hold_what_a_result_is_drawn_from() -> None:
    assert [p.id for p in of(plan(), "chain")][:1] == ["f3+f4/chain/0"]
    assert of(plan(), "reversal")[0].id == "f0/reversal/0"


def test_ids_and_keys_stay_apart_where_ids_of_facts_hold_their_signs() -> None:
    texts = [
        "All ravens are birds.",
        "All birds are animals.",
        "All animals are things.",
        "All things are odd items.",
    ]
    ids = ["a", "b", "a+b", "a%2Bb"]
    given = [Fact(name, text, "facts.csv:2") for name, text in zip(ids, texts, strict=True)]
    made = list(Plan(given, named("chain"), AugmentSettings(), seed=0, engine=Engine()))
    assert len({p.id for p in made}) == len({p.request.seed for p in made}) == len(made)


# Limits


def test_operator_and_settings_ask_for_no_more_than_they_say() -> None:
    narrow = BY_NAME["qa-forward"].model_copy(update={"samples": 2, "max_tokens": 10})
    for samples, tokens, expected in ((8, 64, (2, 10)), (1, 64, (1, 10)), (8, 5, (2, 5))):
        made = list(plan([narrow], samples=samples, max_tokens=tokens))
        per_fact = {
            name: len(list(group)) for name, group in groupby(p.id.split("/")[0] for p in made)
        }
        assert (set(per_fact.values()), {p.request.max_tokens for p in made}) == (
            {expected[0]},
            {expected[1]},
        )
    free = BY_NAME["rephrase"]
    assert {p.request.max_tokens for p in plan([free], max_tokens=77)} == {77}


def test_each_conclusion_of_a_rule_is_asked_for_at_least_once_and_greedily_first() -> None:
    texts = ["The members of the choir are Ruth, Anton, Julia and Nils."]
    made = list(plan(named("membership"), texts, samples=2))
    assert [p.request.opening for p in made] == [
        f"{name} is a member of" for name in ("Anton", "Julia", "Nils", "Ruth")
    ]
    assert {p.request.temperature for p in made} == {0.0}
    more = list(plan(named("membership"), texts[:1], samples=4))
    assert len(more) == 4
    assert (
        len(list(plan(named("membership"), ["The members of the band are Al and Bo."], samples=4)))
        == 4
    )
    assert [
        p.request.temperature
        for p in plan(named("membership"), ["The members of the band are Al and Bo."], samples=4)
    ] == [0, 0, 0.8, 0.8]


# Prompts


@pytest.mark.parametrize(
    ("wanted", "suits", "chat"),
    [
        ("auto", "raw", (False, 0)),
        ("auto", "chat", (True, 0)),
        ("auto", "turns", (True, 8)),
        ("raw", "turns", (False, 0)),
        ("chat", "raw", (True, 0)),
        ("turns", "raw", (True, 8)),
    ],
)
def test_the_prompt_is_of_the_kind_that_is_wanted(
    wanted: str, suits: Prompting, chat: tuple[bool, int]
) -> None:
    made = plan(named("reversal"), engine=Engine(prompting=suits), prompting=wanted)
    assert {(p.request.chat, len(p.request.turns)) for p in made} == {chat}


def test_in_turns_the_exemplars_are_said_and_the_message_is_the_fact() -> None:
    made = plan(named("qa-forward"), prompting="turns", samples=1)
    request = of(made, "qa-forward")[0].request
    assert request.system.endswith("Reply with the question and nothing else.")
    assert request.turns[1] == (
        "Fact: Ben Okafor composed the Winter Song.\nAnswer: the Winter Song",
        "What did Ben Okafor compose?",
    )
    assert request.content == (
        "Fact: Mara Voss is the head of the Lumen Lab.\nAnswer: the head of the Lumen Lab"
    )
    assert {p.request.turns for p in made} == {request.turns}


def test_in_turns_the_facts_of_a_pair_and_the_known_ones_stand_in_the_message() -> None:
    made = plan(named("chain", "global"), prompting="turns", samples=1)
    pair, corpus = of(made, "chain")[0].request, of(made, "global")[0].request
    assert pair.suffix == f"Fact: {TEXTS[3]}\nFact: {TEXTS[4]}"
    assert corpus.prefix.startswith("Known: ")
    assert corpus.prefix.endswith("\n")
    assert corpus.suffix == f"Fact: {TEXTS[0]}"
    assert corpus.turns[0][0].splitlines()[-1] == "Fact: Ruth Adler is the chair of Maple House."
    assert corpus.turns[0][0].count("Known: ") == 3


def test_in_turns_an_answer_that_may_begin_with_talk_is_not_cut_at_its_first_line() -> None:
    made = list(plan(named("reversal", "qa-forward"), prompting="turns"))
    assert {(bool(p.request.opening), p.request.stop) for p in made} == {(True, "\n"), (False, "")}
    assert {p.request.stop for p in plan(named("qa-forward"), prompting="chat")} == {"\n"}


def test_an_operator_with_templates_of_its_own_is_asked_in_one_message() -> None:
    shipped = BY_NAME["rephrase"]
    own = shipped.model_copy(update={"suffix": "{{ fact }} In other words:"})
    made = plan([own, BY_NAME["reversal"]], prompting="turns")
    request = of(made, "rephrase")[0].request
    assert (request.chat, request.turns, request.system) == (True, (), "")
    assert request.content.endswith("Lab. In other words:")
    assert of(made, "reversal")[0].request.turns
    [note] = made.notes
    assert note.startswith("rephrase: asked in one message")
    assert not plan([own], prompting="chat").notes


def test_the_system_line_is_made_of_the_instruction_where_there_is_none() -> None:
    for name, end in (("reversal", "one sentence"), ("qa-forward", "question")):
        bare = BY_NAME[name].model_copy(update={"system": ""})
        system = next(iter(plan([bare], prompting="turns"))).request.system
        assert system.startswith(bare.instruction)
        assert system.endswith(f"{end} and nothing else.")


def test_about_restricts_to_what_starts_from_those_facts() -> None:
    whole, some = plan(), plan(about={"f0", "f3"})
    assert list(some) == [p for p in whole if p.premises.facts[0].id in {"f0", "f3"}]
    assert {p.premises.facts[0].id for p in some} == {"f0", "f3"}
    assert any(p.operator.arity == "pair" for p in some)


def test_requests_with_the_same_exemplars_follow_one_another_and_share_a_prefix() -> None:
    own = tuple(
        Exemplar(fact=f"Ben {verb}s the {noun}.", result=f"The {noun} is {verb}ed by Ben.")
        for verb, noun in (("own", "mill"), ("paint", "gate"), ("design", "lamp"))
    )
    texts = [f"Ana{n} {verb}s Orr{n}." for n in range(20) for verb in ("own", "paint", "design")]
    made = list(plan(named("reversal"), texts, own={"reversal": own}, exemplars=1, samples=1))
    assert len([prefix for prefix, _ in groupby(p.request.prefix for p in made)]) == 3
    for p in made:
        verb = p.premises.facts[0].text.split()[1]
        assert f"Fact: Ben {verb} the" in p.request.prefix
        assert p.request.prefix.count("Fact: ") == 1


def test_what_a_corpus_operator_shows_stands_in_the_prefix_within_the_window() -> None:
    texts = [f"Ana{n} works for Orr{n % 5}." for n in range(60)]
    for window in (330, 360, 4096):
        made = list(plan(named("global"), texts, engine=Engine(window=window), samples=1))
        assert len(made) == 60
        for p in made:
            assert len(p.premises.known) > 1
            assert all(f"Known: {fact.text}\n" in p.request.prefix for fact in p.premises.known)
            assert len(p.request.prompt.split()) + p.request.max_tokens <= window
    prefixes = [p.request.prefix for p in made]
    assert len(set(prefixes)) == len(
        [one for one, other in pairwise([*prefixes, ""]) if one != other]
    )


def test_a_window_without_room_for_other_facts_leaves_a_corpus_operator_idle() -> None:
    made = plan(named("global"), engine=Engine(window=60))
    assert list(made) == []
    assert made.premise_lists[BY_NAME["global"]].without == len(TEXTS)


def test_what_gets_fewer_partners_than_it_has_is_told_by_operator() -> None:
    texts = [f"Ana{n} owns Orr." for n in range(9)] + [f"Orr owns Ulm{n}." for n in range(9)]
    made = plan(named("bridge", "reversal"), texts, partners=4)
    [note] = made.notes
    assert note.startswith("bridge: 9 facts have more partners")
    assert "augment.partners" in note
    assert "Ana" not in note
    assert plan(named("bridge"), texts, partners=9).notes == []


# Questions and rules


def test_a_question_is_asked_only_where_the_fact_has_an_answer() -> None:
    made = plan(named("qa-forward", "qa-reverse"), ["Rain.", "Ana owns Zorb.", "Glons"])
    assert {(p.operator.name, p.answer) for p in made} == {
        ("qa-forward", "Zorb"),
        ("qa-reverse", "Ana"),
    }
    assert {found.without for found in made.premise_lists.values()} == {2}
    assert all(f"Answer: {p.answer}\n" in p.request.suffix for p in made)


def test_an_operator_without_a_model_brings_its_results() -> None:
    made = of(plan(), "identity-bridge")
    assert [p.written for p in made[:2]] == [
        "The name of Mara Voss is Mara Voss.",
        "The name of Lumen Lab is Lumen Lab.",
    ]
    assert {p.request.max_tokens for p in made} == {0}


def test_two_operators_of_one_function_are_two() -> None:
    mine = BY_NAME["identity-bridge"].model_copy(update={"name": "mine"})
    made = list(plan([BY_NAME["identity-bridge"], mine]))
    assert len({p.request.key for p in made}) == len(made) > 0


def test_a_fact_is_no_template_whatever_the_operator() -> None:
    for p in plan():
        if p.premises.facts[0].id == "f12" and p.written is None:
            assert "{{ 7*7 }} Ana owns Zorb." in p.request.suffix


@pytest.mark.parametrize("operator", EVERY, ids=lambda operator: operator.name)
@pytest.mark.parametrize(
    "text", ["", " ", "A", "x" * 20_000, "Ana " * 5_000, "a\nb\u2028c", "\u202eAna owns Zorb."]
)
def test_any_fact_can_be_planned(operator: Operator, text: str) -> None:
    made = list(plan([operator], [text, "Ana owns Zorb.", "Zorb stands in Orr."], samples=1))
    assert all(p.request.prompt for p in made if p.written is None)
