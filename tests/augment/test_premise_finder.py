"""Which facts an operator starts from: all the pairs there are, without looking at all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augmlx.augment import fact_index, operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.operators import Operator
from augmlx.augment.premise_finder import PremiseFinder
from augmlx.augment.premises import PremiseList, Premises
from augmlx.core.records import Fact
from augmlx.english import logic
from augmlx.english.names import entities
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise

SHIPPED = {item.operator.name: item.operator for item in operators.available(FILTERS)}
PAIR_RULES = [
    name
    for name, operator in SHIPPED.items()
    if operator.arity == "pair" and operator.rule != "bridge"
]


def facts(texts: Sequence[str]) -> list[Fact]:
    return [
        Fact(f"f{n}", text, f"facts.csv:{n + 2}") for n, text in enumerate(dict.fromkeys(texts))
    ]


def find(
    operator: str | Operator, texts: Sequence[str], *, partners: int = 1000, budget: int = 0
) -> PremiseList:
    chosen = SHIPPED[operator] if isinstance(operator, str) else operator
    finder = PremiseFinder(facts(texts), partners=partners, count=lambda text: len(text.split()))
    return finder.find(chosen, budget)


def pairs(found: PremiseList) -> list[tuple[str, ...]]:
    return [tuple(fact.text for fact in p.facts) for p in found.premises]


KINDS = ["wugs", "daxes", "feps", "blips"]
SINGLE = ["wug", "dax", "fep", "blip"]
THINGS = ["Rex", "Ana", "the Kestrel", "Orr", "Ulm"]
STATEMENTS = st.one_of(
    st.builds(
        "{} {} are {}.".format,
        st.sampled_from(["All", "No", "Some"]),
        *[st.sampled_from(KINDS)] * 2,
    ),
    st.builds(
        "{} is {}a {}.".format,
        st.sampled_from(THINGS),
        st.sampled_from(["", "not "]),
        st.sampled_from(SINGLE),
    ),
    st.builds(
        "{} is {} {}.".format,
        st.sampled_from(THINGS),
        st.sampled_from(["larger than", "inside", "part of", "smaller than"]),
        st.sampled_from(THINGS),
    ),
    st.builds(
        "The members of {} are {} and {}.".format,
        st.sampled_from(["Orr", "Ulm", "Venn"]),
        *[st.sampled_from(THINGS)] * 2,
    ),
    st.builds(
        "{} {} {}.".format,
        st.sampled_from(THINGS),
        st.sampled_from(["owns", "knows"]),
        st.sampled_from(THINGS),
    ),
    st.just("Rain."),
)


def brute_force(rule: str, texts: Sequence[str]) -> set[frozenset[str]]:
    """Every two statements that share something and from which something follows that none denies.
    (Of two lists with nothing in common it follows that they have nothing in common, but nobody
    would look for all such pairs.)
    """
    parsed = {
        fact.text: form for fact in facts(texts) if (form := logic.parse(fact.text)) is not None
    }
    known = logic.Claims(parsed.values())
    return {
        frozenset(pair)
        for pair in combinations(parsed, 2)
        if {*logic.terms(parsed[pair[0]])} & {*logic.terms(parsed[pair[1]])}
        and logic.consequences(rule, [parsed[t] for t in pair], known)
    }


@pytest.mark.parametrize("rule", PAIR_RULES)
@given(texts=st.lists(STATEMENTS, max_size=14))
@settings(max_examples=60, deadline=None)
def test_the_pairs_of_a_rule_are_those_that_trying_all_of_them_finds(
    rule: str, texts: list[str]
) -> None:
    found = find(rule, texts)
    assert len(found.premises) == len({frozenset(pair) for pair in pairs(found)})  # each once
    assert {frozenset(pair) for pair in pairs(found)} == brute_force(rule, texts)
    order = [fact.text for fact in facts(texts)]
    assert all(order.index(one) < order.index(other) for one, other in pairs(found))
    assert found.capped == 0
    assert found.without == len(order) - len({text for pair in pairs(found) for text in pair})
    assert all(p.openings for p in found.premises)


def names_at_the_ends(text: str) -> tuple[str, str]:
    found = arguments(text)
    named = tuple(entity.text for entity in entities(text))
    first, last = [m.text if m.text.startswith(named) else "" for m in found] if found else ("", "")
    return normalise(first), normalise(last)


@given(texts=st.lists(STATEMENTS, max_size=14))
@example(texts=["Ana owns Orr.", "Orr owns Ana."])
@example(texts=["Ana owns Orr.", "Orr is a wug."])
@example(texts=["Ana owns the Kestrel radio.", "The Kestrel radio stands in Ulm."])
@example(texts=["Ana likes lamps.", "Lamps stand in Ulm."])
@settings(max_examples=100, deadline=None)
def test_the_bridges_are_those_that_trying_all_of_them_finds(texts: list[str]) -> None:
    expected = set()
    for one, other in permutations([fact.text for fact in facts(texts)], 2):
        (begins, shared), (again, ends) = names_at_the_ends(one), names_at_the_ends(other)
        if begins and shared == again != "" and ends not in ("", begins):
            expected.add((one, other))
    found = find("bridge", texts)
    assert sorted(pairs(found)) == sorted(expected)
    assert all(p.openings[0] in p.facts[0].text for p in found.premises)


# Hubs

HUBS = {
    "inheritance": lambda n: [*(f"Rex{i} is a wug." for i in range(n)), "All wugs are daxes."],
    "chain": lambda n: [*(f"Rex{i} is inside Orr." for i in range(n)), "Orr is inside Ulm."],
    "union": lambda n: [f"The members of Orr{i} are Ana and Rex." for i in range(n)],
    "bridge": lambda n: (
        [f"Ana{i} owns Orr." for i in range(n)] + [f"Orr owns Ulm{i}." for i in range(n)]
    ),
    "bridge ": lambda n: (
        [f"Ana{i} owns Orr." for i in range(n)] + [f"Orr is a wug of kind {i}." for i in range(n)]
    ),
}


class Counted(list[int]):
    """An index entry that counts how often one of its members is looked at."""

    looked = 0

    def __getitem__(self, key: object) -> int:  # type: ignore[override]
        Counted.looked += 1
        assert isinstance(key, int), "a slice copies: the cost would be that of its length"
        return super().__getitem__(key)


def looked_at(rule: str, count: int) -> tuple[PremiseList, int]:
    around = fact_index.around

    def counting(numbers: Sequence[int], number: int) -> Iterator[int]:
        return (
            around(Counted(numbers), number)
            if len(numbers) < count / 2
            else around(long(numbers), number)
        )

    cache: dict[int, Counted] = {}

    def long(numbers: Sequence[int]) -> Counted:
        return cache.setdefault(id(numbers), Counted(numbers))

    Counted.looked = 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fact_index, "around", counting)
        return find(rule.strip(), HUBS[rule](count), partners=4), Counted.looked


@pytest.mark.parametrize("rule", HUBS)
def test_an_entity_that_stands_in_every_fact_costs_no_more_for_each_of_them(rule: str) -> None:
    small, large = (looked_at(rule, count)[1] / count for count in (200, 2000))
    assert large <= small * 1.5
    assert large < 400


@pytest.mark.parametrize("rule", ["union", "bridge"])
def test_the_cap_holds_and_is_told(rule: str) -> None:
    found = find(rule, HUBS[rule](60), partners=4)
    started = [p.facts[0].id for p in found.premises]
    assert len(found.premises) <= 4 * (60 if rule == "bridge" else 120)
    if rule == "bridge":
        assert max(map(started.count, started)) == 4
    assert found.capped >= 50
    whole = find(rule, HUBS[rule](60), partners=200)
    assert whole.capped == 0
    assert {p.facts for p in found.premises} < {p.facts for p in whole.premises}


def test_the_facts_of_a_hub_do_not_all_take_the_same_partners() -> None:
    found = find("bridge", HUBS["bridge"](40), partners=2)
    assert len({p.facts[1].id for p in found.premises}) >= 2
    taken = [
        p.facts[1].id
        for p in find(
            "bridge",
            [t for i in range(20) for t in (f"Ana{i} owns Orr.", f"Orr owns Ulm{i}.")],
            partners=2,
        ).premises
    ]
    assert max(map(taken.count, taken)) <= 3


@pytest.mark.parametrize("rule", ["inheritance", "chain"])
@pytest.mark.parametrize("at", [0, 500, 1000])
def test_the_one_statement_that_says_something_of_a_thousand_is_found_wherever_it_stands(
    rule: str, at: int
) -> None:
    texts = HUBS[rule](1000)
    texts.insert(at, texts.pop())
    found = find(rule, texts, partners=8)
    assert len(found.premises) == 1000
    assert (found.capped, found.without) == (0, 0)


def test_an_exception_among_the_facts_blocks_inheritance() -> None:
    texts = ["All ravens are birds.", "Corvo is a raven.", "Rex is a raven.", "Rex is not a bird."]
    assert pairs(find("inheritance", texts)) == [("All ravens are birds.", "Corvo is a raven.")]


def test_a_rule_of_one_starts_from_what_it_says_something_of() -> None:
    found = find("conversion", ["No fish are birds.", "Rex is a wug.", "Rain."])
    assert pairs(found) == [("No fish are birds.",)]
    assert found.without == 2
    assert found.premises[0].openings == ("No birds are",)


# Corpus

STAR = [f"Ana{n} works for Orr." for n in range(30)]


def test_the_whole_set_is_shown_where_it_fits() -> None:
    found = find("global", STAR, budget=1000)
    assert [p.facts[0].text for p in found.premises] == STAR
    assert {id(p.known) for p in found.premises} == {id(found.premises[0].known)}
    assert [fact.text for fact in found.premises[0].known] == STAR


def test_else_what_hangs_together_by_names_is_shown() -> None:
    circles = [
        [f"Ana{c} owns Orr{c}.", f"Orr{c} owns Ulm{c}.", f"Ulm{c} is in Venn{c}."] for c in range(5)
    ]
    texts = [
        *(text for group in zip(*circles, strict=True) for text in group),
        "Nobody knows Xavier.",
    ]
    found = find("global", texts, budget=30)
    assert found.without == 1  # nothing goes with the last
    for p in found.premises:
        number = next(c for c, circle in enumerate(circles) if p.facts[0].text in circle)
        assert {fact.text for fact in p.known} == set(circles[number])
    assert len({id(p.known) for p in found.premises}) == 5
    order = [p.facts[0].text[-2] for p in found.premises]
    assert order == sorted(order)  # what shares a prompt's beginning follows one another


def test_else_the_nearest_neighbours_are_shown_and_the_rest_is_told() -> None:
    found = find("global", STAR, budget=40)
    assert len(found.premises) == 30
    assert found.capped == 30
    for p in found.premises:
        assert p.facts[0] in p.known
        assert 2 <= len(p.known) <= 5
    assert len({fact.id for p in found.premises for fact in p.known}) == 30


def test_more_neighbours_than_are_looked_at_are_told() -> None:
    found = find("global", [f"Ana{n} works for Orr." for n in range(200)], budget=800)
    assert all(len(p.known) <= 1 + 64 for p in found.premises)
    assert found.capped == 200


@given(texts=st.lists(STATEMENTS, max_size=12), budget=st.integers(0, 120))
@settings(max_examples=100, deadline=None)
def test_what_is_shown_stays_within_the_budget_and_links_with_something(
    texts: list[str], budget: int
) -> None:
    found = find("global", texts, budget=budget)
    for p in found.premises:
        assert p.facts[0] in p.known
        assert len(p.known) > 1
        assert sum(len(fact.text.split()) + 4 for fact in p.known) <= budget
    assert found.without == len(facts(texts)) - len(found.premises)


def test_a_fact_larger_than_the_budget_is_not_put_to_the_model_by_itself() -> None:
    found = find(
        "global", ["Ana owns " + "very " * 99 + "old mills.", "Rex is a wug.", "Rain."], budget=20
    )
    assert (found.premises, found.without) == ([], 3)


def test_one_fact_alone_links_with_nothing() -> None:
    found = find("global", ["Ana owns Orr."], budget=100)
    assert (found.premises, found.without) == ([], 1)


# Ids


@given(
    st.lists(
        st.tuples(*[st.text("+%2B/a", min_size=1, max_size=4)] * 2),
        unique=True,
        min_size=2,
        max_size=20,
    )
)
def test_no_two_pairs_have_the_same_id(ids: list[tuple[str, str]]) -> None:
    made = [Premises(tuple(Fact(i, i, "facts.csv:2") for i in pair)).id for pair in ids]
    assert len(set(made)) == len(ids)
